//! Clusters are started, settled and taken up again.

use jiff::Timestamp;
use proto::{ClusterName, RunId};

use super::{Verdict, part};
use crate::rollout::Outcome;
use crate::rollout::machine::{ClusterPart, ClusterStands, Phase, Rollout, Soak};

/// What may not be is refused here once more, whatever decided it.
pub(super) fn start(rollout: &mut Rollout, cluster: &ClusterName, run: &RunId, at: Timestamp) -> Verdict {
    if rollout.phase != Phase::Active || rollout.pause_wanted || rollout.abort_wanted {
        return Err("the rollout does not start anything now".to_owned());
    }
    if rollout.overspent().is_some() {
        return Err("more clusters have failed than the budget allows".to_owned());
    }
    if rollout.parts().any(|(_, _, part)| part.run() == Some(run)) {
        return Err(format!("there is a run {run} already"));
    }
    let (wave, _) = rollout.part(cluster).ok_or_else(|| format!("no wave names {cluster}"))?;
    room(rollout, wave)?;
    let (_, part) = part(rollout, cluster)?;
    if part.stands != ClusterStands::Waiting {
        return Err(format!("{cluster} is not waiting"));
    }
    *part = ClusterPart { stands: ClusterStands::InFlight { run: run.clone() }, ..ClusterPart::waiting(at) };
    Ok(())
}

fn room(rollout: &Rollout, wave: usize) -> Verdict {
    let (Some(stands), Some(spec)) = (rollout.waves.get(wave), rollout.spec.waves.get(wave)) else {
        return Err(format!("there is no wave number {}", wave + 1));
    };
    if stands.begun.is_none() {
        return Err(format!("wave {} has not begun", spec.name));
    }
    if stands.in_flight() >= spec.at_once || rollout.in_flight() >= rollout.spec.at_once {
        return Err("as many clusters are in flight as may be".to_owned());
    }
    Ok(())
}

pub(super) fn settle(
    rollout: &mut Rollout,
    cluster: &ClusterName,
    run: Option<&RunId>,
    outcome: &Outcome,
    at: Timestamp,
) -> Verdict {
    let (wave, _) = rollout.part(cluster).ok_or_else(|| format!("no wave names {cluster}"))?;
    if rollout.waves.get(wave).is_none_or(|wave| wave.begun.is_none()) {
        return Err("its wave has not begun".to_owned());
    }
    let (_, part) = part(rollout, cluster)?;
    let fails = matches!(outcome, Outcome::Failed(_));
    match &part.stands {
        ClusterStands::Waiting if run.is_some() => return Err(format!("{cluster} was not started")),
        ClusterStands::InFlight { run: own } if run.is_some_and(|run| run != own) => {
            return Err(format!("{cluster} has run {own}"));
        }
        ClusterStands::Settled { outcome: Outcome::Upgraded, run: own } if fails && own.as_ref() == run => {}
        ClusterStands::Settled { .. } => return Err(format!("{cluster} is settled")),
        ClusterStands::Waiting | ClusterStands::InFlight { .. } => {}
    }
    let stands = ClusterStands::Settled { run: run.cloned(), outcome: outcome.clone() };
    *part = ClusterPart { stands, ..ClusterPart::waiting(at) };
    Ok(())
}

/// Its wave must soak anew.
pub(super) fn take_up(
    rollout: &mut Rollout,
    cluster: &ClusterName,
    run: Option<&RunId>,
    events: u64,
    at: Timestamp,
) -> Verdict {
    let (wave, part) = part(rollout, cluster)?;
    if !part.failed() {
        return Err(format!("{cluster} has not failed"));
    }
    let stands = match run {
        None => ClusterStands::Waiting,
        Some(run) if part.run() == Some(run) => ClusterStands::InFlight { run: run.clone() },
        Some(run) => return Err(format!("{run} is not the run of {cluster}")),
    };
    *part = ClusterPart { stands, taken_up: run.map(|_| events), ..ClusterPart::waiting(at) };
    if let Some(wave) = rollout.waves.get_mut(wave) {
        wave.soak = Soak::NotYet;
    }
    Ok(())
}

/// What was seen of a cluster that was upgraded and soaks.
pub(super) fn upgraded<'a>(
    rollout: &'a mut Rollout,
    cluster: &ClusterName,
) -> Result<&'a mut Option<(Timestamp, Vec<String>)>, String> {
    let (_, part) = part(rollout, cluster)?;
    if !part.upgraded() {
        return Err(format!("{cluster} was not upgraded"));
    }
    Ok(&mut part.unhealthy)
}
