//! Agents that have connected by themselves, by name: the coordinator asks them over the connections they made.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use proto::transport::Hello;
use proto::wire::UNREACHABLE;
use proto::{AgentMemory, AgentName, Failure};

use super::Channel;

/// An agent that is connected now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectedAgent {
    /// Its name, by its own configuration.
    pub name: AgentName,
    /// Its memory.
    pub memory: AgentMemory,
    /// Its version.
    pub version: String,
    /// Since when.
    pub since: Timestamp,
}

/// The connections, one for each name.
#[derive(Debug, Default)]
pub struct Connected {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    live: HashMap<AgentName, Live>,
    /// Counts connections, so that the end of an old one does not end its successor.
    count: u64,
}

#[derive(Debug)]
struct Live {
    number: u64,
    agent: ConnectedAgent,
    channel: Channel,
}

impl Connected {
    /// Whether an agent may have its name: nobody has it, or the agent itself has, by a connection that is nearly gone.
    ///
    /// # Errors
    /// Another agent has it.
    pub fn may_come(&self, hello: &Hello) -> Result<(), Failure> {
        match self.inner().live.get(&hello.name) {
            Some(live) if live.agent.memory != hello.memory => Err(name_taken(&hello.name)),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes a connection for its agent; an older one of the same agent is let go. The number is for
    /// [`end`](Self::end).
    ///
    /// # Errors
    /// Another agent has the name.
    pub fn put(&self, hello: Hello, channel: Channel, since: Timestamp) -> Result<u64, Failure> {
        self.may_come(&hello)?;
        let mut inner = self.inner();
        inner.count += 1;
        let number = inner.count;
        let Hello { name, memory, version } = hello;
        let agent = ConnectedAgent { name: name.clone(), memory, version, since };
        inner.live.insert(name, Live { number, agent, channel });
        Ok(number)
    }

    /// A connection is gone.
    pub fn end(&self, name: &AgentName, number: u64) {
        let mut inner = self.inner();
        if inner.live.get(name).is_some_and(|live| live.number == number) {
            inner.live.remove(name);
        }
    }

    /// Lets all of them go: somebody else leads, and they are to find him.
    pub fn let_go(&self) {
        self.inner().live.clear();
    }

    /// Whether an agent is connected now.
    pub fn is_connected(&self, name: &AgentName) -> bool {
        self.inner().live.contains_key(name)
    }

    /// All that are connected now, by name.
    pub fn all(&self) -> Vec<ConnectedAgent> {
        let mut all: Vec<ConnectedAgent> =
            self.inner().live.values().map(|live| live.agent.clone()).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// The way to an agent.
    pub(super) fn channel(&self, name: &str) -> Result<Channel, Failure> {
        let known = name.parse::<AgentName>().ok();
        let inner = self.inner();
        let live = known.and_then(|name| inner.live.get(&name));
        live.map(|live| live.channel.clone()).ok_or_else(|| not_connected(name))
    }

    /// What is behind the lock is whole between any two statements.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_connected(name: &str) -> Failure {
    let remedy = format!(
        "{}; {}",
        look_there(name),
        "a connected agent is asked by the coordinator that serves: --coordinator HOST:PORT"
    );
    let message = format!("agent @{name} is not connected");
    Failure { remedy: Some(remedy), ..Failure::retry(UNREACHABLE, message) }
}

/// What a person can look at.
pub(super) fn look_there(name: &str) -> String {
    format!("on the node of {name}: systemctl status ratchet-agent, and see `connect` in its agent.toml")
}

fn name_taken(name: &AgentName) -> Failure {
    let message = format!("another agent is connected as {name}");
    let remedy = "give each agent a `name` of its own in agent.toml; if the other one is this agent before its state \
                  directory was lost, its connection ends within half a minute";
    Failure::operator("name-taken", message, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(memory: &str) -> Hello {
        Hello { name: "db-1".parse().unwrap(), memory: memory.parse().unwrap(), version: "0.1.0".to_owned() }
    }

    fn channel() -> Channel {
        proto::transport::in_process().0
    }

    #[tokio::test]
    async fn a_name_belongs_to_one_memory_while_it_is_connected() {
        let connected = Connected::default();
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(connected.channel("db-1").unwrap_err().id, UNREACHABLE);
        let first = connected.put(hello("m1"), channel(), at).unwrap();
        assert_eq!(connected.may_come(&hello("m2")).unwrap_err().id, "name-taken");
        assert_eq!(connected.put(hello("m2"), channel(), at).unwrap_err().id, "name-taken");
        let second = connected.put(hello("m1"), channel(), at).unwrap();
        let name = "db-1".parse().unwrap();
        connected.end(&name, first);
        assert!(connected.is_connected(&name), "the end of the first is not that of the second");
        connected.channel("db-1").unwrap();
        connected.end(&name, second);
        assert!(!connected.is_connected(&name));
        connected.put(hello("m2"), channel(), at).unwrap();
        assert_eq!(connected.all()[0].memory.as_str(), "m2");
        connected.let_go();
        assert_eq!(connected.all(), []);
    }
}
