//! Damaged output never panics a reader, and never looks healthier than it was (promise P5).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use agent::parse::{
    database_info, env_config, info, install_log, master, modules, node_info, os_release, rlcheck,
    running_actions, services, snapshot_list, status, strip_ansi, version,
};
use proptest::prelude::*;
use proto::NodeUid;
use support::{good, read, sample_names};

const HEALTHY: &str = include_str!("data/status-three-nodes.txt");
const TROUBLED: &str = include_str!("data/status-troubled.txt");

/// Lists of settings and of services.
const LISTS: [&str; 3] = [
    "db:1 [db1]:\n    maxclients: 10000\n    slave_ha: disabled (database)\n",
    "Command Output: node:1\n    quorum only: disabled\n    max redis servers: 100\n",
    "node_wd    RUNNING   pid 7, uptime 0:01:00\ncm_server  STOPPED   Not started\n",
];

/// Copies of a healthy output with exactly one fault each.
fn one_fault_each() -> Vec<String> {
    [
        ("OK. Cluster master: 1", "ERROR. Cluster master: 1"),
        ("Cluster health: OK", "Cluster health: DEGRADED"),
        (
            "n2       0       1      10.91GB           1/100",
            "n2       0       1      10.91GB           1/0  ",
        ),
        ("7.4.2-54  5c2106 -       OK    \nnode:2", "7.4.2-54  5c2106 -       DOWN  \nnode:2"),
        ("redis active 1", "redis pending 1"),
        ("N/A        N/A                N/A", "running    SMUpdateBDB        N/A"),
        ("single No  OK  ", "single No  DOWN"),
        ("4.73MB   OK  ", "4.73MB   DOWN"),
        ("OK, OLD REDIS VERSION", "OK, DEGRADED         "),
        ("4.62MB   OK              OK     ", "4.62MB   OK              loading"),
    ]
    .map(|(was, is)| {
        assert_eq!(HEALTHY.matches(was).count(), 1, "{was}");
        HEALTHY.replace(was, is)
    })
    .to_vec()
}

fn all_ok(text: &str) -> bool {
    status::parse(text).is_ok_and(|view| view.problems().is_empty())
}

fn read_with_everything(text: &str) {
    let _ =
        (status::parse(text), status::parse_report(text), running_actions::parse(text), master::parse(text));
    let _ =
        (rlcheck::parse(text, true), install_log::parse(text), snapshot_list::parse(text), info::parse(text));
    let _ = (env_config::parse(text).path("installdir"), os_release::parse(text), version::parse(text));
    let _ = (database_info::parse(text, &[1]), node_info::parse(text, NodeUid(1)), modules::parse(text));
    let _ = (services::parse(text), strip_ansi(text));
}

/// The text up to each of its characters.
fn truncations(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(end, _)| &text[..end])
}

/// The text without each of its lines.
fn deletions(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let without =
        |gone: usize| lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| *line).collect();
    (0..lines.len()).map(without).collect()
}

/// Whatever a damaged copy calls good was called good before.
fn not_healthier(original: &str, damaged: &str) {
    let Ok(damaged_report) = status::parse_report(damaged) else { return };
    let mut before = status::parse_report(original).map(|report| good(&report)).unwrap_or_default();
    // One file was published with `...` for its tables. That unknown line is its whole fault; losing it is the cure.
    if original.contains("\n...\n") {
        before.insert("cluster".to_owned());
    }
    let after = good(&damaged_report);
    assert!(after.is_subset(&before), "{:?}\n{damaged}", after.difference(&before));
}

#[test]
fn the_fixtures_are_what_they_are_called() {
    assert!(all_ok(HEALTHY));
    let troubled = status::parse(TROUBLED).unwrap().problems();
    let subjects: Vec<&str> = troubled.iter().map(|problem| problem.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["node:2", "db:2", "endpoint:2:1", "redis:2", "redis:2", "redis:3", "redis:4", "db:2", "node:3"]
    );
    for fault in one_fault_each() {
        assert_eq!(status::parse(&fault).unwrap().problems().len(), 1, "{fault}");
    }
}

#[test]
fn cut_off_anywhere() {
    for text in sample_names().iter().map(|name| read(name)).chain([HEALTHY.to_owned(), TROUBLED.to_owned()])
    {
        for cut in truncations(&text) {
            read_with_everything(cut);
            assert!(!all_ok(cut), "{cut}");
            not_healthier(&text, cut);
            // Only the line's end may be missing.
            let idle = running_actions::parse(cut) == Ok(vec![]);
            assert!(!idle || cut == "No active tasks", "{cut}");
        }
    }
    for fault in one_fault_each() {
        assert!(truncations(&fault).all(|cut| !all_ok(cut)));
    }
}

/// A lost row of a node that holds nothing cannot be noticed in one output; everything else is.
#[test]
fn any_line_lost() {
    for text in sample_names().iter().map(|name| read(name)).chain([HEALTHY.to_owned(), TROUBLED.to_owned()])
    {
        for damaged in deletions(&text) {
            read_with_everything(&damaged);
            not_healthier(&text, &damaged);
        }
    }
    for fault in one_fault_each().iter().map(String::as_str).chain([TROUBLED]) {
        for damaged in deletions(fault) {
            assert!(!all_ok(&damaged), "{damaged}");
        }
    }
}

#[test]
fn any_line_twice() {
    for fault in one_fault_each().iter().map(String::as_str).chain([TROUBLED]) {
        let lines: Vec<&str> = fault.split_inclusive('\n').collect();
        for twice in 0..lines.len() {
            let damaged: String = lines
                .iter()
                .enumerate()
                .map(|(at, line)| line.repeat(if at == twice { 2 } else { 1 }))
                .collect();
            assert!(!all_ok(&damaged), "{damaged}");
        }
    }
}

fn mutated(text: &str, changes: &[(prop::sample::Index, u8)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn changes(most: usize) -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    let byte = prop_oneof![any::<u8>(), Just(b' '), Just(b'\n'), Just(b':'), Just(b'O'), Just(b'\x1b')];
    prop::collection::vec((any::<prop::sample::Index>(), byte), 1..=most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_changed(sample in any::<prop::sample::Index>(), changes in changes(12)) {
        let names: Vec<String> = sample_names().into_iter().collect();
        read_with_everything(&mutated(&read(&names[sample.index(names.len())]), &changes));
    }

    #[test]
    fn any_bytes_of_settings_and_services_changed(which in 0..LISTS.len(), changes in changes(12)) {
        read_with_everything(&mutated(LISTS[which], &changes));
    }

    /// One changed byte turns no word into `OK`; the digit that tells maintenance mode is the one it could turn.
    #[test]
    fn one_byte_changed_mends_nothing(fault in any::<prop::sample::Index>(), changes in changes(1)) {
        let faults: Vec<String> = one_fault_each().into_iter().filter(|text| !text.contains("1/0 ")).collect();
        prop_assert!(!all_ok(&mutated(&faults[fault.index(faults.len())], &changes)));
    }

    #[test]
    fn many_bytes_changed_mend_no_troubled_cluster(changes in changes(40)) {
        prop_assert!(!all_ok(&mutated(TROUBLED, &changes)));
    }

    #[test]
    fn no_good_news_out_of_garbage(text in "(\\PC|[\n\t\u{1b}]|OK|node:1|DB:ID|CLUSTER:|SHARDS:|\n){0,200}") {
        read_with_everything(&text);
        prop_assert!(!all_ok(&text));
        prop_assert_ne!(running_actions::parse(&text), Ok(vec![]));
        prop_assert!(!rlcheck::parse(&text, true).passed);
        prop_assert!(!install_log::parse(&text).complete);
        prop_assert!(database_info::parse(&text, &[1]).is_err() && node_info::parse(&text, NodeUid(1)).is_err());
        prop_assert!(modules::parse(&text).is_err() && services::parse(&text).is_err());
    }
}
