//! Plans around hazards.

use std::path::Path;

use super::plan::{cluster, turns};
use super::{catalogue, version};
use crate::advisories::Advisories;
use crate::checks::{Acceptance, Finding};
use crate::paths::Table;
use crate::plan::{Planned, Wanted, make_plan};
use crate::snapshot::Snapshot;
use crate::snapshot::sample::noon;

/// The operator's own: nothing may stop at 7.8.2-34.
const OWN: &str = r#"
schema = 1
[[advisory]]
id = "not-7.8.2-34"
title = "we do not want it"
severity = "block"
target = "=7.8.2-34"
when = { fact = "os", is = "jammy" }
why = "w"
remedy = "take another"
source = "our own"
"#;

fn plan(snapshot: &Snapshot, to: &str, at_hand: &[&str], accepted: &[Acceptance]) -> Planned {
    let own = Advisories::vendor().unwrap().with_own(OWN, Path::new("/own.toml")).unwrap();
    make_plan(&Wanted {
        snapshot,
        target: version(to),
        catalogue: &catalogue(at_hand),
        signed: None,
        table: &Table::vendor().unwrap(),
        advisories: &own,
        settings: &[],
        accepted,
        hooks: &[],
        now: noon(),
    })
}

fn way(planned: Planned) -> String {
    match planned {
        Planned::Plan(plan) => turns(&plan),
        other => panic!("{other:#?}"),
    }
}

const AT_HAND: [&str; 3] = ["7.4.6-22", "7.8.2-34", "8.2.0-46"];

#[test]
fn a_stop_that_an_advisory_blocks_is_gone_around() {
    let snapshot = cluster(&["6.4.2-30"; 3], &AT_HAND);
    let around = way(plan(&snapshot, "8.2.0-46", &AT_HAND, &[]));
    assert!(around.contains("→ 7.4.6-22 |") && !around.contains("7.8.2-34"), "{around}");
}

#[test]
fn a_hazard_that_somebody_accepts_is_none() {
    let snapshot = cluster(&["6.4.2-30"; 3], &AT_HAND);
    let accepted = ["not-7.8.2-34=we tried it".parse().unwrap()];
    let through = way(plan(&snapshot, "8.2.0-46", &AT_HAND, &accepted));
    assert!(through.contains("→ 7.8.2-34 |"), "{through}");
}

#[test]
fn where_there_is_no_way_around_the_advisory_blocks() {
    let at_hand = ["7.8.2-34", "8.2.0-46"];
    let snapshot = cluster(&["6.4.2-30"; 3], &at_hand);
    let Planned::Blocked { findings } = plan(&snapshot, "8.2.0-46", &at_hand, &[]) else { panic!() };
    let blocking: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.blocks())
        .map(|finding: &Finding| finding.check.as_str())
        .collect();
    assert_eq!(blocking, ["not-7.8.2-34"]);
}

#[test]
fn a_stop_that_brings_no_redis_for_a_database_is_gone_around() {
    let at_hand = ["7.4.6-22", "7.8.4-66", "8.2.0-46"];
    let mut snapshot = cluster(&["6.2.18-70"; 3], &at_hand);
    snapshot.every_view(|view| view.databases[0].redis_version = Some("6.0.13".to_owned()));
    let around = way(plan(&snapshot, "8.2.0-46", &at_hand, &[]));
    assert!(around.contains("→ 7.4.6-22 |"), "{around}");
    snapshot.every_view(|view| view.databases[0].redis_version = Some("6.2.13".to_owned()));
    let highest = way(plan(&snapshot, "8.2.0-46", &at_hand, &[]));
    assert!(highest.contains("→ 7.8.4-66 |"), "{highest}");
}

#[test]
fn no_stop_is_added_for_a_database_that_can_be_upgraded_before_the_first_hop() {
    let at_hand = ["7.4.6-22", "7.8.6-60", "7.22.0-95"];
    let mut snapshot = cluster(&["7.4.2-54"; 3], &at_hand);
    snapshot.every_view(|view| view.databases[0].redis_version = Some("6.0.16".to_owned()));
    for to in ["7.8.6-60", "7.22.0-95"] {
        let Planned::Blocked { findings } = plan(&snapshot, to, &at_hand, &[]) else { panic!("{to}") };
        let blocking: Vec<&Finding> = findings.iter().filter(|finding| finding.blocks()).collect();
        let [only] = blocking.as_slice() else { panic!("{blocking:#?}") };
        assert_eq!(only.check, "database-versions");
        assert!(only.remedy.as_deref().is_some_and(|remedy| remedy.starts_with("rladmin upgrade db db:1")));
    }
}

#[test]
fn a_plan_remembers_what_it_was_judged_by() {
    let snapshot = cluster(&["7.4.2-54"; 3], &["7.4.6-22"]);
    let Planned::Plan(plan) = plan(&snapshot, "7.4.6-22", &["7.4.6-22"], &[]) else { panic!() };
    assert!(plan.advisories_digest.is_some_and(|digest| digest != Advisories::vendor().unwrap().digest()));
    assert!(plan.findings.iter().any(|finding| finding.check == "advisories"));
}
