//! Why the agent does not do what it is asked. Not a failed step: nothing was begun.

use jiff::Timestamp;
use proto::{Claim, Epoch, Failure, HookPoint, NodeHalt, RunId, StepId, StepKind};

use crate::durable::StateError;
use crate::failures;
use crate::halts;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A newer driver has been here (promise P8).
    #[error("epoch {asked} is superseded: this node has obeyed epoch {highest}")]
    StaleEpoch {
        /// The epoch of the request.
        asked: Epoch,
        /// The highest ever obeyed.
        highest: Epoch,
    },
    /// The driver at this epoch has given the node back: what it asked before that comes too late.
    #[error("the driver at epoch {epoch} has given this node back, and cannot take it again")]
    GivenBack {
        /// The epoch of the request.
        epoch: Epoch,
    },
    /// Another run, or another driver with the same epoch, holds the node.
    #[error("this node is claimed by run {} of {} at epoch {} since {}", .0.run, .0.holder, .0.epoch, .0.since)]
    ClaimedByOther(Box<Claim>),
    /// Not who was seen to hold the node holds it.
    #[error("this node is held by {}, not by {}", held_by(holder.as_deref()), run_or_nobody(expected.as_ref()))]
    HolderChanged {
        /// Who was seen; `None`: nobody.
        expected: Option<RunId>,
        /// Who holds it.
        holder: Option<Box<Claim>>,
    },
    /// The run does not hold the node at that epoch.
    #[error("run {run} does not hold this node at epoch {epoch}")]
    NotClaimed {
        /// The run of the request.
        run: RunId,
        /// The epoch of the request.
        epoch: Epoch,
    },
    /// An installation is running, or may be.
    #[error("the installation {step} is under way on this node")]
    InstallInFlight {
        /// Its step.
        step: StepId,
    },
    /// A step that wants the node for itself is running.
    #[error("step {step} ({kind}) has been at work on this node since {since}")]
    Busy {
        /// The step at work.
        step: StepId,
        /// Its kind.
        kind: StepKind,
        /// Since when.
        since: Timestamp,
    },
    /// The id was used for something else.
    #[error("step {step} was asked for before with other content")]
    DifferentSpec {
        /// The step.
        step: StepId,
    },
    /// This agent was never given the step, or never began it.
    #[error("step {step} was never begun on this node")]
    NeverOrdered {
        /// The step.
        step: StepId,
    },
    /// No such step is running.
    #[error("step {step} is not running on this node")]
    NotRunning {
        /// The step.
        step: StepId,
    },
    /// The kind of step cannot be stopped.
    #[error("step {step} is an {kind} and cannot be stopped on request")]
    NotCancellable {
        /// The step.
        step: StepId,
        /// Its kind.
        kind: StepKind,
    },
    /// Hooks of a run are asked for without that run's authority, or hooks before a plan with one.
    #[error("the hooks {point} were asked for without saying by which run")]
    HooksOfWhichRun {
        /// Where in the upgrade.
        point: HookPoint,
    },
    /// No installer may begin.
    #[error("{}", crate::halts::failure(.0))]
    Halted(Box<NodeHalt>),
    /// The source of a halt has asked for something later.
    #[error("request {asked} of `{of}` about its halt comes too late: this node has obeyed {highest}")]
    StaleHalt {
        /// Whose halt.
        of: String,
        /// The number of the request.
        asked: u64,
        /// The highest ever obeyed.
        highest: u64,
    },
    /// The catalogue is not the owner's, or holds no longer.
    #[error("{0}")]
    Catalogue(Box<Failure>),
    /// The agent is going down.
    #[error("this agent is stopping")]
    Stopping,
    /// The agent's own files could not be used.
    #[error("the agent cannot use its state directory")]
    State(#[from] StateError),
}

impl Refusal {
    /// The refusal as data for the coordinator.
    pub fn failure(&self) -> Failure {
        let message = self.to_string();
        match self {
            Self::StaleEpoch { .. } => {
                let remedy = "another coordinator has taken over; `ratchet runs` there shows the run; if it is gone \
                              for good, `ratchet takeover CLUSTER` takes the node from it";
                Failure::operator("stale-epoch", message, remedy)
            }
            Self::GivenBack { .. } => {
                Failure::operator("stale-epoch", message, "`ratchet resume` drives at a new epoch")
            }
            Self::ClaimedByOther(claim) => {
                let remedy = format!(
                    "let run {0} finish; if it is over or nobody drives it, `ratchet abort {0}` where it was started \
                     gives the node back; if that is gone for good, `ratchet takeover {1}` does",
                    claim.run, claim.cluster
                );
                Failure::operator("claimed-by-other", message, remedy)
            }
            Self::HolderChanged { .. } => {
                let remedy = "look again who holds it: `ratchet takeover CLUSTER` without `--yes` shows it";
                Failure::operator("claimed-by-other", message, remedy)
            }
            Self::NotClaimed { .. } => {
                Failure::operator("not-claimed", message, "claim the node first: `ratchet resume` does")
            }
            Self::InstallInFlight { .. } => Failure::retry("install-in-flight", message),
            Self::Busy { .. } => Failure::retry("busy", message),
            Self::DifferentSpec { .. } | Self::HooksOfWhichRun { .. } => Failure::bug(message),
            Self::NeverOrdered { .. } => Failure::operator(
                "never-ordered",
                message,
                "`ratchet resume` orders what is still to be done",
            ),
            Self::NotRunning { .. } => {
                Failure::operator("not-running", message, "nothing needs to be stopped")
            }
            Self::NotCancellable { .. } => {
                Failure::operator("not-cancellable", message, "wait for it to end or to reach its deadline")
            }
            Self::Halted(halt) => halts::failure(halt),
            Self::StaleHalt { .. } => {
                let remedy = "ask again: a coordinator counts on from what it has asked itself; if its store is new, \
                              `ratchet halt` and `ratchet halt --lift` until the numbers have passed";
                Failure::operator("stale-halt", message, remedy)
            }
            Self::Catalogue(failure) => failure.as_ref().clone(),
            Self::Stopping => Failure::retry("stopping", message),
            Self::State(error) => failures::of_state(error),
        }
    }
}

fn held_by(holder: Option<&Claim>) -> String {
    match holder {
        Some(claim) => {
            format!("run {} of {} at epoch {} since {}", claim.run, claim.holder, claim.epoch, claim.since)
        }
        None => "nobody".to_owned(),
    }
}

fn run_or_nobody(run: Option<&RunId>) -> String {
    run.map_or_else(|| "nobody".to_owned(), |run| format!("run {run}"))
}
