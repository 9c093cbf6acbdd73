//! The vendor's file as a whole: nothing of what we know of is left out or said twice.

use std::collections::{BTreeMap, BTreeSet};

use super::vendor;
use crate::advisories::gates::severity;
use crate::advisories::{Advisories, Judged};
use crate::checks::{self, Severity};
use crate::paths::Table;

/// Every id of fact sheet §7.3; those without one have words.
const KNOWN_ISSUES: &str = "RS196656 RS199373 RS171340 RS192584 RS192586 RS195106 RS200495 RS200137 RS202176 RS182007 \
    RS177450 RS160378 RS134225 RS155261 RS160539 RS148302 RS103760 RS142899 RS184743 RS176498 RS191210 RS208976 \
    RS197912 RS181962 RS192048 RS196903 RS191347 RS191290 RS193156 RS196225 RS128254 RS129900 RS119705 RS122062 \
    RS119350 RS113727 RS106070 RS114185 RS110481 RS110204 RS105989 RS107909 RS108233 RS95344 RS78028 RS77319 RS54226 \
    RS63375 RS67434 RS65370 RS57734 RS49404 RS43996 RS31747 RS36922 RS30063 RLEC-11209 RLEC-11941";
const WITHOUT_AN_ID: [&str; 4] = [
    "§7.3 proxy-cert comments",
    "§7.3 certificates changed on disk",
    "§7.3 rolling add with old modules",
    "§7.3 8.2 sign-outs",
];
/// Rows of fact sheet §6 that are about certain releases.
const ROWS: [u8; 11] = [22, 23, 26, 27, 29, 30, 31, 32, 33, 37, 39];

fn places(advisories: &Advisories) -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    let rules = advisories.all().iter().flat_map(|advisory| advisory.rules.iter());
    for rule in rules.chain(advisories.unchecked().iter().map(|unchecked| &unchecked.rule)) {
        *places.entry(rule.clone()).or_insert(0) += 1;
    }
    places
}

#[test]
fn every_rule_and_known_issue_is_in_exactly_one_place() {
    let places = places(&vendor());
    let rules = (1..=40).map(|number| format!("A{number}"));
    let issues = KNOWN_ISSUES.split_whitespace().chain(WITHOUT_AN_ID).map(str::to_owned);
    let wanted: BTreeSet<String> = rules.chain(issues).collect();
    assert_eq!(wanted.len(), 40 + 58 + 4);
    for rule in wanted {
        assert_eq!(places.get(&rule), Some(&1), "{rule}");
    }
    for row in ROWS {
        assert!(places.contains_key(&format!("§6 {row}")), "row {row}");
    }
}

#[test]
fn what_keeps_a_promise_says_so() {
    let advisories = vendor();
    for (rule, promise) in [("A4", "P4"), ("A5", "P3"), ("A36", "P11")] {
        let covers = |rules: &[String]| rules.iter().any(|it| it == rule);
        let advisory = advisories.all().iter().find(|advisory| covers(&advisory.rules)).unwrap();
        assert_eq!(advisory.promise.as_deref(), Some(promise), "{rule}");
    }
}

#[test]
fn every_gate_of_the_table_is_judged_by_somebody_with_the_same_severity() {
    let advisories = vendor();
    let table = Table::vendor().unwrap();
    assert_eq!(table.gates().len(), 12);
    for gate in table.gates() {
        let advisory = advisories.explain(&gate.id).unwrap_or_else(|| panic!("{}", gate.id));
        assert_eq!(advisory.severity, severity(gate.weight), "{}", gate.id);
    }
}

#[test]
fn a_check_says_at_least_what_an_advisory_leaves_to_it() {
    for advisory in vendor().all() {
        let Judged::ByChecks(ids) = &advisory.judged else { continue };
        let checks: Vec<_> = checks::ALL.iter().filter(|check| ids.contains(&check.id.to_owned())).collect();
        let strong = checks.iter().any(|check| check.severity >= advisory.severity);
        assert!(checks.is_empty() || strong, "{}", advisory.id);
    }
}

#[test]
fn only_a_narrow_block_may_block_where_nobody_can_tell() {
    let open = |advisory: &&crate::advisories::Advisory| {
        advisory.condition().is_some() && advisory.cannot_tell == Severity::Block
    };
    let advisories = vendor();
    let ids: Vec<&str> = advisories.all().iter().filter(open).map(|advisory| advisory.id.as_str()).collect();
    let expected = [
        "openssl33-rhel9",
        "openssl102-rhel7",
        "proxy-certificate-comments",
        "custom-directories-active-active",
        "broken-5.4.6",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn the_digest_is_of_everything_that_is_said() {
    let own = "schema = 1\n[[unchecked]]\nrule = \"X\"\nreason = \"r\"\n";
    let path = std::path::Path::new("/etc/ratchet/advisories.toml");
    let with_own = vendor().with_own(own, path).unwrap();
    assert_ne!(with_own.digest(), vendor().digest());
    assert_eq!(with_own.digest(), vendor().with_own(own, path).unwrap().digest());
    assert_eq!(with_own.unchecked().len(), vendor().unchecked().len() + 1);
}
