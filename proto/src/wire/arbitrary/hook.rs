//! Any hook.

use proptest::option;
use proptest::prelude::*;

use super::{authority, cluster_name, duration, node_uid, run_id, text, texts, version};
use crate::wire::RunHooks;
use crate::*;

fn point() -> impl Strategy<Value = HookPoint> {
    prop::sample::select(HookPoint::ALL.to_vec())
}

prop_compose! {
    fn node()(uid in node_uid(), agent in text()) -> HookNode {
        HookNode { uid, agent }
    }
}

prop_compose! {
    fn hop()(from in version(), to in version()) -> HookHop {
        HookHop { from, to }
    }
}

prop_compose! {
    fn halt()(
        id in text(), message in text(), cause in option::of(text()), remedy in option::of(text()),
        node in option::of(node_uid()),
    ) -> HookHalt {
        HookHalt { id, message, cause, remedy, node }
    }
}

prop_compose! {
    fn call()(
        point in point(), cluster in cluster_name(), target in version(), run in option::of(run_id()),
        node in option::of(node()), hop in option::of(hop()), halt in option::of(halt()), outcome in option::of(text()),
    ) -> HookCall {
        HookCall { point, cluster, target, run, node, hop, halt, outcome }
    }
}

prop_compose! {
    pub(crate) fn run_hooks()(
        call in call(), authority in option::of(authority()), deadline in duration(),
    ) -> RunHooks {
        RunHooks { call, authority, deadline }
    }
}

fn side() -> impl Strategy<Value = HookSide> {
    prop_oneof![Just(HookSide::Coordinator), Just(HookSide::Node)]
}

fn verdict() -> impl Strategy<Value = HookVerdict> {
    use HookVerdict::{Block, CannotTell, Pass, Warn};
    prop::sample::select(vec![Pass, Warn, Block, CannotTell])
}

prop_compose! {
    pub(crate) fn hook_outcome()(
        point in point(), side in side(), node in option::of(node_uid()), name in text(), verdict in verdict(),
        message in text(), remedy in option::of(text()), output_tail in texts(), took_ms in any::<u64>(),
    ) -> HookOutcome {
        HookOutcome { point, side, node, name, verdict, message, remedy, output_tail, took_ms }
    }
}
