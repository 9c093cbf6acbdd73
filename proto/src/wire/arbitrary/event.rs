//! Any event of a step.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{cluster_view, failure, installed_version, rlcheck, step_id, step_kind, text, texts, timestamp};
use crate::*;

prop_compose! {
    fn checked()(rlcheck in rlcheck(), view in cluster_view()) -> Checked {
        Checked { rlcheck, view }
    }
}

fn exit() -> impl Strategy<Value = Exit> {
    prop_oneof![any::<i32>().prop_map(Exit::Code), any::<i32>().prop_map(Exit::Signal), Just(Exit::Deadline)]
}

prop_compose! {
    fn installed()(
        exit in exit(), took_ms in any::<u64>(), log_says_complete in any::<bool>(), log_errors in texts(),
        log_path in text(),
    ) -> Installed {
        Installed { exit, took_ms, log_says_complete, log_errors, log_path }
    }
}

prop_compose! {
    fn authenticity()(
        layer in prop::sample::select(vec![Layer::Sha256, Layer::Owner, Layer::Vendor, Layer::Version]),
        verdict in prop::sample::select(vec![
            LayerVerdict::Verified, LayerVerdict::NotAsked, LayerVerdict::NotChecked, LayerVerdict::Failed,
        ]),
        detail in text(),
    ) -> Authenticity {
        Authenticity { layer, verdict, detail }
    }
}

fn report() -> impl Strategy<Value = StepReport> {
    prop_oneof![
        (any::<u64>(), text()).prop_map(|(size, source)| StepReport::Fetch { size, source }),
        (any::<(u64, u64)>(), vec(authenticity(), 0..4))
            .prop_map(|((files, size), authenticity)| StepReport::Unpack { files, size, authenticity }),
        checked().prop_map(StepReport::Check),
        installed().prop_map(StepReport::Install),
        (installed_version(), checked())
            .prop_map(|(installed, checked)| StepReport::Confirm { installed, checked }),
        (text(), any::<u64>()).prop_map(|(path, size)| StepReport::Collect { path, size }),
        Just(StepReport::Restart),
        any::<u64>().prop_map(|now| StepReport::Tune { now }),
    ]
}

fn outcome() -> impl Strategy<Value = StepOutcome> {
    prop_oneof![
        3 => (report(), texts()).prop_map(|(report, warnings)| StepOutcome::Completed { report, warnings }),
        1 => failure().prop_map(StepOutcome::Failed),
        1 => text().prop_map(StepOutcome::Interrupted),
        1 => Just(StepOutcome::Cancelled),
    ]
}

fn progress() -> impl Strategy<Value = StepProgress> {
    prop_oneof![
        1 => any::<bool>().prop_map(|resumed| StepProgress::Started { resumed }),
        1 => (text(), any::<u64>(), any::<Option<u64>>())
            .prop_map(|(doing, done, total)| StepProgress::Moved { doing, done, total }),
        1 => text().prop_map(StepProgress::Output),
        1 => (text(), timestamp(), timestamp())
            .prop_map(|(cause, next_at, gives_up_at)| StepProgress::Retry { cause, next_at, gives_up_at }),
        4 => outcome().prop_map(|outcome| StepProgress::Finished(Box::new(outcome))),
    ]
}

prop_compose! {
    pub(crate) fn step_event()(
        step in step_id(), seq in any::<u64>(), at in timestamp(), what in progress(),
    ) -> StepEvent {
        StepEvent { step, seq, at, what }
    }
}

prop_compose! {
    pub(crate) fn step_history()(
        step in step_id(), kind in step_kind(), accepted_at in timestamp(), ended in any::<bool>(),
        cut_bytes in any::<Option<u64>>(), events in vec(step_event(), 0..3),
    ) -> StepHistory {
        StepHistory { step, kind, accepted_at, ended, cut_bytes, events }
    }
}
