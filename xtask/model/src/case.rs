//! What is upgraded: a cluster of so many nodes, and the plan for it.

use coordinator::paths::{Status, Table};
use coordinator::plan::{Plan, PlannedHop, PlannedNode, PlannedSetting, Turn};
use coordinator::run::{Deadlines, Event, Record};
use jiff::Timestamp;
use proto::{Arch, Epoch, Failure, NodeRole, NodeUid, OsToken, Package, RunId, Setting, Sha256, Version};

/// The versions along the way; the vendor's table supports each hop. The first hop asks for service restarts.
const VERSIONS: [Version; 4] = [
    Version::new(6, 0, 8, 28),
    Version::new(6, 2, 18, 70),
    Version::new(7, 4, 2, 54),
    Version::new(8, 2, 0, 46),
];
/// The value of the setting before the run.
pub const ORIGINAL: u64 = 600;
/// Its value while the run is under way.
pub const WANTED: u64 = 3600;

/// A cluster and the run that upgrades it.
#[derive(Clone, Debug)]
pub struct Case {
    /// How many nodes there are.
    pub nodes: u8,
    /// The versions along the way, the installed one first.
    pub versions: Vec<Version>,
    /// The run.
    pub run: RunId,
    /// The vendor's table.
    pub table: Table,
    /// The first record of the run's journal.
    pub created: Record,
}

impl Case {
    /// So many nodes and hops, node 2 being the master if there is one; `tuned` if a setting is changed for the run.
    ///
    /// # Errors
    /// The vendor's table or a name cannot be used.
    pub fn new(nodes: u8, hops: usize, tuned: bool) -> Result<Self, Failure> {
        let bug = |error: &dyn std::fmt::Display| Failure::bug(error.to_string());
        let table = Table::vendor().map_err(|error| bug(&error))?;
        let last = VERSIONS.len();
        let versions = VERSIONS[last.saturating_sub(hops + 1)..].to_vec();
        let run = "orders-20260601-120000-beef".parse().map_err(|error| bug(&error))?;
        let plan = plan(nodes, &versions, tuned)?;
        let event = Event::Created {
            plan: Box::new(plan),
            prepare_only: false,
            deadlines: Deadlines::default(),
            by: "somebody".to_owned(),
        };
        let created = Record { seq: 1, epoch: Epoch(1), at: noon(), event };
        Ok(Self { nodes, versions, run, table, created })
    }
}

/// The one moment of every event: time decides nothing in the machine but the order of a look and a breach.
pub fn noon() -> Timestamp {
    Timestamp::from_second(1_780_315_200).unwrap_or_default()
}

/// Just after it.
pub fn past_noon() -> Timestamp {
    Timestamp::from_second(1_780_315_201).unwrap_or_default()
}

/// The master before anything happens, counted from 0.
pub fn first_master(nodes: u8) -> u8 {
    1.min(nodes - 1)
}

/// The uid of a node that is counted from 0.
pub fn uid(node: u8) -> NodeUid {
    NodeUid(u32::from(node) + 1)
}

/// The place of a node, counted from 0.
pub fn place(uid: NodeUid) -> u8 {
    u8::try_from(uid.0.saturating_sub(1)).unwrap_or(u8::MAX)
}

fn plan(nodes: u8, versions: &[Version], tuned: bool) -> Result<Plan, Failure> {
    let cluster = "orders".parse().map_err(|_| Failure::bug("a cluster's name"))?;
    let setting = PlannedSetting { setting: Setting::ReplicaHaGracePeriod, wanted: WANTED };
    Ok(Plan {
        schema: "ratchet.plan/1".to_owned(),
        cluster,
        made_at: noon(),
        target: versions.last().copied().unwrap_or(VERSIONS[0]),
        table_digest: Sha256::of(b"table"),
        advisories_digest: None,
        configuration: None,
        accepted: Vec::new(),
        nodes: (0..nodes).map(|node| planned_node(node, nodes, versions[0])).collect(),
        hops: versions.windows(2).map(|pair| hop(nodes, pair)).collect(),
        packages: versions[1..].iter().map(|version| package(*version)).collect(),
        settings: if tuned { vec![setting] } else { Vec::new() },
        findings: Vec::new(),
        notes: Vec::new(),
    })
}

fn role(node: u8, nodes: u8) -> NodeRole {
    if node == first_master(nodes) { NodeRole::Master } else { NodeRole::Replica }
}

fn planned_node(node: u8, nodes: u8, installed: Version) -> PlannedNode {
    let number = uid(node).0;
    PlannedNode {
        uid: uid(node),
        agent: agent(node),
        address: format!("192.0.2.{number}"),
        hostname: format!("n{number}"),
        installed,
        role: role(node, nodes),
        os: OsToken("jammy".to_owned()),
        arch: Arch::Amd64,
        install_args: vec!["-y".to_owned()],
    }
}

/// The address of a node's agent.
pub fn agent(node: u8) -> String {
    format!("192.0.2.{}:7443", uid(node).0)
}

fn hop(nodes: u8, pair: &[Version]) -> PlannedHop {
    let turn =
        |node| Turn { node: uid(node), from: pair[0], package: digest(pair[1]), role: role(node, nodes) };
    PlannedHop {
        from: pair[0],
        to: pair[1],
        source: "the table".to_owned(),
        status: Status::Current,
        turns: (0..nodes).map(turn).collect(),
        already_there: Vec::new(),
    }
}

fn digest(version: Version) -> Sha256 {
    Sha256::of(version.to_string().as_bytes())
}

fn package(version: Version) -> Package {
    Package {
        sha256: digest(version),
        version,
        os: OsToken("jammy".to_owned()),
        arch: Arch::Amd64,
        size: Some(1),
        sources: vec!["file:///p.tar".to_owned()],
    }
}
