//! Where a condition is asked: the cluster, one of its nodes, one of its databases.

use std::collections::{BTreeMap, BTreeSet};

use proto::{Details, Fact, NodeFacts, NodeUid, Row, Version};

use crate::snapshot::Snapshot;

/// Where a condition is asked.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    /// The cluster.
    pub(super) snapshot: &'a Snapshot,
    /// The node, if the condition is about nodes.
    pub(super) node: Option<Node<'a>>,
    /// The database, if the condition is about databases.
    pub(super) database: Option<Database>,
    /// Databases by uid: there can be many, and each is asked about.
    pub(super) listed: Option<&'a Listed<'a>>,
}

/// The product's list of databases, by uid, as each agent tells it.
#[derive(Debug)]
pub(super) struct Listed<'a>(Vec<(&'a str, Result<ByUid<'a>, String>)>);

type ByUid<'a> = BTreeMap<u32, &'a Row>;

/// A node that takes part in a hop, or an agent that does not say on which one it is.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) uid: Option<NodeUid>,
    /// Its facts, or why there are none.
    pub(super) facts: Result<&'a NodeFacts, String>,
}

/// A database to ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Database {
    /// One that is there.
    Uid(u32),
    /// There is none at all.
    None,
    /// Which there are is not known.
    Unknown,
}

/// Every node that a hop to this version would change, and every agent that might be on one.
pub(super) fn nodes(snapshot: &Snapshot, to: Version) -> Vec<Node<'_>> {
    let listed = snapshot.listed().into_iter().map(|uid| of_uid(snapshot, uid));
    let nameless = snapshot.agents.iter().filter_map(|report| match &report.answer {
        Ok(facts) if facts.node_uid.known().is_some() => None,
        Ok(_) => Some(format!("{} does not know its node", report.address)),
        Err(failure) => Some(format!("{} gave no facts: {}", report.address, failure.message)),
    });
    let nameless = nameless.map(|reason| Node { uid: None, facts: Err(reason) });
    let takes_part = |node: &Node<'_>| match &node.facts {
        Ok(facts) => facts.installed.known().is_none_or(|installed| installed.version < to),
        Err(_) => true,
    };
    listed.chain(nameless).filter(takes_part).collect()
}

fn of_uid(snapshot: &Snapshot, uid: NodeUid) -> Node<'_> {
    let facts = snapshot.node(uid).map(|witness| witness.facts);
    Node { uid: Some(uid), facts: facts.ok_or_else(|| format!("no agent speaks for {uid}")) }
}

/// Every database that any view or the product's API shows; one without a readable uid may be any.
pub(super) fn databases(snapshot: &Snapshot) -> Vec<Database> {
    let shown = snapshot.views().flat_map(|(_, view)| view.databases.iter().map(|row| row.uid));
    let tables = snapshot.answered().filter_map(|(_, facts)| facts.details.rows(Fact::Databases).ok());
    let of_row = |row: &Row| {
        let uid = row.get("uid").and_then(|uid| uid.parse().ok());
        uid.map_or(Database::Unknown, Database::Uid)
    };
    let found: BTreeSet<Database> = shown.map(Database::Uid).chain(tables.flatten().map(of_row)).collect();
    if !found.is_empty() {
        return found.into_iter().collect();
    }
    let somebody_sees = snapshot.views().next().is_some();
    vec![if somebody_sees { Database::None } else { Database::Unknown }]
}

impl<'a> Place<'a> {
    /// The facts of the node that is asked about.
    pub(super) fn node_facts(&self) -> Result<&'a NodeFacts, String> {
        self.node
            .as_ref()
            .map_or_else(|| Err("no node was asked about".to_owned()), |node| node.facts.clone())
    }

    /// What any agent says of the whole cluster.
    pub(super) fn of_cluster<T: PartialEq>(
        &self,
        ask: impl Fn(&Details) -> Result<T, String>,
    ) -> Result<T, String> {
        agreed(self.snapshot.answered().map(|(agent, facts)| (agent, ask(&facts.details))))
    }

    /// What any agent says of a database, in the product's list of them.
    pub(super) fn of_database<T: PartialEq>(
        &self,
        uid: u32,
        ask: impl Fn(&Row) -> Result<T, String>,
    ) -> Result<T, String> {
        let Some(Listed(lists)) = self.listed else { return Err("no database was asked about".to_owned()) };
        agreed(lists.iter().map(|(agent, rows)| {
            let of_row = |rows: &ByUid<'_>| match rows.get(&uid) {
                Some(row) => ask(row),
                None => Err(format!("db:{uid} is not in the API's list of databases")),
            };
            (*agent, rows.as_ref().map_err(String::clone).and_then(of_row))
        }))
    }
}

impl<'a> Listed<'a> {
    /// Every agent's list.
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let of_agent = |(agent, facts): (&'a str, &'a NodeFacts)| {
            let by_uid = |row: &'a Row| Some((row.get("uid")?.parse().ok()?, row));
            let rows = facts.details.rows(Fact::Databases);
            (agent, rows.map(|rows| rows.iter().filter_map(by_uid).collect()))
        };
        Self(snapshot.answered().map(of_agent).collect())
    }
}

/// What any of them says. Agents that do not know are passed over; those that contradict each other leave it open.
fn agreed<'a, T: PartialEq>(told: impl Iterator<Item = (&'a str, Result<T, String>)>) -> Result<T, String> {
    let mut said: Option<T> = None;
    let mut reason = None;
    for (agent, told) in told {
        match (told, &said) {
            (Ok(value), Some(before)) if value != *before => {
                return Err(format!("{agent} contradicts another agent"));
            }
            (Ok(value), _) => said = Some(value),
            (Err(why), _) => reason = reason.or(Some(why)),
        }
    }
    said.ok_or_else(|| reason.unwrap_or_else(|| "no agent answered".to_owned()))
}
