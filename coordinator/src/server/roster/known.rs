//! What is remembered of agents that connect by themselves: documents on the store's shelf, and where that puts them.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto::transport::Hello;
use proto::{AgentMemory, AgentName, ClusterName};
use serde::{Deserialize, Serialize};

use super::place::{Place, Rules};

/// What the name of an assignment ends with on the shelf. It lies beside the sighting, so that who writes one never
/// overwrites the other; no agent's name can have it.
const ASSIGNED: &str = "#assigned";

/// An agent as it was seen. Written when it is first seen, and when it has changed; not when it comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server) struct Sighting {
    pub(in crate::server) name: AgentName,
    pub(in crate::server) memory: AgentMemory,
    pub(in crate::server) version: String,
    /// When it was first seen under this name, with whatever memory.
    pub(in crate::server) first_seen: Timestamp,
}

impl Sighting {
    /// Whether it says what the agent says now.
    pub(super) fn says(&self, hello: &Hello) -> bool {
        self.memory == hello.memory && self.version == hello.version
    }
}

/// Where an operator has put an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server) struct Assignment {
    /// The cluster; `None`: in none, whatever rules say.
    pub(in crate::server) cluster: Option<ClusterName>,
    /// Who.
    pub(in crate::server) by: String,
    /// When.
    pub(in crate::server) at: Timestamp,
}

/// The key of an agent's assignment.
pub(super) fn assignment_key(name: &AgentName) -> String {
    format!("{name}{ASSIGNED}")
}

/// All that is remembered.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) sightings: BTreeMap<AgentName, Sighting>,
    pub(super) assignments: BTreeMap<AgentName, Assignment>,
    places: BTreeMap<AgentName, Place>,
    members: BTreeMap<ClusterName, BTreeSet<AgentName>>,
}

impl Known {
    /// What the shelf holds. What cannot be read is given beside it: an agent that nobody can place is in no cluster.
    pub(super) fn read(rows: &[(String, String)], rules: &Rules) -> (Self, Vec<String>) {
        let (mut known, mut unreadable) = (Self::default(), Vec::new());
        let mut unplaced = BTreeSet::new();
        for (key, body) in rows {
            let (name, is_assignment) = match key.strip_suffix(ASSIGNED) {
                Some(name) => (name, true),
                None => (key.as_str(), false),
            };
            let Ok(name) = name.parse::<AgentName>() else {
                unreadable.push(key.clone());
                continue;
            };
            let read = if is_assignment {
                serde_json::from_str(body).map(|read| drop(known.assignments.insert(name.clone(), read)))
            } else {
                serde_json::from_str(body).map(|read| drop(known.sightings.insert(name.clone(), read)))
            };
            if read.is_err() {
                unreadable.push(key.clone());
                unplaced.insert(name);
            }
        }
        unplaced.iter().for_each(|name| drop(known.sightings.remove(name)));
        let names: Vec<AgentName> = known.sightings.keys().cloned().collect();
        names.iter().for_each(|name| known.put_in_place(name, rules));
        (known, unreadable)
    }

    /// Decides anew where an agent belongs, after something about it has changed.
    pub(super) fn put_in_place(&mut self, name: &AgentName, rules: &Rules) {
        let assigned = self.assignments.get(name).map(|assignment| &assignment.cluster);
        let place = rules.place(name, assigned);
        let before = self.places.insert(name.clone(), place.clone());
        if let Some(members) =
            before.as_ref().and_then(Place::cluster).and_then(|at| self.members.get_mut(at))
        {
            members.remove(name);
        }
        if let Some(cluster) = place.cluster() {
            self.members.entry(cluster.clone()).or_default().insert(name.clone());
        }
    }

    /// Where an agent belongs; `None` if it was never seen.
    pub(super) fn place(&self, name: &AgentName) -> Option<&Place> {
        self.places.get(name)
    }

    /// The agents of a cluster that were seen, by name.
    pub(super) fn members(&self, cluster: &ClusterName) -> impl Iterator<Item = &AgentName> {
        self.members.get(cluster).into_iter().flatten()
    }

    /// Agents that belong to no cluster, by name.
    pub(super) fn unassigned(&self) -> impl Iterator<Item = (&Sighting, &Place)> {
        let placed = self.sightings.values().filter_map(|seen| Some((seen, self.places.get(&seen.name)?)));
        placed.filter(|(_, place)| place.cluster().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClusterConfig;

    fn rules() -> Rules {
        let cluster = |name: &str| ClusterConfig {
            name: name.parse().unwrap(),
            agents: Vec::new(),
            labels: BTreeMap::new(),
            connecting: vec![format!("{name}-*")],
        };
        Rules::of(&[cluster("orders"), cluster("carts")]).unwrap()
    }

    fn sighting(name: &str) -> (String, String) {
        let body =
            format!(r#"{{"name":"{name}","memory":"m1","version":"1","first_seen":"2026-06-01T12:00:00Z"}}"#);
        (name.to_owned(), body)
    }

    fn members(known: &Known, cluster: &str) -> Vec<String> {
        known.members(&cluster.parse().unwrap()).map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_on_the_shelf_puts_agents_in_their_places() {
        let assigned = r#"{"cluster":"carts","by":"alice","at":"2026-06-01T12:00:00Z"}"#.to_owned();
        let rows = [
            sighting("orders-1"),
            sighting("orders-2"),
            ("orders-2#assigned".to_owned(), assigned),
            sighting("stray"),
        ];
        let (mut known, unreadable) = Known::read(&rows, &rules());
        assert_eq!(unreadable, [""; 0]);
        assert_eq!(members(&known, "orders"), ["orders-1"]);
        assert_eq!(members(&known, "carts"), ["orders-2"]);
        assert_eq!(known.unassigned().map(|(seen, _)| seen.name.as_str()).collect::<Vec<_>>(), ["stray"]);
        let name = "orders-2".parse().unwrap();
        known.assignments.remove(&name);
        known.put_in_place(&name, &rules());
        assert_eq!(members(&known, "orders"), ["orders-1", "orders-2"]);
        assert_eq!(members(&known, "carts"), [""; 0]);
    }

    /// An assignment that cannot be read might be one to no cluster.
    #[test]
    fn an_agent_of_whom_something_cannot_be_read_is_nowhere() {
        let rows = [
            sighting("orders-1"),
            ("orders-1#assigned".to_owned(), "{".to_owned()),
            ("orders-2".to_owned(), "[]".to_owned()),
            ("../x".to_owned(), "{}".to_owned()),
        ];
        let (known, unreadable) = Known::read(&rows, &rules());
        assert_eq!(unreadable, ["orders-1#assigned", "orders-2", "../x"]);
        assert_eq!(members(&known, "orders"), [""; 0]);
    }
}
