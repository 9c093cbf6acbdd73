//! Op runners as the agent deals with them: it starts one, and looks whether one lives.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use proto::{RunnerKind, StepId};
use rustix::fs::{FlockOperation, flock};

use super::launch::{LaunchError, detach};
use super::{OpFiles, Process, Started, files, procfs, systemd};
use crate::config::Config;
use crate::durable;

/// Whether something of an op still lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignOfLife {
    /// Its op runner lives or is about to begin, or its installer lives on alone.
    Running,
    /// Nothing of it can live: the machine was restarted since, with the reason in words.
    Rebooted(String),
    /// None is seen. An op runner that was just started may be about to take its lock.
    None,
}

/// Starts op runners and looks after them.
pub trait Ops: fmt::Debug + Send + Sync {
    /// Starts the op runner of a step so that it outlives the agent. That it is started more than once does no harm:
    /// only the first runs the installer.
    ///
    /// # Errors
    /// [`LaunchError`]; it may yet have been started.
    fn launch<'a>(&'a self, step: &'a StepId) -> BoxFuture<'a, Result<(), LaunchError>>;
    /// Whether something of the op of a step lives, whose files are in `dir`.
    fn sign_of_life<'a>(&'a self, dir: &'a Path, step: &'a StepId) -> BoxFuture<'a, SignOfLife>;
}

/// Op runners as units of systemd or as detached processes, as the configuration says.
#[derive(Debug)]
pub struct SystemOps {
    config: Arc<Config>,
}

impl SystemOps {
    /// Op runners for an agent with this configuration.
    pub fn new(config: Arc<Config>) -> Self {
        Self { config }
    }

    async fn look(&self, dir: &Path, step: &StepId) -> SignOfLife {
        let files = files(dir);
        // A held lock proves that the op runner lives, whatever boot id a sandbox or container shows.
        if is_held(&files.lock) {
            return SignOfLife::Running;
        }
        if let Some(reason) = rebooted(&files) {
            return SignOfLife::Rebooted(reason);
        }
        let lives = installer_lives(&files) || self.unit_is_starting(step, &files).await;
        if lives { SignOfLife::Running } else { SignOfLife::None }
    }

    async fn unit_is_starting(&self, step: &StepId, files: &OpFiles) -> bool {
        self.config.runner() == RunnerKind::Systemd
            && !files.started.exists()
            && systemd::is_starting(step).await
    }
}

impl Ops for SystemOps {
    fn launch<'a>(&'a self, step: &'a StepId) -> BoxFuture<'a, Result<(), LaunchError>> {
        match self.config.runner() {
            RunnerKind::Systemd => Box::pin(systemd::start(step)),
            RunnerKind::Process => Box::pin(detach(&self.config, step)),
        }
    }

    fn sign_of_life<'a>(&'a self, dir: &'a Path, step: &'a StepId) -> BoxFuture<'a, SignOfLife> {
        Box::pin(self.look(dir, step))
    }
}

fn is_held(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else { return false };
    flock(&file, FlockOperation::NonBlockingLockShared).is_err()
}

/// Why an op cannot be running any more: the machine was booted since. Without a readable start there is no telling.
fn rebooted(files: &OpFiles) -> Option<String> {
    let started: Started = durable::read_json(&files.started).ok()??;
    let boot = procfs::boot_id().ok()?;
    let rebooted = started.by.boot_id != boot;
    rebooted.then(|| "the machine was restarted while the installer was running".to_owned())
}

/// The op runner may be dead while the installer lives on: then its end is waited for.
fn installer_lives(files: &OpFiles) -> bool {
    durable::read_json::<Process>(&files.child).ok().flatten().is_some_and(procfs::is_alive)
}
