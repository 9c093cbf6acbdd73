//! Gates of a newer table that this version cannot judge.

use std::collections::BTreeSet;

use super::snapshots::{findings_with, world};
use super::{vendor, version};
use crate::checks::Verdict;
use crate::paths::{Origin, Table};

const GATE: &str = r#"
[[gate]]
id = "flux-capacitor"
target = ">=7.4.0, <7.5.0"
target_build_min = "7.4.6-22"
target_build_max = "7.4.6-99"
os = "jammy"
check = "1.21 GW at hand"
severity = "block"
source = "s"
"#;

fn table(gate: &str) -> Result<Table, String> {
    let text = format!("{}\n{gate}", include_str!("../../../data/upgrade-paths.toml"));
    Table::parse(&text, Origin::BuiltIn).map_err(|error| error.to_string())
}

fn of_gate(gate: &str, to: &str) -> Vec<(Verdict, String)> {
    let findings = findings_with(&vendor(), &table(gate).unwrap(), &world(), &[("7.4.2-54", to)]);
    let of_gate = findings.into_iter().filter(|finding| finding.check == "flux-capacitor");
    of_gate.map(|finding| (finding.verdict, finding.remedy.unwrap_or_default())).collect()
}

#[test]
fn a_gate_nobody_can_judge_cannot_be_told() {
    let found = of_gate(GATE, "7.4.6-22");
    assert_eq!(found[0].0, Verdict::CannotTell);
    assert!(found[0].1.contains("--accept flux-capacitor="), "{found:?}");
    assert_eq!(of_gate(&GATE.replace("block", "warn"), "7.4.6-22")[0].0, Verdict::Warn);
    assert_eq!(of_gate(&GATE.replace("block", "info"), "7.4.6-22")[0].0, Verdict::Info);
}

#[test]
fn a_gate_about_something_else_says_nothing() {
    assert_eq!(of_gate(GATE, "7.4.6-102"), [], "above its builds");
    assert_eq!(of_gate(GATE, "7.8.2-34"), [], "another line");
    assert_eq!(of_gate(&GATE.replace("jammy", "rhel9"), "7.4.6-22"), [], "another system");
    let from = GATE.replace("os = \"jammy\"", "from = \"<7.4.0\"");
    assert_eq!(of_gate(&from, "7.4.6-22"), [], "from elsewhere");
}

#[test]
fn an_operating_system_that_is_not_known_may_be_the_one() {
    let mut snapshot = world();
    snapshot.facts(1).os = proto::Probe::Unknown("no os-release".to_owned());
    let gate = GATE.replace("jammy", "rhel9");
    let found = findings_with(&vendor(), &table(&gate).unwrap(), &snapshot, &[("7.4.2-54", "7.4.6-22")]);
    assert!(found.iter().any(|finding| finding.check == "flux-capacitor"));
}

#[test]
fn gates_are_read_as_strictly_as_paths() {
    table(GATE).unwrap();
    for (what, with) in [
        ("id = ", "ident = "),
        ("target = ", "targets = "),
        (">=7.4.0, <7.5.0", "7.4.x"),
        ("\"7.4.6-22\"", "\"7.4.6\""),
        ("severity = \"block\"", "severity = \"maybe\""),
        ("flux-capacitor", "openssl33-rhel9"),
        ("source = \"s\"", ""),
    ] {
        assert!(GATE.contains(what), "{what}");
        assert!(table(&GATE.replacen(what, with, 1)).is_err(), "{what} → {with}");
    }
    let error = table(&GATE.replace(">=7.4.0, <7.5.0", "7.4.x")).unwrap_err();
    assert!(error.contains("[[gate]] row 13"), "{error}");
}

#[test]
fn the_vendors_own_gates_are_never_left_over() {
    let advisories = vendor();
    let table = Table::vendor().unwrap();
    let hops = [("7.4.2-54", "8.0.16-33"), ("7.4.2-54", "8.2.0-46"), ("6.0.8-28", "6.2.8-39")];
    for hop in hops {
        assert!(version(hop.0) < version(hop.1));
        let checks: BTreeSet<String> =
            findings_with(&advisories, &table, &world(), &[hop]).into_iter().map(|it| it.check).collect();
        let known = |id: &String| id == "advisories" || advisories.explain(id).is_some();
        assert!(checks.iter().all(known), "{checks:?}");
    }
}
