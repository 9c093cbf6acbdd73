//! Values for tests, here and in the crates that depend on this one. Not used by the programs.

mod details;

use jiff::Timestamp;

use crate::*;

pub use details::healthy_details;

/// A cluster of `nodes` nodes at 7.4.2-54 in which all is well, seen from its master, node 1, with one replicated
/// database.
pub fn healthy_view(nodes: u32) -> ClusterView {
    let uids = || (1..=nodes).map(NodeUid);
    let shard = |id: u32, node: u32, role| ShardRow {
        id: format!("redis:{id}"),
        database: 1,
        node: NodeUid(node),
        role: Some(role),
        slots: "0-16383".to_owned(),
        status: Health::Ok,
        watchdog: Health::Ok,
    };
    ClusterView {
        health: Health::Ok,
        master: Some(NodeUid(1)),
        local: NodeUid(1),
        nodes: uids().map(healthy_node).collect(),
        databases: vec![DatabaseRow {
            uid: 1,
            name: "db1".to_owned(),
            status: Health::Ok,
            replicated: Some(true),
            exec_state: None,
            redis_version: Some("7.2.4".to_owned()),
            endpoints: vec!["redis-12000.cluster.local:12000".to_owned()],
        }],
        endpoints: vec![EndpointRow {
            id: "endpoint:1:1".to_owned(),
            database: 1,
            node: NodeUid(1),
            watchdog: Health::Ok,
        }],
        shards: vec![shard(1, 1, ShardRole::Primary), shard(2, 2.min(nodes), ShardRole::Replica)],
        remarks: Vec::new(),
    }
}

fn healthy_node(uid: NodeUid) -> NodeRow {
    NodeRow {
        uid,
        role: Some(if uid.0 == 1 { NodeRole::Master } else { NodeRole::Replica }),
        address: format!("192.0.2.{}", uid.0),
        hostname: format!("n{}", uid.0),
        shards: Some(1),
        max_shards: Some(100),
        version: Some(Version::new(7, 4, 2, 54)),
        status: Health::Ok,
    }
}

/// The memory that the agent of a node has in [`healthy_facts`].
pub fn memory(uid: NodeUid) -> AgentMemory {
    format!("memory-of-n{}", uid.0).parse().unwrap_or_else(|_| unreachable!("a short name"))
}

/// The facts of one node of [`healthy_view`], at the given moment.
pub fn healthy_facts(uid: NodeUid, nodes: u32, at: Timestamp) -> NodeFacts {
    let room = Probe::Known(Room { free: 50 << 30, total: 100 << 30 });
    let disk = |purpose, path: &str| Disk { purpose, path: path.to_owned(), device: 1, room: room.clone() };
    NodeFacts {
        observed_at: at,
        agent_version: "0.1.0".to_owned(),
        boot_id: "0f3c".to_owned(),
        hostname: format!("n{}", uid.0),
        node_uid: Probe::Known(uid),
        cluster_name: Probe::Known("cluster.local".to_owned()),
        installed: Probe::Known(InstalledVersion {
            version: Version::new(7, 4, 2, 54),
            read_from: vec!["rladmin status".to_owned()],
        }),
        installation: Probe::Known(Installation {
            install_dir: "/opt/redislabs".to_owned(),
            config_dir: "/etc/opt/redislabs".to_owned(),
            var_dir: "/var/opt/redislabs".to_owned(),
            user: "redislabs".to_owned(),
            group: "redislabs".to_owned(),
            read_from: "/etc/opt/redislabs/redislabs_env_config.sh".to_owned(),
        }),
        os: Probe::Known(OperatingSystem {
            name: "Ubuntu 22.04".to_owned(),
            token: Some(OsToken("jammy".to_owned())),
        }),
        arch: Probe::Known(Arch::Amd64),
        view: Probe::Known(ClusterView { local: uid, ..healthy_view(nodes) }),
        running_actions: Probe::Known(Vec::new()),
        snapshots: Probe::Known(Vec::new()),
        upgrade_mode: Probe::Known(false),
        rlcheck: Some(Probe::Known(Rlcheck {
            passed: true,
            tests: vec!["verify_services".to_owned()],
            failures: Vec::new(),
        })),
        disks: vec![
            disk(DiskUse::Staging, "/var/lib/ratchet-agent"),
            disk(DiskUse::Install, "/opt/redislabs"),
            disk(DiskUse::Var, "/var/opt/redislabs"),
            disk(DiskUse::Tmp, "/tmp"),
        ],
        system: System {
            kernel: "6.1.0".to_owned(),
            overcommit_memory: Probe::Known("1".to_owned()),
            transparent_hugepage: Probe::Known("never".to_owned()),
            somaxconn: Probe::Known("1024".to_owned()),
            local_port_range: Probe::Known("30000 65535".to_owned()),
            swap_total: Probe::Known(0),
            memory_total: Probe::Known(16 << 30),
            openssl: Probe::Known("OpenSSL 3.0.22".to_owned()),
            listening_ports: Probe::Known(vec![8443, 9443]),
        },
        install_args: vec!["-y".to_owned()],
        runner: RunnerKind::Process,
        packages: Vec::new(),
        sources: Vec::new(),
        claim: None,
        highest_epoch: Epoch(0),
        current_step: None,
        memory: memory(uid),
        settings: Setting::ALL.into_iter().zip([Probe::Known(600), Probe::Known(1)]).collect(),
        details: healthy_details(uid),
        halts: Vec::new(),
    }
}
