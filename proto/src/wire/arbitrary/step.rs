//! Any step and any request.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{
    authority, claim, cluster_name, duration, epoch, fact, halt, memory, node_halt, node_role, node_uid,
    package, run_id, sha256, step_id, text, texts, version,
};
use crate::wire::{
    CancelStep, Claimed, Execute, HaltsNow, Histories, Observe, SetHalt, TakeClaim, TakeOver, TakenOver,
};
use crate::*;

pub(crate) fn step_kind() -> impl Strategy<Value = StepKind> {
    select(StepKind::ALL.to_vec())
}

pub(crate) fn setting() -> impl Strategy<Value = Setting> {
    select(Setting::ALL.to_vec())
}

prop_compose! {
    fn install_spec()(
        unpacked_by in step_id(), package in sha256(), target in version(), expected_installed in version(),
        expected_role in option::of(node_role()), args in texts(), deadline in option::of(duration()),
    ) -> InstallSpec {
        InstallSpec { unpacked_by, package, target, expected_installed, expected_role, args, deadline }
    }
}

pub(crate) fn step_spec() -> impl Strategy<Value = StepSpec> {
    prop_oneof![
        (package(), any::<Option<u64>>())
            .prop_map(|(package, rate_limit)| StepSpec::Fetch { package, rate_limit }),
        (sha256(), version()).prop_map(|(package, version)| StepSpec::Unpack { package, version }),
        Just(StepSpec::Check),
        install_spec().prop_map(StepSpec::Install),
        (version(), duration()).prop_map(|(target, deadline)| StepSpec::Confirm { target, deadline }),
        step_id().prop_map(|about| StepSpec::Collect { about }),
        Just(StepSpec::Restart { service: RestartableService::CnmExec }),
        (setting(), any::<u64>()).prop_map(|(setting, value)| StepSpec::Tune { setting, value }),
    ]
}

prop_compose! {
    pub(crate) fn execute()(
        authority in authority(), step in step_id(), spec in step_spec(), from_seq in 1..=u64::MAX,
        only_join in any::<bool>(),
    ) -> Execute {
        Execute { authority, step, spec, from_seq, only_join }
    }
}

prop_compose! {
    pub(crate) fn take_claim()(
        run in run_id(), cluster in cluster_name(), epoch in epoch(), holder in text(),
        expected_node in option::of(node_uid()),
    ) -> TakeClaim {
        TakeClaim { run, cluster, epoch, holder, expected_node }
    }
}

prop_compose! {
    pub(crate) fn cancel_step()(authority in authority(), step in step_id()) -> CancelStep {
        CancelStep { authority, step }
    }
}

prop_compose! {
    pub(crate) fn observe()(
        run_rlcheck in any::<bool>(), sources in texts(), facts in vec(fact(), 0..3),
    ) -> Observe {
        Observe { run_rlcheck, sources, facts }
    }
}

prop_compose! {
    pub(crate) fn set_halt()(source in text(), number in any::<u64>(), halt in option::of(halt())) -> SetHalt {
        SetHalt { source, number, halt }
    }
}

prop_compose! {
    pub(crate) fn halts_now()(halts in vec(node_halt(), 0..3)) -> HaltsNow {
        HaltsNow { halts }
    }
}

prop_compose! {
    pub(crate) fn claimed()(claim in claim(), memory in memory()) -> Claimed {
        Claimed { claim, memory }
    }
}

prop_compose! {
    pub(crate) fn take_over()(
        cluster in cluster_name(), node in option::of(node_uid()), expected in option::of(run_id()),
        epoch in epoch(), holder in text(), run in option::of(run_id()), despite_install in any::<bool>(),
    ) -> TakeOver {
        TakeOver { cluster, node, expected, epoch, holder, run, despite_install }
    }
}

prop_compose! {
    pub(crate) fn taken_over()(before in option::of(claim()), memory in memory()) -> TakenOver {
        TakenOver { before, memory }
    }
}

prop_compose! {
    pub(crate) fn histories()(run in run_id()) -> Histories {
        Histories { run }
    }
}
