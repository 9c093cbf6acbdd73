//! What people ask of a rollout.

use proto::ClusterName;

use super::Verdict;
use crate::rollout::machine::{Phase, Rollout};
use crate::rollout::{HaltWhy, Request};

pub(super) fn ask(rollout: &mut Rollout, request: &Request, number: i64) -> Verdict {
    not_taken(rollout, number)?;
    rollout.may(request)?;
    rollout.told = number;
    match request {
        Request::Pause => {
            rollout.resume_wanted = false;
            rollout.pause_wanted |= rollout.phase == Phase::Active;
        }
        Request::Resume if rollout.phase == Phase::Active => rollout.pause_wanted = false,
        Request::Resume => rollout.resume_wanted = true,
        Request::Abort => rollout.abort_wanted = true,
        Request::Approve { wave } => drop(rollout.approved.insert(*wave)),
        Request::Retry { cluster } => retry(rollout, cluster.as_ref()),
    }
    Ok(())
}

/// It counts as taken, so that nobody honours it later, when its author no longer expects it.
pub(super) fn refuse(rollout: &mut Rollout, number: i64) -> Verdict {
    not_taken(rollout, number)?;
    rollout.told = number;
    Ok(())
}

fn not_taken(rollout: &Rollout, number: i64) -> Verdict {
    match number <= rollout.told {
        true => Err(format!("request {number} was taken already")),
        false => Ok(()),
    }
}

fn retry(rollout: &mut Rollout, only: Option<&ClusterName>) {
    let parts = rollout.waves.iter_mut().flat_map(|wave| wave.clusters.iter_mut());
    for (_, part) in parts.filter(|(name, part)| part.failed() && only.is_none_or(|only| only == *name)) {
        part.retry_wanted = true;
    }
}

impl Rollout {
    /// Whether a person may ask this of it now.
    ///
    /// # Errors
    /// Why not, for the person.
    pub fn may(&self, request: &Request) -> Result<(), String> {
        match (request, &self.phase) {
            (_, Phase::Ended(_)) => Err("it is over".to_owned()),
            (Request::Abort, _) => Ok(()),
            (_, _) if self.abort_wanted => Err("it is being aborted".to_owned()),
            (Request::Pause, _) => Ok(()),
            (Request::Resume, phase) => self.may_resume(phase),
            (Request::Approve { wave }, _) => self.may_approve(*wave),
            (Request::Retry { cluster }, _) => self.may_retry(cluster.as_ref()),
        }
    }

    fn may_resume(&self, phase: &Phase) -> Verdict {
        match phase {
            Phase::Halted(HaltWhy::BudgetSpent { .. }) if self.overspent().is_some() => {
                let failed: Vec<&str> = self
                    .parts()
                    .filter(|(_, _, part)| part.failed())
                    .map(|(_, name, _)| name.as_str())
                    .collect();
                Err(format!(
                    "more clusters have failed than the budget allows: {}; retry them, or apply the file with a \
                     larger budget",
                    failed.join(", ")
                ))
            }
            Phase::Active | Phase::Paused | Phase::Halted(_) | Phase::Ended(_) => Ok(()),
        }
    }

    /// Approving twice is fine; approving what nobody has seen the way to is not.
    fn may_approve(&self, wave: usize) -> Verdict {
        let Some(spec) = self.spec.waves.get(wave) else {
            return Err(format!("there is no wave number {}", wave + 1));
        };
        if self.approved.contains(&wave) || self.approval_wanted == Some(wave) || !spec.approval {
            return Ok(());
        }
        Err(format!("wave {} does not wait for approval yet", spec.name))
    }

    fn may_retry(&self, cluster: Option<&ClusterName>) -> Verdict {
        match cluster {
            Some(cluster) => match self.part(cluster) {
                None => Err(format!("no wave names {cluster}")),
                Some((_, part)) if part.failed() => Ok(()),
                Some(_) => Err(format!("{cluster} has not failed")),
            },
            None if self.failures() > 0 => Ok(()),
            None => Err("no cluster has failed".to_owned()),
        }
    }
}
