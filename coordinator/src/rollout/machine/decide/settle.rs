//! Clusters whose runs are over are settled, and taken up again if somebody has brought them on.

use proto::{ClusterName, Failure, RunId};

use super::Due;
use crate::rollout::machine::busy::over;
use crate::rollout::machine::{ClusterPart, ClusterStands, Soak};
use crate::rollout::{Event, Outcome, RunSeen, RunStands, Seen};

/// The id of the failure of a cluster that was not well in two successive looks while its wave soaked. Unlike one whose
/// run failed, it is taken up again on a person's word only: its run is done.
pub const UNHEALTHY: &str = "unhealthy-after-upgrade";

impl Due<'_> {
    pub(super) fn settle(&mut self) {
        if !self.rollout.abort_wanted {
            self.each(taken_up);
        }
        self.each(settled);
    }

    fn each(&mut self, event: fn(&ClusterName, &ClusterPart, &Seen) -> Option<Event>) {
        let parts = self.rollout.parts();
        let events: Vec<Event> = parts.filter_map(|(_, name, part)| event(name, part, self.seen)).collect();
        for event in events {
            self.append(event);
        }
    }

    /// A cluster that was upgraded and is not well in two successive looks has failed.
    pub(super) fn watch_health(&mut self) {
        let mut events = Vec::new();
        for wave in &self.rollout.waves {
            let Soak::Soaking { since, .. } = wave.soak else { continue };
            for (name, part) in wave.clusters.iter().filter(|(_, part)| part.upgraded()) {
                let health = self.seen.health.get(name).filter(|health| health.at > since);
                let before = part.unhealthy.as_ref().map(|(at, _)| *at);
                let Some(health) = health.filter(|health| before != Some(health.at)) else { continue };
                events.extend(match (before, health.problems.is_empty()) {
                    (None, true) => None,
                    (Some(_), true) => Some(Event::Recovered { cluster: name.clone() }),
                    (None, false) => Some(Event::Unhealthy {
                        cluster: name.clone(),
                        at: health.at,
                        problems: health.problems.clone(),
                    }),
                    (Some(_), false) => Some(ailing(name, part, &health.problems)),
                });
            }
        }
        for event in events {
            self.append(event);
        }
    }
}

fn ailing(name: &ClusterName, part: &ClusterPart, problems: &[String]) -> Event {
    let failure = Failure::operator(
        UNHEALTHY,
        format!("{name} was not well in two successive looks after its upgrade"),
        format!("ratchet status {name}"),
    );
    let outcome = Outcome::Failed(failure.because(problems.join("; ")));
    Event::Settled { cluster: name.clone(), run: part.run().cloned(), outcome }
}

/// What has become of a cluster in flight, if its run is over or has halted. A run that was never created is no verdict.
fn settled(name: &ClusterName, part: &ClusterPart, seen: &Seen) -> Option<Event> {
    let ClusterStands::InFlight { run } = &part.stands else { return None };
    let of_run = seen.runs.get(run)?;
    let outcome = match &of_run.stands {
        RunStands::AtWork | RunStands::OutsideWindow | RunStands::Paused => return None,
        RunStands::Halted(_) if awaits_retry(part, of_run) => return None,
        RunStands::Done => Outcome::Upgraded,
        RunStands::Aborted => Outcome::Failed(aborted(name, run)),
        RunStands::Halted(failure) | RunStands::Blocked(failure) => Outcome::Failed(failure.clone()),
    };
    Some(Event::Settled { cluster: name.clone(), run: Some(run.clone()), outcome })
}

/// Whether a run that was taken up has not heard of it yet.
pub(super) fn awaits_retry(part: &ClusterPart, run: &RunSeen) -> bool {
    part.taken_up.is_some_and(|events| run.resuming || run.events <= events)
}

fn aborted(name: &ClusterName, run: &RunId) -> Failure {
    Failure::operator(
        "run-aborted",
        format!("run {run} of {name} was aborted"),
        format!("ratchet report {run}   # why, and which nodes are done"),
    )
}

/// A failed cluster that is to be tried again: because a person says so, or because its run goes on.
fn taken_up(name: &ClusterName, part: &ClusterPart, seen: &Seen) -> Option<Event> {
    let ClusterStands::Settled { run, outcome: Outcome::Failed(failure) } = &part.stands else { return None };
    let of_run = run.as_ref().and_then(|run| Some((run, seen.runs.get(run)?)));
    let goes_on = of_run.filter(|(_, of_run)| match of_run.stands {
        RunStands::AtWork | RunStands::OutsideWindow | RunStands::Paused => true,
        RunStands::Done => failure.id != UNHEALTHY,
        RunStands::Halted(_) | RunStands::Aborted | RunStands::Blocked(_) => false,
    });
    let (again, why) = match (goes_on, part.retry_wanted) {
        (Some(run), _) => (Some(run), "somebody has set its run to work again"),
        (None, true) => {
            let usable = |stands: &RunStands| !over(stands) || *stands == RunStands::Done;
            (of_run.filter(|(_, run)| usable(&run.stands)), "somebody asked for it")
        }
        (None, false) => return None,
    };
    Some(Event::TakenUp {
        cluster: name.clone(),
        run: again.map(|(run, _)| run.clone()),
        events: again.map_or(0, |(_, run)| run.events),
        why: why.to_owned(),
    })
}
