//! Which clusters are in flight, and who must not join them.

use std::collections::{BTreeMap, BTreeSet};

use proto::ClusterName;

use crate::rollout::{Partners, RunStands, Seen};

use super::Rollout;

/// Who replicates with whom, to be looked up quickly.
#[derive(Debug)]
pub(super) struct Edges<'a> {
    partners: BTreeMap<&'a ClusterName, Vec<&'a ClusterName>>,
    unclear: &'a BTreeSet<ClusterName>,
    unseen: &'a BTreeSet<ClusterName>,
}

/// Why a cluster must not be started now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InTheWay {
    /// This one is in flight, and replicates with it, or may.
    Partner(ClusterName),
    /// Nobody has looked at this one yet.
    Unseen(ClusterName),
}

impl<'a> Edges<'a> {
    /// Looks into what is known. A pair counts in both directions, whichever of them was written down.
    pub(super) fn of(partners: &'a Partners) -> Self {
        let mut edges: BTreeMap<&ClusterName, Vec<&ClusterName>> = BTreeMap::new();
        for (one, other) in &partners.pairs {
            edges.entry(one).or_default().push(other);
            edges.entry(other).or_default().push(one);
        }
        Self { partners: edges, unclear: &partners.unclear, unseen: &partners.unseen }
    }

    /// Why this cluster must not be in flight beside these.
    pub(super) fn in_the_way(&self, cluster: &ClusterName, busy: &BTreeSet<ClusterName>) -> Option<InTheWay> {
        let unseen = || {
            let own = self.unseen.get(cluster);
            own.or_else(|| self.unseen.iter().find(|other| busy.contains(*other)))
        };
        let others = self.unclear.contains(cluster).then_some(self.unclear).into_iter().flatten();
        let partners = self.partners.get(cluster).into_iter().flatten().copied();
        let mut partners = partners.chain(others).filter(|other| *other != cluster && busy.contains(*other));
        let partner = partners.next().cloned().map(InTheWay::Partner);
        partner.or_else(|| unseen().cloned().map(InTheWay::Unseen))
    }
}

/// All clusters in flight, whoever started them: also with runs of this rollout that have halted or paused.
pub(super) fn busy(rollout: &Rollout, seen: &Seen) -> BTreeSet<ClusterName> {
    let standing = |run: &proto::RunId| seen.runs.get(run).is_some_and(|run| !over(&run.stands));
    let own = rollout.parts().filter(|(_, _, part)| part.in_flight() || part.run().is_some_and(standing));
    let own = own.map(|(_, name, _)| name);
    seen.in_flight.keys().chain(own).cloned().collect()
}

/// Whether a run is over.
pub(super) fn over(stands: &RunStands) -> bool {
    match stands {
        RunStands::Done | RunStands::Aborted | RunStands::Blocked(_) => true,
        RunStands::AtWork | RunStands::OutsideWindow | RunStands::Paused | RunStands::Halted(_) => false,
    }
}
