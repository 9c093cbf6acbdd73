//! Settings that are changed for a run and put back on every way out of it (promise P13).

use proto::{Failure, NodeUid, Setting, StepId, StepKind, StepSpec};

use super::orders::failure_of;
use crate::run::{Action, Halt, Run, RunEnd, SideEffect, StepEntry, StepOrder};

/// What is due before the first gate: the original of each planned setting written down, then the setting changed.
pub(super) fn change_settings(run: &Run) -> Option<Action> {
    run.plan.settings.iter().find_map(|planned| {
        let Some(effect) = run.settings.get(&planned.setting) else {
            return Some(Action::Record(planned.setting));
        };
        let due = effect.open() && !tuned(run, planned.setting, effect.wanted);
        due.then(|| change(run, planned.setting, effect.wanted)).flatten()
    })
}

fn change(run: &Run, setting: Setting, wanted: u64) -> Option<Action> {
    let node = *run.nodes.keys().next()?;
    Some(match failed(run, setting, wanted).next() {
        Some((node, failure)) => Action::Halt(Halt { node: Some(node), step: Some(StepKind::Tune), failure }),
        None => Action::Execute(tune(run, node, setting, wanted)),
    })
}

/// What is due before a run may end: each changed setting has its original value again. An agent that cannot do it is
/// followed by the next one; when none can, the run waits for a person. Whoever aborts a second time gets his way: the
/// run ends and says what it leaves behind.
pub(super) fn restore_settings(run: &Run, end: &RunEnd) -> Option<Action> {
    run.open_settings().find_map(|(setting, effect)| restore(run, setting, effect, end))
}

fn restore(run: &Run, setting: Setting, effect: &SideEffect, end: &RunEnd) -> Option<Action> {
    if tuned(run, setting, effect.original) {
        return Some(Action::Restored(setting));
    }
    let failures: Vec<(NodeUid, Failure)> = failed(run, setting, effect.original).collect();
    match (run.nodes.keys().nth(failures.len()), failures.last()) {
        (Some(node), _) => Some(Action::Execute(tune(run, *node, setting, effect.original))),
        (None, Some((node, failure))) if *end == RunEnd::Done || !run.insists_on_abort() => {
            Some(Action::Halt(not_restored(run, *node, setting, effect, failure)))
        }
        (None, _) => None,
    }
}

fn not_restored(run: &Run, node: NodeUid, setting: Setting, effect: &SideEffect, failure: &Failure) -> Halt {
    let message = format!("{setting} could not be put back to {}", effect.original);
    let remedy = format!(
        "see that rladmin answers on a node, then: ratchet resume {0}; or leave it changed: ratchet abort {0}, and put it \
         back with {1}",
        run.id,
        by_hand(setting, effect)
    );
    let failure = Failure::operator("setting-not-restored", message, remedy).because(failure.to_string());
    Halt { node: Some(node), step: Some(StepKind::Tune), failure }
}

/// How a person puts a setting back.
pub(in crate::run) fn by_hand(setting: Setting, effect: &SideEffect) -> String {
    format!("rladmin tune cluster {setting} {}", effect.original)
}

/// Whether an agent has given a setting this value.
fn tuned(run: &Run, setting: Setting, value: u64) -> bool {
    of(run, setting, value).any(|(_, entry)| entry.completed())
}

/// Agents that could not, since a person last had a say.
fn failed(run: &Run, setting: Setting, value: u64) -> impl Iterator<Item = (NodeUid, Failure)> {
    of(run, setting, value)
        .filter(|(_, entry)| entry.told == run.told)
        .filter_map(|(step, entry)| Some((entry.node, failure_of(run, step)?)))
}

fn of(run: &Run, setting: Setting, value: u64) -> impl Iterator<Item = (&StepId, &StepEntry)> {
    run.ledger.iter().filter(move |(_, entry)| entry.spec == StepSpec::Tune { setting, value })
}

/// The order that gives a setting a value: the one in flight, or one with a new number.
fn tune(run: &Run, node: NodeUid, setting: Setting, value: u64) -> StepOrder {
    if let Some((step, entry)) = of(run, setting, value).find(|(_, entry)| entry.in_flight()) {
        let StepEntry { node, hop, ref spec, .. } = *entry;
        return StepOrder { step: step.clone(), node, hop, spec: spec.clone(), new: false };
    }
    let hop = run.hop().map_or(0, |(hop, _)| hop);
    let step = StepId::of(&run.id, hop, node, StepKind::Tune, run.ledger.count(StepKind::Tune) + 1);
    StepOrder { step, node, hop, spec: StepSpec::Tune { setting, value }, new: true }
}
