//! The cluster's server: one model, changed by one task at a time, and the processes that follow it.

mod hanging;
mod install;
mod peer;
mod processes;
mod server;
mod shards;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::fault::WorldFault;
use crate::model::{Model, Order};
use crate::wire::Command;

pub(crate) use server::serve;

/// How often the server looks at shards, elections and installers.
const BEAT: Duration = Duration::from_millis(40);

/// The server's state.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) dir: PathBuf,
    pub(crate) binary: PathBuf,
    pub(crate) socket: PathBuf,
    model: Mutex<Model>,
    changes: watch::Sender<u64>,
    services: Mutex<BTreeMap<u32, mpsc::UnboundedSender<Command>>>,
    /// Those of nodes that are machines of their own; none where the engine starts the services itself.
    supervisors: Option<Mutex<BTreeMap<u32, mpsc::UnboundedSender<Command>>>>,
    /// Held while shards change roles or a node's shards are laid out, so that both never mix.
    roles: tokio::sync::Mutex<()>,
    ending: watch::Sender<bool>,
    /// One task for every services process: it ends once that process has been waited for.
    children: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Engine {
    pub(crate) fn new(
        dir: PathBuf,
        binary: PathBuf,
        socket: PathBuf,
        model: Model,
        supervised: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            dir,
            binary,
            socket,
            model: Mutex::new(model),
            changes: watch::Sender::new(0),
            services: Mutex::default(),
            supervisors: supervised.then(Mutex::default),
            roles: tokio::sync::Mutex::default(),
            ending: watch::Sender::new(false),
            children: Mutex::default(),
        })
    }

    /// Reads the model.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Model) -> T) -> T {
        read(&lock(&self.model))
    }

    /// Changes the model, at the present time, and tells everyone who waits for a change.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Model, Timestamp) -> T) -> T {
        let result = change(&mut lock(&self.model), Timestamp::now());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    /// Waits until the model is as wanted; false if the deadline passes first.
    pub(crate) async fn wait_until(&self, patience: Duration, wanted: impl Fn(&Model) -> bool) -> bool {
        tokio::time::timeout(patience, self.until(wanted)).await.is_ok()
    }

    /// Waits until the model is as wanted.
    async fn until(&self, wanted: impl Fn(&Model) -> bool) {
        let mut changes = self.changes.subscribe();
        while !self.read(&wanted) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Ends the server and everything it started.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Resolves once the server is to end.
    pub(crate) async fn ended(&self) {
        // The sender lives in this very value, so waiting cannot fail.
        let _ = self.ending.subscribe().wait_for(|ending| *ending).await;
    }

    /// Carries faults out, in their order.
    async fn apply(self: &Arc<Self>, faults: Vec<WorldFault>, installed: Option<u32>) {
        for fault in faults {
            let order = self.change(|model, now| model.apply(&fault, installed, now));
            match order {
                Some(Order::Kill(uid)) => self.kill_services(uid).await,
                Some(Order::Start(uid)) => drop(self.start_services(uid).await),
                Some(Order::StopShards(uid)) => self.stop_shards(uid),
                Some(Order::StartShards(uid)) => self.launch_shards(uid).await,
                None => {}
            }
        }
    }
}

/// A poisoned lock means a panic elsewhere, which has been reported; the value itself is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
