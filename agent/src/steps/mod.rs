//! The steps, one file each. To add one: its file, its line in [`perform`].

mod check;
mod collect;
mod confirm;
mod fetch;
mod install;
mod restart;
mod tune;
mod unpack;

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proto::{Clock, Failure, StepOutcome, StepReport, StepSpec};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::answers;
use crate::config::Config;
use crate::durable::{Disk, StateError};
use crate::executor::{Reporter, StepRecord};
use crate::node::Node;
use crate::package::{Fetcher, Packages};
use crate::runner::Ops;
use crate::state::StateDir;

/// What steps work with: the same for all steps of an agent.
#[derive(Clone, Debug)]
pub struct Door {
    /// The agent's configuration.
    pub config: Arc<Config>,
    /// Its state directory.
    pub state: StateDir,
    /// The archives it holds.
    pub packages: Packages,
    /// How it gets archives.
    pub fetcher: Fetcher,
    /// The product on this node.
    pub node: Node,
    /// The time of day.
    pub clock: Clock,
    /// Its op runners.
    pub ops: Arc<dyn Ops>,
    /// Where its own files are written.
    pub disk: Disk,
}

/// What one step works with.
#[derive(Clone, Debug)]
pub struct StepContext {
    /// The same for all.
    pub door: Door,
    /// The step's order.
    pub record: StepRecord,
    /// The step's voice.
    pub report: Reporter,
    /// Cancelled when somebody asked the step to stop.
    pub cancel: CancellationToken,
}

impl StepContext {
    /// The step's own directory.
    pub fn dir(&self) -> PathBuf {
        self.door.state.step(&self.record.step)
    }

    /// What is left of a deadline that runs from the step's first beginning: an agent's restart does not lengthen it.
    fn left(&self, deadline: Duration) -> Duration {
        let now = self.door.clock.now();
        let began = self.report.history().began().unwrap_or(now);
        deadline.saturating_sub(Duration::try_from(now.duration_since(began)).unwrap_or_default())
    }
}

/// What a step made, with remarks that stop nothing.
#[derive(Debug)]
struct Done {
    report: StepReport,
    warnings: Vec<String>,
}

impl Done {
    fn new(report: StepReport) -> Self {
        Self { report, warnings: Vec::new() }
    }
}

/// Why a step made nothing.
#[derive(Debug)]
enum Stop {
    Failed(Box<Failure>),
    Interrupted(String),
    Cancelled,
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<Box<Failure>> for Stop {
    fn from(failure: Box<Failure>) -> Self {
        Self::Failed(failure)
    }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::Failed(error.into())
    }
}

/// Carries out a step to its end. A panic inside is the step's failure, not the agent's.
pub async fn run(context: StepContext) -> StepOutcome {
    let performed = AbortOnDropHandle::new(tokio::spawn(perform(context).in_current_span())).await;
    match performed {
        Ok(Ok(done)) => StepOutcome::Completed { report: done.report, warnings: done.warnings },
        Ok(Err(Stop::Failed(failure))) => StepOutcome::Failed(*failure),
        Ok(Err(Stop::Interrupted(reason))) => StepOutcome::Interrupted(reason),
        Ok(Err(Stop::Cancelled)) => StepOutcome::Cancelled,
        Err(error) => StepOutcome::Failed(Failure::bug("the step broke off").because(error.to_string())),
    }
}

/// The registry of steps.
async fn perform(context: StepContext) -> Result<Done, Stop> {
    let stop = context.cancel.clone();
    match context.record.spec.clone() {
        StepSpec::Fetch { package, rate_limit } => {
            until(stop, fetch::run(&context, &package, rate_limit)).await
        }
        StepSpec::Unpack { package, version } => {
            // Told while nothing is under way yet, although only the installer reads them.
            answers::checked(&context.door.config)?;
            unpack::run(&context, package, version).await
        }
        StepSpec::Check => until(stop, check::run(&context)).await,
        StepSpec::Install(spec) => install::run(&context, &spec).await,
        StepSpec::Confirm { target, deadline } => until(stop, confirm::run(&context, target, deadline)).await,
        StepSpec::Collect { about } => until(stop, collect::run(&context, &about)).await,
        StepSpec::Restart { service } => restart::run(&context, service).await,
        StepSpec::Tune { setting, value } => tune::run(&context, setting, value).await,
    }
}

/// For steps that may be dropped at any moment.
async fn until(
    stop: CancellationToken,
    work: impl Future<Output = Result<Done, Stop>>,
) -> Result<Done, Stop> {
    stop.run_until_cancelled(work).await.unwrap_or(Err(Stop::Cancelled))
}
