//! Clusters are started: in their order, as many as may be, never beside a partner.

use std::collections::BTreeSet;

use proto::{ClusterName, RunId};

use super::Due;
use crate::rollout::machine::busy::{Edges, busy};
use crate::rollout::machine::{ClusterStands, Rollout};
use crate::rollout::{Action, Event};

impl Due<'_> {
    pub(super) fn start(&mut self, mut fresh_run: impl FnMut(&ClusterName) -> RunId) {
        if !self.goes_on() {
            return;
        }
        let edges = Edges::of(&self.seen.partners);
        let mut busy = busy(&self.rollout, self.seen);
        self.start_again(&edges, &busy);
        for cluster in self.candidates(&edges, &mut busy) {
            let run = fresh_run(&cluster);
            if self.append(Event::Starting { cluster: cluster.clone(), run: run.clone() }) {
                self.actions.push(Action::Start { cluster, run });
            }
        }
    }

    /// Runs that were to be started and that nobody has seen: the leader died in between, or could not yet.
    fn start_again(&mut self, edges: &Edges<'_>, busy: &BTreeSet<ClusterName>) {
        let lost = self.rollout.parts().filter_map(|(_, cluster, part)| match &part.stands {
            ClusterStands::InFlight { run } if !self.seen.runs.contains_key(run) => Some((cluster, run)),
            _ => None,
        });
        let may =
            lost.filter(|(cluster, _)| edges.in_the_way(cluster, busy).is_none() && self.admits(cluster));
        let starts: Vec<Action> =
            may.map(|(cluster, run)| Action::Start { cluster: cluster.clone(), run: run.clone() }).collect();
        self.actions.extend(starts);
    }

    /// Who may be started now. Each is in flight for the one after it.
    fn candidates(&self, edges: &Edges<'_>, busy: &mut BTreeSet<ClusterName>) -> Vec<ClusterName> {
        let rollout = &self.rollout;
        let mut room = rollout.spec.at_once.saturating_sub(rollout.in_flight());
        let mut chosen = Vec::new();
        for (wave, spec) in rollout.waves.iter().zip(&rollout.spec.waves) {
            if wave.begun.is_none() {
                continue;
            }
            let mut in_wave = spec.at_once.saturating_sub(wave.in_flight());
            let waiting = wave.clusters.iter().filter(|(_, part)| part.stands == ClusterStands::Waiting);
            for (cluster, _) in waiting {
                if room == 0 || in_wave == 0 {
                    break;
                }
                if busy.contains(cluster)
                    || edges.in_the_way(cluster, busy).is_some()
                    || !self.admits(cluster)
                {
                    continue;
                }
                (room, in_wave) = (room - 1, in_wave - 1);
                busy.insert(cluster.clone());
                chosen.push(cluster.clone());
            }
        }
        chosen
    }
}

impl Rollout {
    /// Who waits although its wave has begun.
    pub(in crate::rollout::machine) fn waiting(&self) -> impl Iterator<Item = &ClusterName> {
        let begun = |index: usize| self.waves.get(index).is_some_and(|wave| wave.begun.is_some());
        self.parts()
            .filter(move |(index, _, part)| begun(*index) && part.stands == ClusterStands::Waiting)
            .map(|(_, name, _)| name)
    }
}
