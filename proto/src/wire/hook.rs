//! Hooks: what they are run for, and what became of them.

use std::time::Duration;

use super::WireError;
use super::field::{Field, record, word};
use crate::{
    Authority, HookCall, HookHalt, HookHop, HookNode, HookOutcome, HookPoint, HookSide, HookVerdict, pb,
};

/// Which hooks a node is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunHooks {
    /// What for.
    pub call: HookCall,
    /// The run and its epoch; `None` before a plan, where there is none.
    pub authority: Option<Authority>,
    /// How long all of them together may take.
    pub deadline: Duration,
}

word!(HookPoint { BeforePlan, BeforeTurn, AfterTurn, OnHalt, AfterRun });
word!(HookSide { Coordinator, Node });
word!(HookVerdict { Pass, Warn, Block, CannotTell });
record!(HookNode => HookNode { uid, agent });
record!(HookHop => HookHop { from, to });
record!(HookHalt => HookHalt { id, message, cause, remedy, node });
record!(HookCall => HookCall { point, cluster, target, run, node, hop, halt, outcome });
record!(HookOutcome => HookOutcome as "outcome" {
    point, side, node, name, verdict, message, remedy, output_tail, took_ms
});
record!(RunHooks => RunHooksRequest as "run_hooks" { call, authority, deadline });

impl From<&[HookOutcome]> for pb::RunHooksReply {
    fn from(outcomes: &[HookOutcome]) -> Self {
        Self { outcomes: outcomes.iter().map(Field::put).collect() }
    }
}

impl TryFrom<pb::RunHooksReply> for Vec<HookOutcome> {
    type Error = WireError;

    fn try_from(wire: pb::RunHooksReply) -> Result<Self, WireError> {
        Self::take(wire.outcomes).map_err(|error| error.within("run_hooks.outcomes"))
    }
}
