//! What the watch over a cluster makes of what it sees while a step runs. Pure.

use std::collections::BTreeSet;

use proto::{ClusterView, NodeUid};

use super::{Breach, Run};
use crate::snapshot::{Snapshot, Witness};

/// What must not be while a run is under way, as the agents of nodes see it whose turn it is not (promise P4).
///
/// Silence is no breach: what cannot be seen is not known to be broken (promise P5); the next gate waits for it. While a
/// node's installer may be at work, what happens on that node, and to the cluster and its databases because of it, is
/// expected.
pub fn judge_watch(run: &Run, snapshot: &Snapshot) -> Vec<Breach> {
    let turn = run.turn.as_ref();
    let away = turn.filter(|turn| run.install_intended(turn)).map(|turn| turn.node);
    let others =
        snapshot.witnesses().into_iter().filter(|witness| Some(witness.uid) != turn.map(|turn| turn.node));
    let mut breaches = Vec::new();
    for witness in others {
        let mut note = |subject: String, saw: String| breaches.push(Breach { by: witness.uid, subject, saw });
        foreign_hands(run, &witness, &mut note);
        if let Some(view) = witness.facts.view.known() {
            ill_health(view, away, &mut note);
            // The node whose turn it is is not asked; its own check is.
            let others = view.idle_nodes().filter(|uid| Some(*uid) != turn.map(|turn| turn.node));
            others.filter(|uid| snapshot.is_free_of_maintenance(*uid) == Some(false)).for_each(|uid| {
                note(uid.to_string(), "takes no shards, and may be in maintenance mode".to_owned());
            });
        }
    }
    once_each(breaches)
}

/// Somebody else's doing on a node that waits or is done.
fn foreign_hands(run: &Run, witness: &Witness<'_>, note: &mut impl FnMut(String, String)) {
    let Some(progress) = run.nodes.get(&witness.uid) else { return };
    let installed = witness.facts.installed.known().map(|installed| installed.version);
    if let Some(version) = installed.filter(|version| *version != progress.version) {
        note(witness.uid.to_string(), format!("is at {version}, and was at {}", progress.version));
    }
    if let Some(claim) = witness.facts.claim.as_ref().filter(|claim| claim.run != run.id) {
        note(witness.uid.to_string(), format!("is claimed by run {}", claim.run));
    }
    // Maintenance mode keeps a snapshot for as long as it is on (fact sheet §3.6).
    if let Some(name) = witness.facts.snapshots.known().and_then(|names| names.first()) {
        note(witness.uid.to_string(), format!("is in maintenance mode: it has the snapshot {name}"));
    }
}

/// What is known not to be OK, away from the node that is being upgraded.
fn ill_health(view: &ClusterView, away: Option<NodeUid>, note: &mut impl FnMut(String, String)) {
    let Some(away) = away else {
        return view.faults().into_iter().for_each(|problem| note(problem.subject, problem.saw));
    };
    for node in view.nodes.iter().filter(|node| node.uid != away && !node.status.is_ok()) {
        note(node.uid.to_string(), format!("status is {}", node.status));
    }
    for shard in view.shards.iter().filter(|shard| shard.node != away && !shard.status.is_ok()) {
        note(shard.id.clone(), format!("on {}: status is {}", shard.node, shard.status));
    }
}

/// What several agents see is one breach, told by the first.
fn once_each(breaches: Vec<Breach>) -> Vec<Breach> {
    let mut told = BTreeSet::new();
    breaches.into_iter().filter(|breach| told.insert((breach.subject.clone(), breach.saw.clone()))).collect()
}
