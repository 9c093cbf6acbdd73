//! One way to spoil what each check looks at that asks for facts by name, or for kernel settings.

use proto::{
    Claim, Epoch, Fact, FactValue, Failure, Health, NodeUid, Probe, Setting, StepInFlight, StepKind, Version,
};

use super::{Case, Verdict, World, row, spoil_each};
use crate::snapshot::sample::noon;

fn text(text: &str) -> FactValue {
    FactValue::Text(text.to_owned())
}

fn unknown<T>() -> Probe<T> {
    Probe::Unknown("no permission".to_owned())
}

/// All sources that tell the grace period.
pub(super) fn grace(world: &mut World, seconds: u64) {
    world.every_agent(|facts| {
        drop(facts.settings.insert(Setting::ReplicaHaGracePeriod, Probe::Known(seconds)))
    });
    for fact in [Fact::ClusterInfo, Fact::ClusterPolicy] {
        world.cell(fact, "slave_ha_grace_period", &seconds.to_string());
    }
}

/// What each node's agent says of itself. The second node's is spoiled.
pub(super) const OF_NODES: &[Case] = &[
    ("managed-elsewhere", Verdict::Block, |world| world.tell(1, Fact::Orchestrator, text("kubernetes"))),
    ("privileges", Verdict::Block, |world| world.tell(1, Fact::EffectiveUser, FactValue::Number(1000))),
    ("privileges", Verdict::Block, |world| world.tell(1, Fact::Umask, text("0077"))),
    ("services", Verdict::Warn, |world| world.tell(1, Fact::Services, service("FATAL"))),
    ("services", Verdict::Warn, |world| world.tell(1, Fact::Services, service("STARTING"))),
    ("services", Verdict::Warn, |world| world.tell(1, Fact::Services, FactValue::Rows(Vec::new()))),
    ("services", Verdict::Info, |world| world.tell(1, Fact::Services, service("STOPPED"))),
    ("security-agents", Verdict::Warn, |world| {
        world.tell(1, Fact::SecurityAgents, FactValue::Lines(vec!["falcon-sensor".to_owned()]));
    }),
    ("dependencies", Verdict::Warn, |world| world.tell(1, Fact::Repositories, FactValue::Lines(Vec::new()))),
    ("logrotate", Verdict::Info, |world| world.tell(1, Fact::LogrotateChanged, FactValue::Flag(true))),
    ("time-sync", Verdict::Warn, |world| world.tell(1, Fact::TimeSynchronised, FactValue::Flag(false))),
    ("port-53", Verdict::Warn, |world| {
        world.tell(1, Fact::Listeners, listener("udp", "53", "systemd-resolve"))
    }),
    ("certificates", Verdict::Warn, |world| {
        world.tell(1, Fact::Certificates, certificate("2026-06-30T00:00:00Z"))
    }),
    ("certificates", Verdict::Warn, |world| {
        world.tell(1, Fact::Certificates, certificate("2026-05-31T00:00:00Z"))
    }),
    ("certificates", Verdict::Warn, |world| world.tell(1, Fact::Certificates, certificate("next year"))),
    ("certificates", Verdict::Warn, |world| {
        world.tell(
            1,
            Fact::Certificates,
            FactValue::Rows(vec![row(&[("file", "/etc/opt/redislabs/x.pem")])]),
        );
    }),
    ("maintenance", Verdict::Info, |world| {
        world.snapshot.every_view(|view| view.nodes[1].max_shards = Some(0));
        world.cell(Fact::NodeInfo, "quorum only", "enabled");
        world.cell(Fact::HealthReport, "node:2.quorum_only", "true");
    }),
    ("maintenance", Verdict::Block, |world| world.cell(Fact::HealthReport, "node:2.in_maintenance", "true")),
    ("maintenance", Verdict::CannotTell, |world| {
        world.snapshot.every_view(|view| view.nodes[1].max_shards = None)
    }),
    ("swap", Verdict::Warn, |world| world.snapshot.facts(1).system.swap_total = Probe::Known(1)),
    ("swap", Verdict::Warn, |world| world.snapshot.facts(1).system.swap_total = unknown()),
    ("port-range", Verdict::Warn, |world| {
        world.snapshot.facts(1).system.local_port_range = Probe::Known("32768 60999".to_owned());
    }),
    ("port-range", Verdict::Warn, |world| world.snapshot.facts(1).system.local_port_range = unknown()),
    ("host-settings", Verdict::Warn, |world| {
        world.snapshot.facts(1).system.transparent_hugepage = Probe::Known("always".to_owned());
    }),
    ("host-settings", Verdict::Warn, |world| {
        world.snapshot.facts(1).system.overcommit_memory = Probe::Known("0".to_owned());
    }),
    ("host-settings", Verdict::Warn, |world| {
        world.snapshot.facts(1).system.somaxconn = Probe::Known("128".to_owned());
    }),
    ("host-settings", Verdict::Warn, |world| world.snapshot.facts(1).system.somaxconn = unknown()),
    ("tmp-room", Verdict::Info, |world| {
        let proto::Disk { room: Probe::Known(room), .. } = &mut world.snapshot.facts(1).disks[3] else {
            panic!()
        };
        room.total -= 1;
    }),
    ("tmp-room", Verdict::Warn, |world| world.snapshot.facts(1).disks[3].room = unknown()),
    ("tmp-room", Verdict::Warn, |world| drop(world.snapshot.facts(1).disks.pop())),
];

/// What all agents say of the cluster.
pub(super) const OF_CLUSTER: &[Case] = &[
    ("background-work", Verdict::Block, |world| {
        let action = row(&[("name", "SMBackupBDB"), ("status", "active"), ("object", "bdb:1")]);
        world.rows(Fact::Actions, |rows| rows.push(action.clone()));
    }),
    ("alerts", Verdict::Warn, |world| alert(world, "cluster_certs_about_to_expire")),
    ("alerts", Verdict::Info, |world| alert(world, "cluster_inconsistent_rl_sw")),
    ("licence", Verdict::Warn, |world| world.cell(Fact::Licence, "expired", "true")),
    ("licence", Verdict::Warn, |world| world.cell(Fact::Licence, "expiration_date", "2026-06-30T00:00:00Z")),
    ("licence", Verdict::Warn, |world| world.cell(Fact::Licence, "expiration_date", "never")),
    ("certificates", Verdict::Warn, |world| {
        world.cell(Fact::HealthReport, "certificate:proxy.expired", "true")
    }),
    ("certificates", Verdict::Info, |world| world.cell(Fact::HealthReport, "certificate:proxy.expired", "?")),
    ("backup", Verdict::Warn, |world| world.cell(Fact::Databases, "data_persistence", "disabled")),
    ("backup", Verdict::Warn, |world| world.cell(Fact::Databases, "backup", "false")),
    ("backup", Verdict::Warn, |world| {
        world.cell(Fact::Databases, "last_backup_time", "2026-05-31T11:59:59Z")
    }),
    ("backup", Verdict::Warn, |world| world.cell(Fact::Databases, "last_backup_time", "")),
    ("auto-upgrade", Verdict::Warn, |world| world.cell(Fact::Databases, "auto_upgrade", "true")),
    ("auto-upgrade", Verdict::Warn, |world| world.cell(Fact::Databases, "auto_upgrade", "perhaps")),
    ("active-active-order", Verdict::Warn, |world| {
        let database = row(&[("guid", "6c1d"), ("name", "carts"), ("clusters", "a.example,b.example")]);
        world.rows(Fact::ActiveActive, |rows| rows.push(database.clone()));
    }),
    ("replica-ha", Verdict::Warn, |world| grace(world, 599)),
];

/// One spoiled world for each check that was there before facts had names.
pub(super) const OTHERS: &[Case] = &[
    ("membership", Verdict::Block, |world| drop(world.snapshot.agents.pop())),
    ("one-cluster", Verdict::Block, |world| world.snapshot.view(2).local = NodeUid(1)),
    ("master", Verdict::CannotTell, |world| world.snapshot.view(2).nodes[0].role = None),
    ("path", Verdict::Block, |world| world.target = Version::new(8, 0, 22, 1)),
    ("versions", Verdict::CannotTell, |world| {
        world.snapshot.view(2).nodes[0].version = Some(Version::new(7, 4, 2, 53));
    }),
    ("health", Verdict::Block, |world| {
        world.snapshot.every_view(|view| view.shards[0].status = Health::NotOk("DOWN".to_owned()));
    }),
    ("maintenance", Verdict::Block, |world| {
        world.snapshot.facts(1).snapshots = Probe::Known(vec!["maintenance_mode_x".to_owned()]);
    }),
    ("maintenance", Verdict::Block, |world| {
        world.snapshot.every_view(|view| view.nodes[1].max_shards = Some(0))
    }),
    ("actions", Verdict::Block, |world| {
        world.snapshot.facts(0).running_actions = Probe::Known(vec!["1) Task".to_owned()]);
    }),
    ("rlcheck", Verdict::Block, |world| {
        let failed = proto::Rlcheck { passed: false, tests: Vec::new(), failures: vec!["x".to_owned()] };
        world.snapshot.facts(1).rlcheck = Some(Probe::Known(failed));
    }),
    ("upgrade-mode", Verdict::Warn, |world| world.snapshot.facts(0).upgrade_mode = Probe::Known(true)),
    ("claim", Verdict::Block, |world| {
        let (run, cluster) = ("r1".parse().unwrap(), "orders".parse().unwrap());
        let claim = Claim { run, cluster, epoch: Epoch(1), holder: "ann@ops1".to_owned(), since: noon() };
        world.snapshot.facts(1).claim = Some(claim);
    }),
    ("idle", Verdict::Block, |world| {
        let step = "r.h0.n1.install.a1".parse().unwrap();
        world.snapshot.facts(2).current_step =
            Some(StepInFlight { step, kind: StepKind::Install, since: noon() });
    }),
    ("platform", Verdict::Block, |world| {
        let os = proto::OperatingSystem { name: "Ubuntu 24.04".to_owned(), token: None };
        world.snapshot.facts(0).os = Probe::Known(os);
    }),
    ("installation", Verdict::CannotTell, |world| {
        world.snapshot.facts(0).installation = Probe::Unknown("no such file".to_owned());
    }),
    ("install-args", Verdict::Block, |world| {
        world.every_agent(|facts| facts.install_args = vec!["-i".to_owned()])
    }),
    ("package", Verdict::Block, |world| {
        world.snapshot.facts(1).sources[0].size = Probe::Unknown("404 Not Found".to_owned());
    }),
    ("package-checksum", Verdict::Warn, |world| {
        world.catalogue[0].verdict = crate::catalogue::VendorVerdict::NotPublished;
    }),
    ("signed-catalogue", Verdict::Block, |world| world.signed = Some(Err("it is not signed".to_owned()))),
    ("disk", Verdict::Block, |world| {
        for disk in &mut world.snapshot.facts(1).disks {
            disk.room = Probe::Known(proto::Room { free: 0, total: 1 << 40 });
        }
    }),
    ("database-versions", Verdict::Block, |world| {
        world.snapshot.every_view(|view| view.databases[0].redis_version = Some("5.0.14".to_owned()));
    }),
    ("quorum", Verdict::Block, |world| {
        world.snapshot.every_view(|view| view.nodes[2].status = Health::NotOk("DOWN".to_owned()));
    }),
    ("replication", Verdict::Warn, |world| {
        world.snapshot.every_view(|view| view.databases[0].replicated = Some(false));
    }),
    ("clocks", Verdict::Block, |world| {
        world.snapshot.facts(1).observed_at += jiff::SignedDuration::from_secs(6);
    }),
    ("end-of-life", Verdict::Warn, |world| world.target = Version::new(7, 2, 4, 52)),
    ("membership", Verdict::CannotTell, |world| {
        world.snapshot.agents[1].answer = Err(Failure::retry("unreachable", "no answer"));
    }),
];

/// A check, and a world that it must refuse.
type Refused = (&'static str, fn() -> World);

/// Worlds whose fault depends on the way.
pub(super) const ON_THE_WAY: &[Refused] = &[
    ("os-support", || World::upgrading("7.4.2-54", &["7.8.2-34"]).on("bionic", proto::Arch::Amd64)),
    ("os-support", || World::new().on("rhel9", proto::Arch::Amd64).in_fips_mode()),
    ("reserved-ports", || {
        let mut world = World::upgrading("7.4.2-54", &["7.22.0-95"]);
        world.tell(1, Fact::Listeners, listener("tcp", "9091", "prometheus"));
        world.snapshot.facts(1).system.listening_ports = Probe::Known(vec![9091]);
        world
    }),
    ("memory", || {
        let mut world = World::upgrading("7.4.2-54", &["8.0.2-17"]);
        world.snapshot.facts(1).system.memory_total = Probe::Known(1 << 30);
        world
    }),
    ("redis-upgrade-policy", || {
        let mut world = World::upgrading("6.2.10-90", &["7.8.2-34"]);
        world.snapshot.every_view(|view| view.databases[0].redis_version = Some("6.0.16".to_owned()));
        world
    }),
];

impl World {
    fn in_fips_mode(mut self) -> Self {
        (0..3).for_each(|index| self.tell(index, Fact::Fips, FactValue::Flag(true)));
        self
    }
}

fn service(state: &str) -> FactValue {
    FactValue::Rows(vec![row(&[("service", "cnm_exec"), ("state", state)])])
}

fn certificate(not_after: &str) -> FactValue {
    FactValue::Rows(vec![row(&[("file", "/etc/opt/redislabs/proxy_cert.pem"), ("not_after", not_after)])])
}

/// A listener that is not the product's.
pub(super) fn listener(protocol: &str, port: &str, process: &str) -> FactValue {
    let cells = [
        ("protocol", protocol),
        ("address", "127.0.0.53"),
        ("port", port),
        ("process", process),
        ("product", "no"),
    ];
    FactValue::Rows(vec![row(&cells)])
}

fn alert(world: &mut World, name: &str) {
    let alert = row(&[("scope", "cluster"), ("alert", name), ("severity", "WARNING")]);
    world.rows(Fact::Alerts, |rows| rows.push(alert.clone()));
}

#[test]
fn what_is_amiss_is_told_with_its_place_and_what_to_do() {
    spoil_each(OF_NODES);
    spoil_each(OF_CLUSTER);
    for (check, verdict, spoil) in OF_NODES.iter().chain(OF_CLUSTER) {
        let mut world = World::new();
        spoil(&mut world);
        let findings = world.preflight();
        let finding = super::worst(&findings, check);
        assert!(verdict.blocks() == finding.blocks());
        assert!(finding.remedy.is_some() || *verdict == Verdict::Info, "{finding}");
        assert!(!finding.source.is_empty(), "{finding}");
    }
    for (check, _, spoil) in OF_NODES {
        let mut world = World::new();
        spoil(&mut world);
        let findings = world.preflight();
        assert_eq!(super::worst(&findings, check).node, Some(NodeUid(2)), "{check}");
    }
}
