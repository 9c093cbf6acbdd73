//! A state of the model: a few bytes for everything that matters, and nothing else.

use proto::StepKind;
use serde::{Deserialize, Serialize};

use crate::look::{Look, NodeLook};
use crate::pure::Key;
use crate::rules::Held;
use crate::words::{Answer, Ask, End, Message, Order, What};

/// The most requests on their way at a time.
pub const NET: usize = 4;
/// The most hops.
pub const HOPS: usize = 3;

/// How much may still go wrong, and how often people may still act. Everything is finite because of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Coordinators that die.
    pub crashes: u8,
    /// Requests or connections that are lost.
    pub losses: u8,
    /// Requests that arrive twice.
    pub duplicates: u8,
    /// Moves of the master role.
    pub moves: u8,
    /// Steps that fail, and installers that do nothing.
    pub failures: u8,
    /// Nodes that lose power.
    pub outages: u8,
    /// Nodes whose product falls ill.
    pub illnesses: u8,
    /// Agents that are restarted.
    pub restarts: u8,
    /// Coordinators that take over from one that is alive.
    pub seizures: u8,
    /// What people ask.
    pub asks: u8,
    /// Agents that lose their state directory.
    pub wipes: u8,
    /// Nodes that another coordinator's run takes.
    pub takings: u8,
}

/// A coordinator's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Coordinator {
    /// The run, as it knows it.
    pub run: Key,
    /// Its epoch.
    pub epoch: u8,
    /// What it is doing.
    pub doing: Doing,
}

/// A request of a coordinator that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// To which node.
    pub node: u8,
    /// What.
    pub what: What,
}

/// What a coordinator is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doing {
    /// It has the lease; that it drives is not written yet.
    Opening(Ask),
    /// It drives; what was asked for is not written yet.
    Asking(Ask),
    /// It decides what is due.
    Idle,
    /// It waits for an answer.
    Waiting(Sent),
    /// It listens to a step that its agent has taken.
    Listening(Order),
    /// Its connection was lost.
    Lost(Sent),
    /// It has the answer; that is not written yet.
    Heard(Sent, Answer),
}

/// What an agent knows of one kind of exclusive step: the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Its hop and number; 0 for none.
    pub hop: u8,
    /// Its number.
    pub number: u8,
    /// How it ended, if it did.
    pub end: Option<End>,
}

/// What an agent's disk has of the installs of one hop, one bit an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Installs {
    /// Ordered.
    pub known: u16,
    /// Ordered with the expectation that the node is the master.
    pub role: u16,
    /// The op runner was launched and has not begun.
    pub launched: u16,
    /// `started.json` is there.
    pub started: u16,
    /// `result.json` is there.
    pub finished: u16,
    /// Its end is in the step's journal.
    pub ended: u16,
    /// The installer really began; only the promises look at it.
    pub begun: u16,
}

/// The exclusive step at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Running {
    /// The step.
    pub order: Order,
    /// The driver that ordered it.
    pub by: u8,
    /// Of an install: whether its op runner was launched, so that it is only followed.
    pub following: bool,
}

/// An agent and its node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Agent {
    /// Whose the node is.
    pub held: Held,
    /// Which memory the agent has.
    pub memory: u8,
    /// The last check, confirmation, restart and change of a setting.
    pub slots: [Slot; 4],
    /// Installs, by hop.
    pub installs: [Installs; HOPS],
    /// How the last install ended, by hop and attempt.
    pub last: Option<(u8, u8, End)>,
    /// What is at work.
    pub running: Option<Running>,
    /// The installer at work: its hop and attempt.
    pub op: Option<(u8, u8)>,
    /// The installed version, as a place on the way.
    pub version: u8,
    /// Whether the machine is off.
    pub off: bool,
    /// Whether the product is ill.
    pub ill: bool,
    /// The highest epoch whose order was carried out; only the promises look at it.
    pub obeyed: u8,
    /// Installers begun, by hop; only the promises look at it.
    pub begins: [u8; HOPS],
}

impl Agent {
    /// Whether the product is well.
    pub fn well(&self) -> bool {
        !self.off && !self.ill && self.op.is_none()
    }

    /// The slot of a kind of exclusive step.
    pub fn slot(&mut self, kind: StepKind) -> &mut Slot {
        let index = match kind {
            StepKind::Check => 0,
            StepKind::Confirm => 1,
            StepKind::Restart => 2,
            _ => 3,
        };
        &mut self.slots[index]
    }
}

/// Who has looked at a node before its install, and when: by epoch and node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Looked {
    /// The gate passed.
    pub gate: Option<(u8, u8)>,
    /// The node's own check passed after it.
    pub check: Option<(u8, u8)>,
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State<const N: usize> {
    /// The run as its journal leaves it.
    pub journal: Key,
    /// The epoch in the store.
    pub epoch: u8,
    /// A request in the store that the driver has not taken.
    pub asked: Option<Ask>,
    /// Two processes.
    pub coordinators: [Option<Coordinator>; 2],
    /// Requests on their way, sorted.
    pub net: [Option<Message>; NET],
    /// The nodes and their agents.
    pub agents: [Agent; N],
    /// How many there are.
    pub nodes: u8,
    /// The master.
    pub master: u8,
    /// Whether the cluster's setting is changed.
    pub tuned: bool,
    /// The node between the start of its install and its confirmation.
    pub between: Option<u8>,
    /// Who looked before an install.
    pub looked: Looked,
    /// Whose order for an install was sent last, by epoch and node; only the promises look at it.
    pub sent: Option<(u8, u8)>,
    /// Retries that a person asked for.
    pub retries: u8,
    /// What may still happen.
    pub budget: Budget,
}

impl<const N: usize> State<N> {
    /// The nodes in use.
    pub fn agents(&self) -> &[Agent] {
        &self.agents[..usize::from(self.nodes)]
    }

    /// A node.
    pub fn agent(&mut self, node: u8) -> &mut Agent {
        &mut self.agents[usize::from(node)]
    }

    /// Requests on their way.
    pub fn messages(&self) -> impl Iterator<Item = Message> {
        self.net.iter().flatten().copied()
    }

    /// Puts a request on its way; `false` if there is no room.
    pub fn send(&mut self, message: Message) -> bool {
        let Some(free) = self.net.iter_mut().find(|slot| slot.is_none()) else { return false };
        *free = Some(message);
        self.net.sort_unstable();
        true
    }

    /// Takes a request off its way; `false` if it was not there.
    pub fn take(&mut self, message: Message) -> bool {
        let Some(slot) = self.net.iter_mut().find(|slot| **slot == Some(message)) else { return false };
        *slot = None;
        self.net.sort_unstable();
        true
    }

    /// What all agents would say now.
    pub fn look(&self) -> Look {
        let node = |agent: &Agent| NodeLook {
            version: agent.version,
            answers: !agent.off,
            well: agent.well(),
            claim: agent.held.by,
            busy: agent.running.is_some(),
            believed: false,
        };
        Look { master: self.master, nodes: self.agents().iter().map(node).collect() }
    }

    /// A number for a look, if one is small enough for that.
    pub fn code(look: &Look) -> Option<u64> {
        let fits = look.nodes.len() <= 7;
        let node = |node: &NodeLook| {
            let flags = [node.answers, node.well, node.busy, node.believed];
            let flags = flags.iter().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
            flags << 4 | u64::from(node.claim) << 2 | u64::from(node.version)
        };
        fits.then(|| look.nodes.iter().fold(u64::from(look.master), |code, look| code << 8 | node(look)))
    }

    /// Whether all nodes are well and idle.
    pub fn all_well(&self) -> bool {
        self.agents().iter().all(Agent::well)
    }
}
