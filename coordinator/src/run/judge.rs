//! Judging a snapshot for a run: whose turn it is, and whether a turn has ended well. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proto::{NodeHalt, NodeRole, NodeUid, Version};

use super::story::went_back;
use super::{Event, Halt, Run};
use crate::checks::{Context, Stage, gate};
use crate::paths::Table;
use crate::plan::next_turn;
use crate::snapshot::Snapshot;

/// What a snapshot says about going on.
#[derive(Clone, Debug, PartialEq)]
pub enum GateVerdict {
    /// Go on, with this event.
    Clear(Box<Event>),
    /// Not now, with everything that stands in the way.
    Held(Vec<String>),
    /// Not without a person: what is seen contradicts the journal.
    Contradicted(Box<Halt>),
}

/// Whose turn it is in a hop, if the whole cluster is fit for one (promises P2 and P4).
pub fn judge_gate(run: &Run, hop: usize, snapshot: &Snapshot, table: &Table, now: Timestamp) -> GateVerdict {
    let Some(planned) = run.plan.hops.get(hop) else {
        return GateVerdict::Held(vec![format!("the plan has no hop {}", hop + 1)]);
    };
    let installed = snapshot.installed();
    let back = installed.iter().find_map(|(node, version)| went_back(run, *node, (*version)?));
    if let Some(halt) = back {
        return GateVerdict::Contradicted(Box::new(halt));
    }
    let at_target =
        |node: &NodeUid| matches!(installed.get(node), Some(Some(version)) if *version >= planned.to);
    let (there, below): (BTreeSet<_>, BTreeSet<_>) = run.waiting(hop).into_iter().partition(at_target);
    // The checks name what is wrong with a disputed master; any node will do to ask them about.
    let master = snapshot.agreed_master();
    let due = master.and_then(|master| next_turn(&below, master)).or(below.first().copied());
    let Some(node) = due.or(there.first().copied()) else {
        return GateVerdict::Held(vec!["no node waits in this hop".to_owned()]);
    };
    let stage = Stage::Gate { node, to: planned.to };
    let accepted = &run.plan.accepted;
    let context =
        Context { snapshot, table, catalogue: &[], signed: None, stage, accepted, run: Some(&run.id), now };
    let halts = if there.is_empty() { halts(node, snapshot) } else { Vec::new() };
    let cleared = match gate(&context) {
        Ok(cleared) if halts.is_empty() => cleared,
        Ok(_) => return GateVerdict::Held(halts),
        Err(findings) => {
            let blocking = findings.iter().filter(|finding| finding.blocks());
            return GateVerdict::Held(blocking.map(ToString::to_string).chain(halts).collect());
        }
    };
    let known = |node: NodeUid| installed.get(&node).copied().flatten();
    let event = match (there.first(), master, known(cleared.node())) {
        (Some(node), _, _) => known(*node).map(|version| Event::SeenAtTarget { hop, node: *node, version }),
        (None, Some(master), Some(from)) => Some(passed(hop, cleared.node(), from, master, snapshot)),
        (None, _, _) => None,
    };
    match event {
        Some(event) => GateVerdict::Clear(Box::new(event)),
        None => GateVerdict::Held(vec!["the master or a version is not known".to_owned()]),
    }
}

/// Why a node would refuse its install, by its own word. It may not have heard yet that a halt was lifted, so the turn
/// waits for that; orders that are refused again and again would end the run instead.
fn halts(node: NodeUid, snapshot: &Snapshot) -> Vec<String> {
    let halts = snapshot.node(node).map(|witness| witness.facts.halts.as_slice()).unwrap_or_default();
    let reason = |NodeHalt { source, halt }: &NodeHalt| {
        let (what, remedy) = match source.as_str() {
            NodeHalt::FLEET => ("the fleet was halted".to_owned(), "ratchet halt --lift".to_owned()),
            other => (format!("{other} was halted"), format!("ratchet rollout resume {other}")),
        };
        let (by, at, why) = (&halt.by, halt.at, &halt.why);
        format!("{node} begins no installer: {what} by {by} at {at:.0}: {why}; when it is safe: {remedy}")
    };
    halts.iter().map(reason).collect()
}

fn passed(hop: usize, node: NodeUid, from: Version, master: NodeUid, snapshot: &Snapshot) -> Event {
    let role = if node == master { NodeRole::Master } else { NodeRole::Replica };
    Event::GatePassed { hop, node, from, role, master, observed_at: snapshot.at }
}

/// Whether a node is at the hop's target and healthy, as it and others see it (promise P9). The error is why not.
pub fn judge_witness(
    run: &Run,
    hop: usize,
    node: NodeUid,
    snapshot: &Snapshot,
) -> Result<Event, Vec<String>> {
    let target =
        run.plan.hops.get(hop).map(|planned| planned.to).ok_or_else(|| vec!["no such hop".to_owned()])?;
    let mut against = own_word(node, target, snapshot);
    let others = snapshot.views_of_others(node);
    let mut by = vec![node];
    for (witness, view) in &others {
        let objections = objections(node, target, view);
        if objections.is_empty() {
            by.push(*witness);
        }
        against.extend(objections.into_iter().map(|objection| format!("{witness} says: {objection}")));
    }
    if run.nodes.len() > 1 && by.len() == 1 && against.is_empty() {
        against.push(format!("no agent other than that of {node} answers"));
    }
    let Some(master) = snapshot.agreed_master() else {
        against.push("the agents do not agree on the master, or not all of them answer".to_owned());
        return Err(against);
    };
    match against.is_empty() {
        true => Ok(Event::Witnessed { hop, node, by, master }),
        false => Err(against),
    }
}

fn own_word(node: NodeUid, target: Version, snapshot: &Snapshot) -> Vec<String> {
    let Some(witness) = snapshot.node(node) else {
        return vec![format!("the agent of {node} does not answer")];
    };
    let mut against = match witness.facts.installed.as_result() {
        Ok(installed) if installed.version == target => Vec::new(),
        Ok(installed) => vec![format!("{node} is at {}, not at {target}", installed.version)],
        Err(reason) => vec![format!("the version of {node} cannot be read: {reason}")],
    };
    match witness.facts.view.as_result() {
        Ok(view) => against.extend(objections(node, target, view)),
        Err(reason) => against.push(format!("{node} cannot see its cluster: {reason}")),
    }
    against
}

/// What a view has against a node being through.
fn objections(node: NodeUid, target: Version, view: &proto::ClusterView) -> Vec<String> {
    let mut against: Vec<String> =
        view.faults().into_iter().map(|problem| format!("{}: {}", problem.subject, problem.saw)).collect();
    match view.node(node).map(|row| row.version) {
        Some(Some(version)) if version == target => {}
        Some(Some(version)) => against.push(format!("{node} is at {version}, not at {target}")),
        Some(None) => against.push(format!("the version of {node} is not readable")),
        None => against.push(format!("{node} is not listed")),
    }
    against
}
