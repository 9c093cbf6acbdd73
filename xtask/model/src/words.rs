//! The small words of the model: what travels, what ends how, what is asked, what happens. All are a few bytes.

use proto::{Failure, StepKind};
use serde::{Deserialize, Serialize};

/// A step, as it is ordered of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Order {
    /// Its kind.
    pub kind: StepKind,
    /// The node, counted from 0.
    pub node: u8,
    /// The hop, counted from 0.
    pub hop: u8,
    /// The number at the end of its id.
    pub number: u8,
    /// Of an install: the version that must be installed just before, as a place on the way.
    pub from: u8,
    /// Of an install: whether the node must be the master just before. Of a change of a setting: whether it is put back.
    pub flag: bool,
    /// Whether it is only asked for: the agent begins nothing.
    pub join: bool,
}

/// What a coordinator asks of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum What {
    /// The claim.
    Claim,
    /// To take the claim back.
    Release,
    /// A step.
    Execute(Order),
}

/// A request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Message {
    /// The epoch of the driver that sent it.
    pub epoch: u8,
    /// To which node.
    pub node: u8,
    /// What it asks.
    pub what: What,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum End {
    /// It did what it was to do; an installer ended by itself.
    Completed,
    /// It could not, or its agent refused it.
    Failed(Trouble),
    /// It was cut off.
    Interrupted,
}

/// Why something was refused or failed. Each has the kind and the id of the real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trouble {
    /// The agent has obeyed a later driver.
    StaleEpoch,
    /// Another run holds the node.
    ClaimedByOther,
    /// The driver of this epoch has given the node back.
    GivenBack,
    /// The run does not hold the node at this epoch.
    NotClaimed,
    /// An install is at work.
    InstallInFlight,
    /// An exclusive step is at work.
    Busy,
    /// The agent was never given the step.
    NeverOrdered,
    /// The step is known, has not ended and is not at work.
    NotRunning,
    /// The agent does not answer.
    Unreachable,
    /// The role moved before the install.
    WrongRole,
    /// Another version is installed than expected.
    WrongVersion,
    /// The op runner was gone before it began.
    NotStarted,
    /// It was asked for before it had begun, and can never begin.
    Closed,
    /// The op runner found what was not ordered.
    OpRefused,
    /// The vendor's checks did not pass.
    Unhealthy,
    /// The node is not confirmed in time.
    NotConfirmed,
    /// A preparation failed for a reason that may pass.
    Passing,
    /// It failed for a reason that a person must put right.
    Lasting,
}

impl Trouble {
    /// The failure as the coordinator gets it.
    pub fn failure(self) -> Failure {
        let (passing, id) = self.kind_and_id();
        let message = format!("{self:?}");
        if passing { Failure::retry(id, message) } else { Failure::operator(id, message, "act") }
    }

    /// Whether it passes by itself, and the word for programs.
    pub fn kind_and_id(self) -> (bool, &'static str) {
        match self {
            Self::StaleEpoch => (false, "stale-epoch"),
            Self::ClaimedByOther => (false, "claimed-by-other"),
            Self::GivenBack => (false, "stale-epoch"),
            Self::NotClaimed => (false, "not-claimed"),
            Self::InstallInFlight => (true, "install-in-flight"),
            Self::Busy => (true, "busy"),
            Self::NeverOrdered => (false, "never-ordered"),
            Self::NotRunning => (false, "not-running"),
            Self::Unreachable => (true, "unreachable"),
            Self::WrongRole => (true, "wrong-role"),
            Self::WrongVersion => (false, "wrong-version"),
            Self::NotStarted => (false, "not-started"),
            Self::Closed => (true, "not-started"),
            Self::OpRefused => (false, "refused"),
            Self::Unhealthy => (false, "unhealthy"),
            Self::NotConfirmed => (false, "not-confirmed"),
            Self::Passing => (true, "passing"),
            Self::Lasting => (false, "lasting"),
        }
    }
}

/// What an agent answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// Yes; of a claim, with the memory that the agent has.
    Done(u8),
    /// No.
    Refused(Trouble),
    /// The step has ended.
    Ended(End),
}

/// What a person asks of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ask {
    /// Go on.
    Resume,
    /// Another attempt for the node that failed.
    Retry,
    /// Stand still.
    Pause,
    /// End.
    Abort,
}

/// What a judgement makes of a look at the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Seen {
    /// Not yet.
    Held,
    /// The journal and the world tell different stories.
    Contradicted,
    /// It is the turn of this node, seen at this version, with this master; `early` if the look is from before a breach.
    Passed {
        /// The hop.
        hop: u8,
        /// The node.
        node: u8,
        /// Its version.
        from: u8,
        /// The master.
        master: u8,
        /// Whether the look is old.
        early: bool,
    },
    /// This node needs no turn.
    AtTarget {
        /// The hop.
        hop: u8,
        /// The node.
        node: u8,
        /// Its version.
        version: u8,
    },
    /// Others see the node through; `alone` if nobody but itself was asked.
    Witnessed {
        /// The hop.
        hop: u8,
        /// The node.
        node: u8,
        /// The master.
        master: u8,
    },
}

/// What may be written into the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Happening {
    /// A driver took over.
    Driving,
    /// A person's request is taken.
    Asked(Ask),
    /// A claim was given, by an agent with this memory.
    Claimed(u8, u8),
    /// A claim was refused.
    ClaimRefused(u8, Trouble),
    /// The step that is due is about to be sent.
    Intended(Order),
    /// A step ended.
    Ended(Order, End),
    /// A step never reached its agent.
    NeverStarted(Order),
    /// A gate or witnesses were judged.
    Judged(Seen),
    /// The watch saw a breach.
    Breached,
    /// The setting's original is known.
    Recorded,
    /// The setting has its original value again.
    Restored,
    /// The run stands still, as was decided.
    Halted,
    /// The run stands still: the wait for this node and step is over.
    GaveUp(Option<(u8, StepKind)>),
    /// The pause took effect.
    Paused,
    /// A node was given back, or could not be asked.
    Released(u8, bool),
    /// The run is over, as was decided.
    Finished,
}

/// What is due, in small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Due {
    /// A claim.
    Claim(u8),
    /// A step, whether its intent is new, and which of those that may be sent side by side it is.
    Step(Order, bool),
    /// The gate.
    Gate(u8),
    /// The witnesses of a node.
    Witness(u8, u8),
    /// The original of the setting.
    Record,
    /// To write that the setting is put back.
    Restored,
    /// To halt.
    Halt,
    /// To pause.
    Pause,
    /// A release.
    Release(u8),
    /// The end.
    End,
    /// Nothing.
    Stand,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stands {
    /// At work.
    Active,
    /// Paused.
    Paused,
    /// Halted.
    Halted,
    /// Done.
    Done,
    /// Aborted, or blocked before anything was changed.
    GivenUp,
}
