//! What people ask of a rollout.

use std::time::Duration;

use proto::{ClusterName, Failure, RolloutName};

use crate::documents::RolloutDocument;
use crate::rollout::{Event, Phase, Request, Rollout};
use crate::server::Core;
use crate::server::runs::LOOK;

/// How long a request may stay unanswered before its author is told how the rollout stands without it.
const TAKEN: Duration = Duration::from_secs(3);

/// A request as it travels.
#[derive(Clone, Debug)]
pub(in crate::server) struct Asked {
    pub(in crate::server) what: String,
    pub(in crate::server) wave: Option<String>,
    pub(in crate::server) cluster: Option<String>,
}

impl Core {
    /// Asks something of a rollout. What is so already is not asked again.
    ///
    /// # Errors
    /// There is no such rollout, it is over, or it does not allow that now.
    pub(in crate::server) async fn ask_rollout(
        &self,
        name: &str,
        asked: &Asked,
        by: &str,
    ) -> Result<RolloutDocument, Failure> {
        let (name, rollout) = self.rollout(name).await?;
        // While nobody leads, earlier requests wait to be taken: what was asked last must then come after them.
        let waiting = !self.store().rollout_requests(&name, rollout.told).await?.is_empty();
        let Some(request) = request(&rollout, asked, waiting)? else {
            return self.rollout_document(&name).await;
        };
        rollout.may(&request).map_err(|reason| not_allowed(&name, reason))?;
        let number = self.store().ask_rollout(&name, &request, by, self.now()).await?;
        self.rollouts.wake();
        let taken = async {
            while self.rollout(name.as_str()).await?.1.told < number {
                tokio::time::sleep(LOOK).await;
            }
            Ok::<(), Failure>(())
        };
        // Not taken in time is no failure: it stays in the store until somebody leads.
        match tokio::time::timeout(TAKEN, taken).await {
            Ok(taken) => {
                taken?;
                self.not_refused(&name, rollout.seq, number).await?;
            }
            Err(_) => tracing::info!(rollout = %name, "nobody who leads has taken the request yet"),
        }
        self.rollout_document(&name).await
    }

    /// Tells the author of a request that was refused after all, because things have changed since it was made.
    async fn not_refused(&self, name: &RolloutName, since: u64, asked: i64) -> Result<(), Failure> {
        let records = self.store().rollout_journal(name, since + 1).await?;
        let refused = records.into_iter().find_map(|record| match record.event {
            Event::Refused { number, why, .. } if number == asked => Some(why),
            _ => None,
        });
        refused.map_or(Ok(()), |why| Err(not_allowed(name, why)))
    }
}

fn not_allowed(name: &RolloutName, reason: String) -> Failure {
    let message = format!("rollout {name} does not allow that now");
    Failure::operator("blocked", message, format!("ratchet rollout status {name}")).because(reason)
}

/// What is asked, or nothing if it is so already, and no request that waits would change that.
fn request(rollout: &Rollout, asked: &Asked, waiting: bool) -> Result<Option<Request>, Failure> {
    let name = &rollout.name;
    if let (Phase::Ended(_), what) = (&rollout.phase, asked.what.as_str()) {
        return match what {
            // Whoever wanted it to end has what he wanted.
            "abort" => Ok(None),
            _ => Err(over(name)),
        };
    }
    Ok(match asked.what.as_str() {
        "pause" => {
            (waiting || rollout.phase == Phase::Active && !rollout.pause_wanted).then_some(Request::Pause)
        }
        "resume" => {
            (waiting || rollout.phase != Phase::Active || rollout.pause_wanted).then_some(Request::Resume)
        }
        "abort" => (!rollout.abort_wanted).then_some(Request::Abort),
        "approve" => approve(rollout, asked.wave.as_deref())?,
        "retry" => retry(rollout, asked.cluster.as_deref())?,
        other => {
            let message = format!("`{other}` is nothing that can be asked of a rollout");
            return Err(Failure::operator("usage", message, "ratchet rollout --help"));
        }
    })
}

fn over(name: &RolloutName) -> Failure {
    let remedy = format!("ratchet rollout status {name}");
    Failure::operator("blocked", format!("rollout {name} is over"), remedy)
}

/// The wave that is named, or the one that waits. Approving twice is fine.
fn approve(rollout: &Rollout, wave: Option<&str>) -> Result<Option<Request>, Failure> {
    let name = &rollout.name;
    let status = format!("ratchet rollout status {name}");
    let wave = match wave {
        Some(wanted) => {
            let found = rollout.spec.waves.iter().position(|wave| wave.name == wanted);
            found.ok_or_else(|| {
                let message = format!("rollout {name} has no wave `{wanted}`");
                Failure::operator("no-such-wave", message, status)
            })?
        }
        None => match rollout.approval_wanted {
            Some(wave) => wave,
            None => {
                let message = format!("no wave of rollout {name} waits for approval");
                return Err(Failure::operator("blocked", message, status));
            }
        },
    };
    Ok((!rollout.approved.contains(&wave)).then_some(Request::Approve { wave }))
}

fn retry(rollout: &Rollout, cluster: Option<&str>) -> Result<Option<Request>, Failure> {
    let name = &rollout.name;
    let status = format!("ratchet rollout status {name}");
    let Some(wanted) = cluster else {
        if rollout.failures() == 0 {
            let message = format!("no cluster of rollout {name} has failed");
            return Err(Failure::operator("blocked", message, status));
        }
        return Ok(Some(Request::Retry { cluster: None }));
    };
    let part = wanted
        .parse::<ClusterName>()
        .ok()
        .and_then(|cluster| rollout.part(&cluster).map(|(_, part)| (cluster.clone(), part)));
    match part {
        None => {
            let message = format!("`{wanted}` is in no wave of rollout {name}");
            Err(Failure::operator("no-such-cluster", message, status))
        }
        Some((cluster, part)) if part.failed() => {
            Ok((!part.retry_wanted).then_some(Request::Retry { cluster: Some(cluster) }))
        }
        Some((cluster, _)) => {
            let message = format!("{cluster} has not failed in rollout {name}");
            Err(Failure::operator("blocked", message, status))
        }
    }
}
