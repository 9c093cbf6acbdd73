//! What the clusters of a wave wait for.

use jiff::Timestamp;
use proto::{ClusterName, RunId};

use super::{Waiting, closed, verb};
use crate::rollout::machine::busy::{Edges, InTheWay, busy};
use crate::rollout::machine::{ClusterPart, ClusterStands, Rollout};
use crate::rollout::{NotNow, RunSeen, RunStands, Seen, turn_takes};

/// What those in flight and those not yet started wait for; `None` if nothing holds them.
pub(super) fn waits(rollout: &Rollout, seen: &Seen, now: Timestamp) -> Option<Waiting> {
    let flying: Vec<(&ClusterName, &RunId, Option<&RunSeen>)> = rollout
        .parts()
        .filter_map(|(_, name, part)| match &part.stands {
            ClusterStands::InFlight { run } => Some((name, run, seen.runs.get(run))),
            ClusterStands::Waiting | ClusterStands::Settled { .. } => None,
        })
        .collect();
    stopped(&flying)
        .or_else(|| at_work(&flying))
        .or_else(|| window(rollout, now))
        .or_else(|| in_flight(&flying))
        .or_else(|| held_back(rollout, seen, now))
}

type Flying<'a> = (&'a ClusterName, &'a RunId, Option<&'a RunSeen>);

/// Runs that a person has paused are a person's.
fn stopped(flying: &[Flying<'_>]) -> Option<Waiting> {
    let paused = |run: &RunSeen| run.stands == RunStands::Paused && !run.our_pause && !run.resuming;
    let paused = flying.iter().filter(|(_, _, run)| run.is_some_and(paused));
    let (names, commands): (Vec<String>, Vec<String>) = paused
        .map(|(name, run, _)| {
            (name.to_string(), [format!("ratchet why {run}"), format!("ratchet resume {run}")])
        })
        .map(|(name, commands)| (name, commands.join("\n")))
        .unzip();
    let commands = commands.iter().flat_map(|commands| commands.lines()).map(str::to_owned).collect();
    (!names.is_empty())
        .then(|| Waiting::needs(format!("runs were paused: of {}", names.join(", ")), commands))
}

fn at_work(flying: &[Flying<'_>]) -> Option<Waiting> {
    let busy = flying.iter().filter(|(_, _, run)| run.is_some_and(|run| run.stands == RunStands::AtWork));
    told(busy, "clusters are being upgraded")
}

fn in_flight(flying: &[Flying<'_>]) -> Option<Waiting> {
    told(flying.iter(), "clusters are in flight")
}

fn told<'a>(flying: impl Iterator<Item = &'a Flying<'a>>, what: &str) -> Option<Waiting> {
    let (names, commands): (Vec<&str>, Vec<String>) =
        flying.map(|(name, run, _)| (name.as_str(), format!("ratchet watch {run}"))).unzip();
    (!names.is_empty()).then(|| Waiting::passes(format!("{what}: {}", names.join(", ")), None, commands))
}

fn window(rollout: &Rollout, now: Timestamp) -> Option<Waiting> {
    let opens_at = closed(rollout, now)?;
    let commands = vec![verb(rollout, "status")];
    Some(match opens_at {
        Some(_) => Waiting::passes(rollout.spec.windows.closed_why(now), opens_at, commands),
        None => {
            Waiting::needs("no window opens within 400 days; change the file and apply it again", commands)
        }
    })
}

/// Why nobody of those who wait is started: the first reason there is.
fn held_back(rollout: &Rollout, seen: &Seen, now: Timestamp) -> Option<Waiting> {
    let (edges, busy) = (Edges::of(&seen.partners), busy(rollout, seen));
    let cluster = rollout.waiting().next()?;
    if let Some(run) = seen.in_flight.get(cluster) {
        let commands = vec![format!("ratchet why {run}"), format!("ratchet abort {run}")];
        return Some(Waiting::needs(format!("{cluster} has a run that is not over: {run}"), commands));
    }
    match edges.in_the_way(cluster, &busy) {
        Some(InTheWay::Partner(partner)) => {
            let why =
                format!("{cluster} replicates with {partner}, or may, which has a run that is not over");
            return Some(Waiting::needs(why, free(rollout, &partner)));
        }
        Some(InTheWay::Unseen(unseen)) => {
            let why = format!("{unseen} was not looked at yet, so that its partners are not known");
            let mut commands = vec![format!("ratchet status {unseen}")];
            commands.extend(seen.in_flight.get(&unseen).map(|run| format!("ratchet why {run}")));
            return Some(Waiting::passes(why, None, commands));
        }
        None => {}
    }
    let takes = turn_takes(&rollout.spec, cluster, &seen.turns).0;
    let NotNow { why, opens_at } = rollout.spec.windows.admit(now, takes).err()?;
    let commands = vec![verb(rollout, "status")];
    Some(match opens_at {
        Some(_) => Waiting::passes(why, opens_at, commands),
        None => Waiting::needs(format!("{why}; change the file and apply it again"), commands),
    })
}

/// How a partner gets out of the way. One that has failed within the budget does not by itself: its run still stands.
fn free(rollout: &Rollout, partner: &ClusterName) -> Vec<String> {
    let mut commands = vec![format!("ratchet why {partner}")];
    let failed = rollout.part(partner).map(|(_, part)| part).filter(|part| part.failed());
    if let Some(run) = failed.and_then(ClusterPart::run) {
        commands.extend([format!("{} {partner}", verb(rollout, "retry")), format!("ratchet abort {run}")]);
    }
    commands
}
