//! Waiting for the cluster: the gate before a turn, and the witnesses after it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto::wire::Observe;
use proto::{Failure, NodeUid, StepKind};

use super::backoff::Backoff;
use super::driver::Driving;
use super::judge::{GateVerdict, judge_gate, judge_witness};
use super::{Event, Halt, Run};
use crate::observe::observe;
use crate::snapshot::Snapshot;

impl Driving {
    /// Looks at the whole cluster until it is clear whose turn it is, the time is up, or somebody wants a stop.
    pub(super) async fn gate(&self, hop: usize) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let gives_up_at = later(Timestamp::now(), run.deadlines.gate);
        let mut pause = Backoff::settling();
        let mut told: Vec<String> = Vec::new();
        loop {
            let snapshot = self.look(&run).await?;
            let reasons = match judge_gate(&run, hop, &snapshot, &self.world.table, Timestamp::now()) {
                GateVerdict::Clear(event) => return self.journal.append(*event).await,
                GateVerdict::Held(reasons) => reasons,
            };
            if snapshot.at >= gives_up_at {
                return self.halt(held_too_long(&run, &reasons)).await;
            }
            if reasons != told {
                told.clone_from(&reasons);
                self.journal.append(Event::GateHeld { hop, reasons, gives_up_at }).await?;
            }
            if self.wait(&mut pause).await? {
                return Ok(());
            }
        }
    }

    /// Looks at the whole cluster until others see the node at the target and healthy, or the time is up.
    pub(super) async fn witness(&self, hop: usize, node: NodeUid) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let gives_up_at = later(Timestamp::now(), run.deadlines.confirm);
        let mut pause = Backoff::settling();
        loop {
            let snapshot = self.look(&run).await?;
            match judge_witness(&run, hop, node, &snapshot) {
                Ok(event) => return self.journal.append(event).await,
                Err(reasons) if snapshot.at >= gives_up_at => {
                    return self.halt(unwitnessed(&run, node, &reasons)).await;
                }
                Err(reasons) => tracing::debug!(%node, ?reasons, "not witnessed yet"),
            }
            // A turn is not left half-way: whoever wants a stop waits for its end.
            self.wait(&mut pause).await?;
        }
    }

    pub(super) async fn look(&self, run: &Run) -> Result<Snapshot, Failure> {
        let addresses: Vec<String> = run.plan.nodes.iter().map(|node| node.agent.clone()).collect();
        let (agents, cluster) = (&self.world.agents, &run.plan.cluster);
        self.minding_requests(observe(agents, cluster, &addresses, &Observe::default())).await
    }

    /// Waits a moment; `true` if somebody wants a stop.
    async fn wait(&self, pause: &mut Backoff) -> Result<bool, Failure> {
        self.minding_requests(tokio::time::sleep(pause.next_pause())).await?;
        self.journal.take_requests().await?;
        Ok(self.journal.stop_wanted().await)
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

fn held_too_long(run: &Run, reasons: &[String]) -> Halt {
    let message = format!("the gate before the next turn stayed shut for {} s", run.deadlines.gate.as_secs());
    let remedy = format!("put right what is named here, then: ratchet resume {}", run.id);
    Halt {
        node: None,
        step: None,
        failure: Failure::operator("gate-shut", message, remedy).because(reasons.join("; ")),
    }
}

fn unwitnessed(run: &Run, node: NodeUid, reasons: &[String]) -> Halt {
    let message = format!("{node} says that it is at the target and healthy, but the cluster does not agree");
    let remedy = format!("put right what is named here, then: ratchet resume {}", run.id);
    Halt {
        node: Some(node),
        step: Some(StepKind::Confirm),
        failure: Failure::operator("not-witnessed", message, remedy).because(reasons.join("; ")),
    }
}
