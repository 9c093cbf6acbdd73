//! Waiting for the cluster: the gate before a turn, and the witnesses after it.

use std::collections::BTreeSet;

use proto::wire::Observe;
use proto::{Fact, Failure, NodeUid, StepKind};

use super::admitting::Entry;
use super::driver::Driving;
use super::foreign::{judge_foreign, lost};
use super::hooking::Way;
use super::judge::{GateVerdict, judge_gate, judge_witness};
use super::retrying::Patience;
use super::{Event, Halt, Run, Wait};
use crate::fingerprint::{self, Change, Comparison};
use crate::observe::observe;
use crate::snapshot::Snapshot;

/// Whether nobody else has changed the cluster.
enum Unchanged {
    /// Nobody has.
    Yes,
    /// Somebody has, and the run is paused.
    No,
    /// It could not be read, with the reason.
    CannotTell(String),
}

/// What one look at the gate led to.
enum AtGate {
    /// It was passed, or something else is due.
    Over,
    /// Something stands in the way.
    Held(Vec<String>),
    /// Hooks were run: the cluster is looked at once more before the turn.
    LookAgain,
}

impl Driving {
    /// Looks at the whole cluster until it is clear whose turn it is, the time is up, or somebody wants a stop.
    pub(super) async fn gate(&self, hop: usize) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let mut patience = self.patience(&run, Wait::Gate);
        let mut told: Vec<String> = Vec::new();
        let mut hooked = BTreeSet::new();
        loop {
            let reasons = match self.admitted().await? {
                Entry::Left => return Ok(()),
                Entry::CannotTell(reason) => vec![reason],
                Entry::Open => match self.at_gate(&run, hop, &mut hooked, patience.is_over()).await? {
                    AtGate::Over => return Ok(()),
                    AtGate::Held(reasons) => reasons,
                    AtGate::LookAgain => {
                        patience.renew();
                        continue;
                    }
                },
            };
            if patience.is_over() {
                return self.halt(held_too_long(&run, &reasons)).await;
            }
            if gist(&reasons) != told {
                told = gist(&reasons);
                let gives_up_at = patience.gives_up_at();
                self.journal.append(Event::GateHeld { hop, reasons, gives_up_at }).await?;
            }
            if self.wait(&mut patience).await? {
                return Ok(());
            }
        }
    }

    /// Looks at the whole cluster once; passes the gate if nothing and nobody stands in the way.
    async fn at_gate(
        &self,
        run: &Run,
        hop: usize,
        hooked: &mut BTreeSet<NodeUid>,
        is_over: bool,
    ) -> Result<AtGate, Failure> {
        let snapshot = self.look_for(run, &fingerprint::FACTS).await?;
        let event = match judge_gate(run, hop, &snapshot, &self.world.table, self.world.clock.now()) {
            GateVerdict::Clear(event) => event,
            GateVerdict::Contradicted(halt) => return self.halt(*halt).await.map(|()| AtGate::Over),
            GateVerdict::Held(reasons) => return Ok(AtGate::Held(reasons)),
        };
        match self.unchanged(run, &snapshot, is_over).await? {
            Unchanged::No => Ok(AtGate::Over),
            Unchanged::CannotTell(reason) => Ok(AtGate::Held(vec![reason])),
            Unchanged::Yes => match self.before_turn(run, &event, hooked).await? {
                Way::Begin => self.pass(*event).await,
                Way::Leave => Ok(AtGate::Over),
                Way::LookAgain => Ok(AtGate::LookAgain),
            },
        }
    }

    /// Hooks may have taken long: whoever has a say is asked once more.
    async fn pass(&self, event: Event) -> Result<AtGate, Failure> {
        match self.admitted().await? {
            Entry::Open => self.journal.append(event).await.map(|()| AtGate::Over),
            Entry::Left => Ok(AtGate::Over),
            Entry::CannotTell(reason) => Ok(AtGate::Held(vec![reason])),
        }
    }

    /// Looks at the whole cluster until others see the node at the target and healthy, or the time is up.
    pub(super) async fn witness(&self, hop: usize, node: NodeUid) -> Result<(), Failure> {
        let run = self.journal.state().await;
        let mut patience = self.patience(&run, Wait::Witness);
        patience.about(node);
        let mut told: Vec<String> = Vec::new();
        loop {
            let snapshot = self.look(&run).await?;
            let reasons = match judge_witness(&run, hop, node, &snapshot) {
                Ok(event) if self.after_turn(&run, hop, node).await? => {
                    return self.journal.append(event).await;
                }
                Ok(_) => return Ok(()),
                Err(reasons) => reasons,
            };
            if patience.is_over() {
                return self.halt(unwitnessed(&run, node, &reasons)).await;
            }
            // A turn is not left half-way: whoever wants a stop waits for its end.
            if reasons == told {
                self.wait(&mut patience).await?;
            } else {
                told = reasons;
                self.minding_requests(self.pause_for_retry(&mut patience, told.join("; "))).await??;
            }
        }
    }

    /// Whether the cluster is configured as it was; if somebody else has changed it, the run is paused. What cannot be read
    /// is waited for, and at last left to a person too.
    async fn unchanged(&self, run: &Run, snapshot: &Snapshot, is_over: bool) -> Result<Unchanged, Failure> {
        let changes = match judge_foreign(run, snapshot) {
            Comparison::Same => return Ok(Unchanged::Yes),
            Comparison::Changed(changes) => changes,
            Comparison::CannotTell(keys) if is_over => lost(run, &keys),
            Comparison::CannotTell(keys) => return Ok(Unchanged::CannotTell(unread(&keys))),
        };
        self.foreign(snapshot, changes).await?;
        Ok(Unchanged::No)
    }

    /// Pauses until a person has acknowledged what somebody else has changed. Others may have asked for something
    /// meanwhile that leaves nothing to pause.
    async fn foreign(&self, snapshot: &Snapshot, changes: Vec<Change>) -> Result<(), Failure> {
        self.journal.append_if_legal(Event::ForeignChange { seen_at: snapshot.at, changes }).await.map(drop)
    }

    fn patience(&self, run: &Run, wait: Wait) -> Patience {
        Patience::new(&self.world.clock, wait, run.deadlines.of(wait)).settling()
    }

    pub(super) async fn look(&self, run: &Run) -> Result<Snapshot, Failure> {
        self.look_for(run, &[]).await
    }

    async fn look_for(&self, run: &Run, facts: &[Fact]) -> Result<Snapshot, Failure> {
        let addresses: Vec<String> = run.plan.nodes.iter().map(|node| node.agent.clone()).collect();
        let (agents, cluster) = (&self.world.agents, &run.plan.cluster);
        let request = Observe { facts: facts.to_vec(), ..Observe::default() };
        let look = observe(agents, cluster, &addresses, &request, &self.world.clock);
        self.minding_requests(look).await
    }

    /// Waits a moment; `true` if somebody wants a stop.
    async fn wait(&self, patience: &mut Patience) -> Result<bool, Failure> {
        self.minding_requests(tokio::time::sleep(patience.next_pause())).await?;
        self.journal.take_requests().await?;
        Ok(self.journal.stop_wanted().await)
    }
}

/// Reasons without what changes at every look, such as how many seconds ago a node was last seen.
fn gist(reasons: &[String]) -> Vec<String> {
    let seconds = |word: &str| word.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
    let gist = |reason: &String| {
        let words: Vec<&str> = reason.split_whitespace().filter(|word| !seconds(word)).collect();
        words.join(" ")
    };
    reasons.iter().map(gist).collect()
}

fn unread(keys: &[(String, String)]) -> String {
    let (key, reason) = keys.first().map_or(("", ""), |(key, reason)| (key.as_str(), reason.as_str()));
    let more = keys.len().saturating_sub(1);
    format!(
        "whether somebody has changed the configuration cannot be told: {key} and {more} others: {reason}"
    )
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
