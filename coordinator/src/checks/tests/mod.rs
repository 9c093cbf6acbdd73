//! Each check is shown what it must refuse; and no spoiled fact ever passes a gate.

mod cluster;
mod gate;
mod node;
mod packages;

use proto::{Arch, NodeUid, OsToken, Package, Probe, RunId, Sha256, SourceFacts, Version};

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
    run: Option<RunId>,
    target: Version,
}

const URL: &str = "https://mirror.example/redislabs-7.4.6-22-jammy-amd64.tar";

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
        }
        let package = Package {
            sha256: Sha256::of(b"package"),
            version: Version::new(7, 4, 6, 22),
            os: OsToken("jammy".to_owned()),
            arch: Arch::Amd64,
            size: Some(1 << 30),
            sources: vec![URL.to_owned()],
        };
        let verdict = VendorVerdict::Matches { source: "note".to_owned() };
        let catalogue = vec![CatalogueEntry { package, added_at: None, verdict, origin: Origin::Store }];
        let table = Table::vendor().unwrap();
        Self { snapshot, table, catalogue, run: None, target: Version::new(7, 4, 6, 22) }
    }

    fn preflight(&self) -> Vec<Finding> {
        let packages: Vec<Package> = self.catalogue.iter().map(|entry| entry.package.clone()).collect();
        let path = find_path(&self.table, Version::new(7, 4, 2, 54), self.target, &packages);
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
            stage,
            accepted: &[],
            run: self.run.as_ref(),
            now: noon(),
        }
    }
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
        let harmless = ["path", "end-of-life"].contains(&finding.check.as_str());
        assert!(finding.verdict.blocks() || harmless, "{finding}");
    }
    let survey = world.ask(Stage::Survey);
    assert!(survey.iter().all(|finding| finding.verdict == Verdict::CannotTell), "{survey:#?}");
    assert!(world.gate().is_err());
}
