//! Runs that paused are resumed, those that are to be tried again are asked to, and agents are told to hold.

use std::collections::BTreeSet;

use proto::ClusterName;

use super::Due;
use super::settle::awaits_retry;
use crate::rollout::machine::{ClusterPart, ClusterStands, Phase};
use crate::rollout::{Action, HaltWhy, RunSeen, RunStands, Siblings};
use crate::run::Request as RunRequest;

impl Due<'_> {
    pub(super) fn ask_runs(&mut self) {
        let asks = self.rollout.parts().filter_map(|(_, cluster, part)| {
            let ClusterStands::InFlight { run } = &part.stands else { return None };
            let request = self.request(cluster, part, self.seen.runs.get(run)?)?;
            Some(Action::Ask { run: run.clone(), request })
        });
        let asks: Vec<Action> = asks.collect();
        self.actions.extend(asks);
    }

    fn request(&self, cluster: &ClusterName, part: &ClusterPart, run: &RunSeen) -> Option<RunRequest> {
        if run.resuming || run.aborting || self.seen.fleet_halt.is_some() || !self.admits(cluster) {
            return None;
        }
        match &run.stands {
            RunStands::Halted(_) if awaits_retry(part, run) && !self.seen.held.contains(cluster) => {
                Some(RunRequest::Retry { node: None })
            }
            RunStands::Paused if run.our_pause && self.runs_go_on() => Some(RunRequest::Resume),
            RunStands::OutsideWindow if self.runs_go_on() => Some(RunRequest::Resume),
            RunStands::AtWork
            | RunStands::OutsideWindow
            | RunStands::Paused
            | RunStands::Halted(_)
            | RunStands::Done
            | RunStands::Aborted
            | RunStands::Blocked(_) => None,
        }
    }

    /// Whether runs in flight go on, though nothing new may be started.
    fn runs_go_on(&self) -> bool {
        let spent = matches!(self.rollout.phase, Phase::Halted(HaltWhy::BudgetSpent { .. }));
        self.goes_on()
            || spent && self.rollout.spec.on_failure == Siblings::Continue && !self.rollout.pause_wanted
    }

    /// Agents hold as long as the rollout has halted and its file wants it; but not those of a cluster that was taken up
    /// again since.
    pub(super) fn hold(&mut self) {
        let rollout = &self.rollout;
        let holds = matches!(rollout.phase, Phase::Halted(HaltWhy::BudgetSpent { .. }))
            && rollout.spec.on_failure == Siblings::Halt
            && !rollout.abort_wanted;
        let in_flight =
            rollout.parts().filter(|(_, _, part)| holds && part.in_flight() && part.taken_up.is_none());
        let wanted: BTreeSet<ClusterName> = in_flight.map(|(_, name, _)| name.clone()).collect();
        let on: BTreeSet<ClusterName> = wanted.difference(&self.seen.held).cloned().collect();
        let off: BTreeSet<ClusterName> = self.seen.held.difference(&wanted).cloned().collect();
        for (clusters, on) in [(on, true), (off, false)] {
            if !clusters.is_empty() {
                self.actions.push(Action::Hold { clusters, on });
            }
        }
    }
}
