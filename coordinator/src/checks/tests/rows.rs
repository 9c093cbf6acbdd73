//! Every row of the vendor's preflight list is answered.

use super::super::ALL;

/// How a row of the list (fact sheet §6) is answered.
enum Answer {
    /// By these checks.
    Checks(&'static [&'static str]),
    /// By advisories: it depends on versions, and is data.
    Advisory,
}

use Answer::{Advisory, Checks};

const ROWS: [Answer; 43] = [
    Checks(&["path"]),
    Checks(&["versions", "path"]),
    Checks(&["package", "platform"]),
    Checks(&["os-support"]),
    Checks(&["package-checksum"]),
    Checks(&["rlcheck"]),
    Checks(&["health"]),
    Checks(&["maintenance"]),
    Checks(&["database-versions"]),
    Checks(&["redis-upgrade-policy", "database-versions"]),
    Checks(&["actions", "background-work", "health"]),
    Checks(&["quorum", "membership"]),
    Checks(&["master"]),
    Checks(&["replication"]),
    Checks(&["backup"]),
    Checks(&["disk", "tmp-room"]),
    Checks(&["reserved-ports"]),
    Checks(&["port-53", "port-range"]),
    Checks(&["swap"]),
    Checks(&["clocks", "time-sync"]),
    Checks(&["privileges"]),
    Advisory,
    Advisory,
    Checks(&["licence", "alerts"]),
    Checks(&["certificates", "alerts"]),
    Advisory,
    Advisory,
    Checks(&["active-active-order"]),
    Advisory,
    Advisory,
    Advisory,
    Advisory,
    Advisory,
    Checks(&["replica-ha"]),
    Checks(&["auto-upgrade"]),
    Checks(&["upgrade-mode"]),
    Advisory,
    Checks(&["logrotate"]),
    Advisory,
    Checks(&["security-agents"]),
    Checks(&["node-count"]),
    Checks(&["maintenance"]),
    Checks(&["dependencies"]),
];

#[test]
fn every_row_of_the_preflight_list_is_answered() {
    let mut advisories = Vec::new();
    for (row, answer) in (1..).zip(&ROWS) {
        match answer {
            Checks(ids) => {
                assert!(!ids.is_empty(), "row {row}");
                for id in *ids {
                    assert!(ALL.iter().any(|check| check.id == *id), "row {row}: there is no check `{id}`");
                }
                let says_so = |id: &&str| {
                    let check = ALL.iter().find(|check| check.id == *id);
                    check.is_some_and(|check| names(check.source, row))
                };
                assert!(ids.iter().any(says_so), "row {row}: no check of {ids:?} cites it");
            }
            Advisory => advisories.push(row),
        }
    }
    assert_eq!(advisories, [22, 23, 26, 27, 29, 30, 31, 32, 33, 37, 39]);
}

/// Whether a source cites this row: `§6 no. 9 and 10`.
fn names(source: &str, row: u32) -> bool {
    let Some((_, rows)) = source.split_once("§6 no. ") else { return false };
    let numbers = rows.split(|letter: char| !letter.is_ascii_digit()).take_while(|word| word.len() < 3);
    numbers.into_iter().any(|number| number.parse() == Ok(row))
}
