//! Rollouts: what people ask of them, and the duty of whoever leads to carry them out.
//!
//! `crate::rollout` decides; what is here looks (`seen`), performs (`engine`, `starting`, `asking`, `holding`) and writes
//! down what came of it.

mod admission;
mod apply;
mod asking;
mod books;
mod check;
mod engine;
mod holding;
mod partners;
mod runs;
mod seen;
mod sight;
mod starting;
mod verbs;
mod watch;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as Plain, PoisonError};

use proto::{ClusterName, Failure, RunId};
use tokio::sync::{Mutex, MutexGuard, Notify};

pub(in crate::server) use admission::Windows;
pub(in crate::server) use asking::Asked;
pub(in crate::server) use engine::duty;

use crate::rollout::Spec;
use crate::store::{Lead, Store};
use books::Books;
use runs::Runs;

/// Rollouts and runs as their journals leave them, kept between looks: only what is new is read.
#[derive(Debug, Default)]
pub(in crate::server) struct Rollouts {
    books: Mutex<Books>,
    runs: Mutex<Runs>,
    /// Clusters that must be looked at often: those that soak.
    restless: Plain<BTreeSet<ClusterName>>,
    /// Held while a run is created.
    creating: Mutex<()>,
    /// The lead of a coordinator that answers nobody but its own process, once it has applied a rollout.
    own_lead: Plain<Option<Arc<Lead>>>,
    wake: Notify,
}

impl Rollouts {
    /// Runs are created one after the other, so that of two partners the second one sees the first.
    pub(in crate::server) async fn creating(&self) -> MutexGuard<'_, ()> {
        self.creating.lock().await
    }

    /// Clusters that must be looked at often, because the rollout waits for what is seen of them.
    pub(in crate::server) fn restless(&self) -> BTreeSet<ClusterName> {
        self.restless.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_restless(&self, clusters: BTreeSet<ClusterName>) {
        *self.restless.lock().unwrap_or_else(PoisonError::into_inner) = clusters;
    }

    /// Lets the duty look at once.
    fn wake(&self) {
        self.wake.notify_one();
    }

    fn own_lead(&self) -> Option<Arc<Lead>> {
        self.own_lead.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_own_lead(&self, lead: Option<Arc<Lead>>) {
        *self.own_lead.lock().unwrap_or_else(PoisonError::into_inner) = lead;
    }

    /// What the rollout says that a run belongs to, with the run's cluster; `None` if it belongs to none, or to one that is
    /// over: then a person goes on with it, who knows what he does.
    async fn owner(
        &self,
        store: &dyn Store,
        run: &RunId,
    ) -> Result<Option<(Arc<Spec>, ClusterName)>, Failure> {
        self.books.lock().await.owner(store, run).await
    }
}
