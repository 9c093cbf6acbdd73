//! Running hooks at the points of a run: those of a turn may shut its gate or hold its end, the others are only told.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use proto::{Failure, HookCall, HookHalt, HookHop, HookNode, HookOutcome, HookPoint, HookVerdict, NodeUid};
use tokio::time::Instant;

use super::driver::{Driving, agent_of, is_superseded};
use super::retrying::Patience;
use super::{Event, Halt, Phase, Run, RunEnd, Wait};
use crate::agents::is_unreachable;
use crate::hooks::{HookedNode, blocking, call, not_run, of_node};

/// What the hooks of a turn mean for it.
enum Word {
    /// There are none.
    Nothing,
    /// None stands in the way.
    GoOn,
    /// One stands in the way, and the run has halted.
    Halted,
}

/// What becomes of a gate that has cleared a node.
pub(super) enum Way {
    /// The turn begins.
    Begin,
    /// Hooks took their time: the cluster is looked at again before the turn begins (promise P4).
    LookAgain,
    /// It does not begin now.
    Leave,
}

impl Driving {
    /// Runs the hooks before the turn that an event begins, for each node once at a gate.
    pub(super) async fn before_turn(
        &self,
        run: &Run,
        event: &Event,
        asked: &mut BTreeSet<NodeUid>,
    ) -> Result<Way, Failure> {
        let Event::GatePassed { hop, node, .. } = event else { return Ok(Way::Begin) };
        if !asked.insert(*node) {
            return Ok(Way::Begin);
        }
        match self.of_turn(run, HookPoint::BeforeTurn, *hop, *node).await? {
            Word::Nothing => Ok(Way::Begin),
            Word::GoOn if self.journal.stop_wanted().await => Ok(Way::Leave),
            Word::GoOn => Ok(Way::LookAgain),
            Word::Halted => Ok(Way::Leave),
        }
    }

    /// Runs the hooks after a turn; `false` if one holds its end, and the run has halted.
    pub(super) async fn after_turn(&self, run: &Run, hop: usize, node: NodeUid) -> Result<bool, Failure> {
        Ok(!matches!(self.of_turn(run, HookPoint::AfterTurn, hop, node).await?, Word::Halted))
    }

    /// Runs the hooks of the coordinator and of the node whose turn it is, and writes down what they say.
    async fn of_turn(&self, run: &Run, point: HookPoint, hop: usize, node: NodeUid) -> Result<Word, Failure> {
        let agent = agent_of(run, node)?;
        let place = HookedNode { uid: Some(node), agent: agent.clone() };
        let hop = run.plan.hops.get(hop).map(|hop| HookHop { from: hop.from, to: hop.to });
        let call = HookCall { node: Some(HookNode { uid: node, agent }), hop, ..of_run(run, point) };
        let limit = run.deadlines.of(Wait::Hook);
        let until = Instant::now() + limit;
        let mut outcomes = self.minding_requests(self.world.hooks.run(&call, limit)).await?;
        outcomes.extend(self.minding_requests(self.of_its_node(&place, &call, until)).await??);
        if outcomes.is_empty() {
            return Ok(Word::Nothing);
        }
        self.journal.append(Event::Hooked { outcomes: outcomes.clone() }).await?;
        let blocking = blocking(&outcomes, &run.plan.accepted);
        if blocking.is_empty() {
            return Ok(Word::GoOn);
        }
        self.halt(shut(run, point, node, &blocking)).await?;
        Ok(Word::Halted)
    }

    /// A turn is not halted because of a connection that breaks: its hooks are asked for again until the time is up.
    async fn of_its_node(
        &self,
        place: &HookedNode,
        call: &HookCall,
        until: Instant,
    ) -> Result<Vec<HookOutcome>, Failure> {
        let left = || until.saturating_duration_since(Instant::now());
        let mut patience = Patience::new(&self.world.clock, Wait::Hook, left());
        if let Some(node) = place.uid {
            patience.about(node);
        }
        let ask = || of_node(&self.world.agents, place, call, Some(self.authority()), left());
        match self.persist(patience, ask).await? {
            Err(failure) if is_superseded(&failure) => Err(failure),
            Err(failure) => Ok(vec![not_run(call, place, &failure)]),
            Ok(outcomes) => Ok(outcomes),
        }
    }

    /// Runs the hooks of a run that has halted. They can change nothing any more.
    pub(super) async fn on_halt(&self) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let Phase::Halted(halt) = &run.phase else { return Ok(()) };
        let Failure { id, message, cause, remedy, .. } = halt.failure.clone();
        let halt = HookHalt { id, message, cause, remedy, node: halt.node };
        let call = HookCall { halt: Some(halt), ..of_run(&run, HookPoint::OnHalt) };
        self.of_all(&run, &call).await.map(drop)
    }

    /// Runs the hooks of a run that is about to be over; what a person should know of them.
    pub(super) async fn after_run(&self, run: &Run, end: &RunEnd) -> Result<Vec<String>, Failure> {
        let outcome = match end {
            RunEnd::Done => "done",
            RunEnd::Aborted => "aborted",
            RunEnd::Blocked(_) => "blocked",
        };
        let call = HookCall { outcome: Some(outcome.to_owned()), ..of_run(run, HookPoint::AfterRun) };
        let outcomes = self.of_all(run, &call).await?;
        let worth_knowing = outcomes.iter().filter(|outcome| outcome.verdict != HookVerdict::Pass);
        Ok(worth_knowing.map(|outcome| format!("{}: {}", named(outcome), outcome.said())).collect())
    }

    /// Runs the hooks of the coordinator, then side by side those of all nodes, and writes down what they say. Of a node
    /// that cannot be reached nothing is known: whether it has hooks at all is only for its agent to say. One that obeys a
    /// later driver is none of this run's any more, which takes nothing from what the run has done.
    async fn of_all(&self, run: &Run, call: &HookCall) -> Result<Vec<HookOutcome>, Failure> {
        let limit = run.deadlines.of(Wait::Hook);
        let until = Instant::now() + limit;
        let mut outcomes = self.minding_requests(self.world.hooks.run(call, limit)).await?;
        let left: Duration = until.saturating_duration_since(Instant::now());
        let nodes: Vec<HookedNode> = run
            .plan
            .nodes
            .iter()
            .map(|node| HookedNode { uid: Some(node.uid), agent: node.agent.clone() })
            .collect();
        let asked =
            nodes.iter().map(|node| of_node(&self.world.agents, node, call, Some(self.authority()), left));
        for (node, answer) in nodes.iter().zip(self.minding_requests(join_all(asked)).await?) {
            match answer {
                Ok(of_node) => outcomes.extend(of_node),
                Err(failure) if is_unreachable(&failure) => {
                    tracing::warn!(run = %run.id, point = %call.point, agent = node.agent, %failure, "no hooks were run");
                }
                Err(failure) => outcomes.push(not_run(call, node, &failure)),
            }
        }
        if !outcomes.is_empty() {
            self.journal.append(Event::Hooked { outcomes: outcomes.clone() }).await?;
        }
        Ok(outcomes)
    }
}

fn of_run(run: &Run, point: HookPoint) -> HookCall {
    call(point, &run.plan.cluster, run.plan.target, Some(&run.id))
}

/// A hook for people, with its point and its place. One that has the point's own name stands for all of them.
fn named(outcome: &HookOutcome) -> String {
    let (name, point, place) = (&outcome.name, outcome.point, outcome.place());
    if name == point.word() {
        return format!("asking for hooks ({point}, on {place})");
    }
    format!("hook {name} ({point}, on {place})")
}

fn shut(run: &Run, point: HookPoint, node: NodeUid, blocking: &[&HookOutcome]) -> Halt {
    let names: Vec<String> = blocking.iter().map(|outcome| named(outcome)).collect();
    let what = if point == HookPoint::BeforeTurn { "begin" } else { "end" };
    let do_not = if names.len() == 1 { "does not" } else { "do not" };
    let message = format!("{} {do_not} let the turn of {node} {what}", names.join(" and "));
    let said: Vec<String> = blocking.iter().map(|outcome| outcome.said()).collect();
    let remedies: BTreeSet<&str> = blocking.iter().filter_map(|outcome| outcome.remedy.as_deref()).collect();
    let remedy: Vec<&str> = remedies.into_iter().collect();
    let remedy = format!("{}, then: ratchet resume {}", remedy.join("; "), run.id);
    let failure = Failure::operator("hook-failed", message, remedy).because(said.join("; "));
    Halt { node: Some(node), step: None, failure }
}
