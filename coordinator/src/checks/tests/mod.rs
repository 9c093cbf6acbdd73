//! Each check is shown what it must refuse; and no spoiled fact ever passes a gate.

mod cluster;
mod gate;
mod hops;
mod missing;
mod named;
mod node;
mod packages;
mod quiet;
mod readers;
mod rows;
mod spoils;

use proto::{
    Arch, DiskUse, Fact, FactValue, NodeUid, OperatingSystem, OsToken, Package, Probe, Room, RunId, Sha256,
    SourceFacts, Version,
};

use super::{Context, Finding, Stage, Verdict, check_all};
use crate::catalogue::{CatalogueEntry, Origin, VendorVerdict};
use crate::paths::{Table, find_path};
use crate::snapshot::Snapshot;
use crate::snapshot::sample::{healthy, noon};

/// What the checks are asked about, all well until a test spoils it.
struct World {
    snapshot: Snapshot,
    table: Table,
    catalogue: Vec<CatalogueEntry>,
    signed: Option<crate::catalogue::OwnersWord>,
    run: Option<RunId>,
    from: Version,
    target: Version,
}

const URL: &str = "https://mirror.example/redislabs-7.4.6-22-focal-amd64.tar";

impl World {
    /// Three healthy nodes at 7.4.2-54, and the package of 7.4.6-22.
    fn new() -> Self {
        Self::of(3)
    }

    fn of(nodes: u32) -> Self {
        let mut snapshot = healthy(nodes);
        for index in 0..snapshot.agents.len() {
            let source = SourceFacts { url: URL.to_owned(), size: Probe::Known(Some(1 << 30)) };
            snapshot.facts(index).sources = vec![source];
            settle(snapshot.facts(index), u64::from(nodes));
        }
        let package = Package {
            sha256: Sha256::of(b"package"),
            version: Version::new(7, 4, 6, 22),
            os: OsToken("focal".to_owned()),
            arch: Arch::Amd64,
            size: Some(1 << 30),
            sources: vec![URL.to_owned()],
        };
        let verdict = VendorVerdict::Matches { source: "note".to_owned() };
        let catalogue =
            vec![CatalogueEntry { package, added_at: None, added_by: None, verdict, origin: Origin::Store }];
        let table = Table::vendor().unwrap();
        let (from, target) = (Version::new(7, 4, 2, 54), Version::new(7, 4, 6, 22));
        Self { snapshot, table, catalogue, signed: None, run: None, from, target }
    }

    /// The same cluster at another version, on its way to another one.
    fn upgrading(from: &str, targets: &[&str]) -> Self {
        let mut world = Self::new();
        world.from = from.parse().unwrap();
        (1..=3).for_each(|uid| world.snapshot.install(uid, world.from));
        let entry = world.catalogue.remove(0);
        for target in targets {
            let mut entry = entry.clone();
            entry.package.version = target.parse().unwrap();
            world.target = entry.package.version;
            world.catalogue.push(entry);
        }
        world
    }

    /// Moves every node to an operating system, and the packages with them.
    fn on(mut self, os: &str, arch: Arch) -> Self {
        self.every_agent(|facts| {
            facts.os =
                Probe::Known(OperatingSystem { name: os.to_owned(), token: Some(OsToken(os.to_owned())) });
            facts.arch = Probe::Known(arch);
        });
        for entry in &mut self.catalogue {
            (entry.package.os, entry.package.arch) = (OsToken(os.to_owned()), arch);
        }
        self
    }

    fn every_agent(&mut self, change: impl Fn(&mut proto::NodeFacts)) {
        (0..self.snapshot.agents.len()).for_each(|index| change(self.snapshot.facts(index)));
    }

    /// Lets one agent tell a fact.
    fn tell(&mut self, index: usize, fact: Fact, value: FactValue) {
        self.snapshot.facts(index).details.0.insert(fact, Probe::Known(value));
    }

    /// Changes the rows of a table that all agents tell.
    fn rows(&mut self, fact: Fact, change: impl Fn(&mut Vec<proto::Row>)) {
        self.every_agent(|facts| match facts.details.0.get_mut(&fact) {
            Some(Probe::Known(FactValue::Rows(rows))) => change(rows),
            other => panic!("{other:?}"),
        });
    }

    /// Changes a cell of every row of a table that all agents tell.
    fn cell(&mut self, fact: Fact, key: &str, value: &str) {
        self.rows(fact, |rows| {
            rows.iter_mut().for_each(|row| drop(row.insert(key.to_owned(), value.to_owned())));
        });
    }

    /// No agent knows a fact.
    fn forget(&mut self, fact: Fact) {
        self.every_agent(|facts| {
            drop(facts.details.0.insert(fact, Probe::Unknown("nobody asked".to_owned())))
        });
    }

    fn preflight(&self) -> Vec<Finding> {
        let packages: Vec<Package> = self.catalogue.iter().map(|entry| entry.package.clone()).collect();
        let path = find_path(&self.table, self.from, self.target, &packages);
        self.ask(Stage::Preflight { target: self.target, path: Some(&path) })
    }

    fn gate(&self) -> Result<super::Cleared, Vec<Finding>> {
        super::gate(&self.context(Stage::Gate { node: NodeUid(1), to: self.target }))
    }

    fn ask(&self, stage: Stage<'_>) -> Vec<Finding> {
        check_all(&self.context(stage))
    }

    fn context<'a>(&'a self, stage: Stage<'a>) -> Context<'a> {
        Context {
            snapshot: &self.snapshot,
            table: &self.table,
            catalogue: &self.catalogue,
            signed: self.signed.as_ref(),
            stage,
            accepted: &[],
            run: self.run.as_ref(),
            now: noon(),
        }
    }
}

/// A node of a platform that all versions here are listed for, with a `/tmp` of the size the vendor wants.
fn settle(facts: &mut proto::NodeFacts, nodes: u64) {
    let token = Some(OsToken("focal".to_owned()));
    facts.os = Probe::Known(OperatingSystem { name: "Ubuntu 20.04".to_owned(), token });
    let room = Probe::Known(Room { free: nodes * (100 << 30), total: nodes * (100 << 30) });
    for disk in facts.disks.iter_mut().filter(|disk| disk.purpose == DiskUse::Tmp) {
        (disk.device, disk.room) = (2, room.clone());
    }
}

/// A row of a table.
fn row(cells: &[(&str, &str)]) -> proto::Row {
    cells.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The worst a check said.
fn worst<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let of_check = findings.iter().filter(|finding| finding.check == check);
    of_check.max_by_key(|finding| finding.verdict).unwrap_or_else(|| panic!("{check} was not asked"))
}

/// One way to spoil a world, the check that must notice, and how strongly.
type Case = (&'static str, Verdict, fn(&mut World));

/// Spoils a world in each way and looks at the preflight.
fn spoil_each(cases: &[Case]) {
    for (index, (check, verdict, spoil)) in cases.iter().enumerate() {
        let mut world = World::new();
        assert_eq!(worst(&world.preflight(), check).verdict, Verdict::Pass, "{check} is well at first");
        spoil(&mut world);
        let findings = world.preflight();
        let finding = worst(&findings, check);
        assert_eq!(finding.verdict, *verdict, "case {index}: {finding}");
        assert!(!finding.saw.is_empty() && !finding.why.is_empty(), "case {index}: {finding:?}");
    }
}

#[test]
fn all_is_well_with_a_healthy_cluster() {
    let findings = World::new().preflight();
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Pass), "{findings:#?}");
    assert!(findings.len() >= super::ALL.len() - 1);
    World::new().gate().unwrap();
}

#[test]
fn every_check_has_a_name_of_its_own_and_a_source() {
    let mut ids: Vec<&str> = super::ALL.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), super::ALL.len());
    for check in super::ALL {
        assert!(!check.title.is_empty() && !check.source.is_empty(), "{}", check.id);
    }
}

#[test]
fn of_an_empty_cluster_nothing_can_be_told() {
    let mut world = World::new();
    world.snapshot.agents.clear();
    for finding in world.preflight() {
        let harmless = ["path", "end-of-life", "signed-catalogue"].contains(&finding.check.as_str());
        assert!(finding.verdict.blocks() || harmless, "{finding}");
    }
    let survey = world.ask(Stage::Survey);
    assert!(survey.iter().all(|finding| finding.verdict == Verdict::CannotTell), "{survey:#?}");
    assert!(world.gate().is_err());
}
