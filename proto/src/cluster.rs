//! The cluster as one of its nodes sees it: what `rladmin status extra all` says, as values (fact sheet §3).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{NodeUid, Version};

/// A status as the product words it. Everything that is not known to be good is not OK (promise P5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Exactly `OK` (or `active` for a database).
    Ok,
    /// `OK` with a remark that is expected around upgrades, such as `OLD REDIS VERSION` (fact sheet §3.4).
    OkWith(String),
    /// Anything else, word for word; an empty cell is an empty text.
    NotOk(String),
    /// The column that would tell was not printed.
    NotShown,
}

impl Health {
    /// Whether the status is known to be good.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok | Self::OkWith(_))
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("OK"),
            Self::OkWith(remark) => write!(f, "OK, {remark}"),
            Self::NotOk(text) if text.is_empty() => f.write_str("an empty status"),
            Self::NotOk(text) => f.write_str(text),
            Self::NotShown => f.write_str("a status that was not shown"),
        }
    }
}

/// The cluster's role of a node. Shards have a role of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// The cluster master.
    Master,
    /// Any other node; the product prints `slave`.
    Replica,
}

impl fmt::Display for NodeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Replica => "replica",
        })
    }
}

/// The role of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardRole {
    /// Takes writes; the product prints `master`.
    Primary,
    /// Copies a primary; the product prints `slave`.
    Replica,
}

/// Everything one node says of its cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterView {
    /// The first line of the `CLUSTER:` block and the health line below it. Good only if both say so.
    pub health: Health,
    /// The master's uid as the `CLUSTER:` block names it, if it was readable.
    pub master: Option<NodeUid>,
    /// The node that was asked: the row with the `*`.
    pub local: NodeUid,
    /// All nodes, in the order printed.
    pub nodes: Vec<NodeRow>,
    /// All databases.
    pub databases: Vec<DatabaseRow>,
    /// All endpoints.
    pub endpoints: Vec<EndpointRow>,
    /// All shards.
    pub shards: Vec<ShardRow>,
    /// Things that were tolerated while reading, for people.
    pub remarks: Vec<String>,
}

/// A row of `CLUSTER NODES`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRow {
    /// The node's uid.
    pub uid: NodeUid,
    /// Its role, `None` for a word nobody knows.
    pub role: Option<NodeRole>,
    /// Its internal address.
    pub address: String,
    /// Its host name.
    pub hostname: String,
    /// Shards it holds.
    pub shards: Option<u32>,
    /// Shards it may hold; 0 means maintenance mode or quorum-only (fact sheet §3.6).
    pub max_shards: Option<u32>,
    /// The version the cluster believes it runs.
    pub version: Option<Version>,
    /// Its status.
    pub status: Health,
}

/// A row of `DATABASES`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseRow {
    /// The database's number, as in `db:3`.
    pub uid: u32,
    /// Its name.
    pub name: String,
    /// Its status; `active` is the good one, never `OK`.
    pub status: Health,
    /// Whether its shards are replicated, where the column says so.
    pub replicated: Option<bool>,
    /// A state machine at work on it, word for word; `None` for `N/A`. `Some("")` when the column was missing.
    pub exec_state: Option<String>,
    /// The Redis version it runs, for instance `7.2.4`.
    pub redis_version: Option<String>,
    /// Its endpoints, `host:port`.
    pub endpoints: Vec<String>,
}

/// A row of `ENDPOINTS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// The endpoint's id, `endpoint:<db>:<n>`.
    pub id: String,
    /// The database it serves.
    pub database: u32,
    /// The node it listens on.
    pub node: NodeUid,
    /// Its watchdog status, the only health there is for an endpoint.
    pub watchdog: Health,
}

/// A row of `SHARDS`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRow {
    /// The shard's id, `redis:<n>`.
    pub id: String,
    /// The database it belongs to.
    pub database: u32,
    /// The node it runs on.
    pub node: NodeUid,
    /// Its role, `None` for a word nobody knows.
    pub role: Option<ShardRole>,
    /// Its hash slots, word for word.
    pub slots: String,
    /// Its status.
    pub status: Health,
    /// Its watchdog status.
    pub watchdog: Health,
}

impl ClusterView {
    /// The row of a node.
    pub fn node(&self, uid: NodeUid) -> Option<&NodeRow> {
        self.nodes.iter().find(|row| row.uid == uid)
    }

    /// The one master, if the `CLUSTER:` block and the roles of the rows agree on it; `None` when they do not.
    pub fn agreed_master(&self) -> Option<NodeUid> {
        let mut masters =
            self.nodes.iter().filter(|row| row.role == Some(NodeRole::Master)).map(|row| row.uid);
        let by_row = masters.next()?;
        let only = masters.next().is_none();
        (only && self.master.is_none_or(|named| named == by_row)).then_some(by_row)
    }
}
