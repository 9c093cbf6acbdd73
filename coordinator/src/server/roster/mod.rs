//! Which agents a cluster has: those of the file, and those that connect by themselves and that a rule of the file or an
//! operator has put there. An agent that belongs nowhere is listed, and is never sent anything but a question.

mod assigning;
mod known;
mod place;
mod welcoming;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use proto::transport::Hello;
use proto::{AgentMemory, AgentName, Failure};
use tokio::time::Instant;

use self::known::{Known, Sighting};
use self::place::Rules;
pub(super) use self::welcoming::{Leads, welcome_all};
use super::Core;
use crate::config::ClusterConfig;
use crate::store::Shelf;

/// What was read of the shelf is believed for so long: others write to it, too, such as a command line with a coordinator
/// of its own.
const FRESH: Duration = Duration::from_secs(3);

/// An agent that connects by itself and belongs to no cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct UnassignedAgent {
    /// Its name, by its own configuration.
    pub(in crate::server) name: AgentName,
    /// Its memory.
    pub(in crate::server) memory: AgentMemory,
    /// Its version.
    pub(in crate::server) version: String,
    /// Whether it is connected to this coordinator now.
    pub(in crate::server) connected: bool,
    /// When it was first seen.
    pub(in crate::server) since: Timestamp,
    /// Why it belongs nowhere, part of a sentence.
    pub(in crate::server) reason: String,
}

/// What is known of agents that connect.
#[derive(Debug)]
pub(super) struct Roster {
    rules: Rules,
    state: Mutex<State>,
    /// One writer at a time: a storm of new agents must not fight over the store.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    known: Known,
    read_at: Option<Instant>,
    /// Of the rows that were read, to see whether there is news in the next ones.
    digest: u64,
}

impl Roster {
    /// One that knows nobody yet.
    ///
    /// # Errors
    /// A rule that the configuration's reader should have refused.
    pub(super) fn of(clusters: &[ClusterConfig]) -> Result<Self, Failure> {
        let rules = Rules::of(clusters).map_err(|error| {
            Failure::bug("a rule of `connecting` cannot be used").because(error.to_string())
        })?;
        Ok(Self { rules, state: Mutex::default(), writing: tokio::sync::Mutex::default() })
    }

    /// Changes something about one agent, and puts it in its place.
    fn change(&self, name: &AgentName, change: impl FnOnce(&mut Known)) {
        let mut state = self.state();
        change(&mut state.known);
        state.known.put_in_place(name, &self.rules);
        // The shelf has changed with it.
        state.digest = 0;
    }

    fn take_in(&self, rows: &[(String, String)]) {
        let mut hasher = DefaultHasher::new();
        rows.hash(&mut hasher);
        let digest = hasher.finish();
        let mut state = self.state();
        state.read_at = Some(Instant::now());
        if state.digest == digest {
            return;
        }
        let (known, unreadable) = Known::read(rows, &self.rules);
        if !unreadable.is_empty() {
            tracing::error!(?unreadable, "remembered agents cannot be read; they belong to no cluster");
        }
        (state.known, state.digest) = (known, digest);
    }

    /// What is behind the lock is whole between any two statements.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// The addresses of a cluster's agents: those of the file, then those that connect by themselves, by name.
    pub(super) fn members(&self, cluster: &ClusterConfig) -> Vec<String> {
        let mut members = cluster.agents.clone();
        let state = self.roster.state();
        let connecting = state.known.members(&cluster.name).map(|name| format!("@{name}"));
        let more: Vec<String> = connecting.filter(|address| !members.contains(address)).collect();
        members.extend(more);
        members
    }

    /// The same, after a look at what others have written about agents. Where that fails, what was known last counts:
    /// agents that are missing then show as nodes that have none.
    pub(super) async fn current_members(&self, cluster: &ClusterConfig) -> Vec<String> {
        if let Err(failure) = self.freshen_roster().await {
            tracing::warn!(%failure, "what is remembered of agents cannot be read");
        }
        self.members(cluster)
    }

    /// Agents that belong to no cluster, by name.
    pub(super) fn unassigned(&self) -> Vec<UnassignedAgent> {
        let state = self.roster.state();
        let unassigned = state.known.unassigned().map(|(sighting, place)| UnassignedAgent {
            name: sighting.name.clone(),
            memory: sighting.memory.clone(),
            version: sighting.version.clone(),
            connected: self.world.agents.connected().is_connected(&sighting.name),
            since: sighting.first_seen,
            reason: place.reason(),
        });
        unassigned.collect()
    }

    /// Reads what is remembered of agents that connect, unless that was done a moment ago.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn freshen_roster(&self) -> Result<(), Failure> {
        self.read_roster(|read_at| read_at.is_none_or(|read_at| read_at.elapsed() >= FRESH)).await
    }

    /// Reads it if that is due, going by when it was done last.
    async fn read_roster(&self, is_due: fn(Option<Instant>) -> bool) -> Result<(), Failure> {
        let due = || is_due(self.roster.state().read_at);
        if !due() {
            return Ok(());
        }
        // What is being written meanwhile must not be overwritten by what was read before.
        let _writing = self.roster.writing.lock().await;
        if !due() {
            return Ok(());
        }
        let rows = self.store().shelved(Shelf::Agent).await?;
        self.roster.take_in(&rows);
        Ok(())
    }

    /// Remembers an agent that has connected: written if it is new, or says something new about itself.
    ///
    /// # Errors
    /// The store failed.
    async fn remember(&self, hello: &Hello) -> Result<(), Failure> {
        // What is not known yet may have been remembered by the coordinator before this one.
        self.read_roster(|read_at| read_at.is_none()).await?;
        let known = |hello: &Hello| self.roster.state().known.sightings.get(&hello.name).cloned();
        if known(hello).is_some_and(|sighting| sighting.says(hello)) {
            return Ok(());
        }
        let _writing = self.roster.writing.lock().await;
        let first_seen = known(hello).map_or_else(|| self.now(), |sighting| sighting.first_seen);
        let Hello { name, memory, version } = hello.clone();
        let sighting = Sighting { name, memory, version, first_seen };
        let body = serde_json::to_string(&sighting)
            .map_err(|error| Failure::bug("an agent cannot be written down").because(error.to_string()))?;
        self.store().put(Shelf::Agent, hello.name.as_str(), &body).await?;
        self.roster.change(&hello.name, |known| {
            known.sightings.insert(sighting.name.clone(), sighting);
        });
        Ok(())
    }
}
