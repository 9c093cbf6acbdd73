//! `rollout.toml`: what it says, and all mistakes at once.

use std::path::Path;

use jiff::civil::{Weekday, date, time};

use super::*;
use crate::config::ConfigError;

const FULL: &str = r#"
name = "q4-7-22"
target = "7.22.0-95"
at_once = 5
failure_budget = 2
on_failure = "continue"
turn_estimate = "45m"
partners = [["orders-eu", "orders-us"]]
accept = [{ id = "disk", reason = "known" }]

[windows]
zone = "Europe/Berlin"
blackout = [{ from = "2026-12-20", until = "2027-01-06", why = "freeze" }, { from = 2027-03-01 }]
[[windows.open]]
days = ["tue", "mon"]
from = "22:00"
until = "04:00:30"
[[windows.open]]
from = "12:00"
until = "13:00"

[[wave]]
name = "canary"
clusters = ["orders-test", "cache-*"]
labels = { env = "test" }
at_once = 1
failure_budget = 0
soak = "30m"
approval = true
[[wave]]
name = "rest"
labels = { env = "prod" }
"#;

pub(super) fn parse(text: &str) -> Result<Spec, ConfigError> {
    parse_rollout(text, Path::new("rollout.toml"))
}

fn wrong(text: &str) -> Vec<String> {
    match parse(text) {
        Err(ConfigError::Mistakes { mistakes, .. }) => {
            mistakes.into_iter().map(|mistake| mistake.key).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_is_read() {
    let spec = parse(FULL).unwrap();
    assert_eq!((spec.name.as_str(), spec.at_once, spec.failure_budget), ("q4-7-22", 5, 2));
    assert_eq!((spec.on_failure, spec.turn_estimate), (Siblings::Continue, Duration::from_secs(45 * 60)));
    assert_eq!(spec.partners, Some(vec![[name("orders-eu"), name("orders-us")].into()]));
    assert_eq!((spec.accept[0].id.as_str(), spec.accept[0].reason.as_str()), ("disk", "known"));
    let [canary, rest] = &spec.waves[..] else { panic!("{:?}", spec.waves) };
    assert_eq!((canary.at_once, canary.failure_budget, canary.approval), (1, 0, true));
    assert_eq!(canary.soak, Duration::from_secs(1800));
    let labels = |env: &str| Selector::Labels([("env".to_owned(), env.to_owned())].into());
    assert_eq!(
        canary.clusters,
        [Selector::Name(name("orders-test")), Selector::Glob("cache-*".to_owned()), labels("test")]
    );
    assert_eq!(rest.clusters, [labels("prod")]);
    assert_eq!((rest.at_once, rest.failure_budget, rest.approval), (5, 2, false), "as at the top");
    let [night, noon] = &spec.windows.open[..] else { panic!("{:?}", spec.windows) };
    assert_eq!(night.days, [Weekday::Monday, Weekday::Tuesday]);
    assert_eq!((night.from, night.until), (time(22, 0, 0, 0), time(4, 0, 30, 0)));
    assert_eq!(noon.days.len(), 7);
    let ends: Vec<_> = spec.windows.blackouts.iter().map(|dark| dark.until).collect();
    assert_eq!(ends, [date(2027, 1, 6), date(2027, 3, 1)], "one day if `until` is left out");
}

#[test]
fn what_is_not_said_is_the_careful_default() {
    let spec =
        parse("name = \"a\"\ntarget = \"7.22.0-95\"\n[[wave]]\nname = \"w\"\nclusters = [\"a\"]").unwrap();
    assert_eq!((spec.at_once, spec.failure_budget, spec.on_failure), (1, 0, Siblings::FinishTurn));
    assert_eq!(spec.partners, None, "who replicates is not known");
    assert_eq!((spec.turn_estimate, spec.windows), (Duration::from_secs(3600), Windows::default()));
    let wave = &spec.waves[0];
    assert_eq!((wave.at_once, wave.failure_budget, wave.soak, wave.approval), (1, 0, Duration::ZERO, false));
}

#[test]
fn it_is_stored_and_read_back_the_same() {
    let spec = parse(FULL).unwrap();
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<Spec>(&json).unwrap(), spec);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = r#"
        name = "a b"
        at_once = 0
        failure_budget = -1
        on_failure = "panic"
        turn_estimate = "0s"
        partners = [["a"], "b", ["a", 7]]
        accept = [{ id = "x" }, { id = "", reason = "y" }]
        surprise = 1
        [windows]
        zone = "Mars/Olympus"
        blackout = [{ from = "soon" }, { from = "2026-12-20", until = "2026-12-19" }]
        [[windows.open]]
        days = ["monday", 3]
        from = "24:30"
        [[windows.open]]
        days = []
        from = "1:00"
        until = 2
        [[wave]]
        clusters = ["-bad", "[", 7]
        labels = { env = 1 }
        soak = "later"
        approval = "yes"
        [[wave]]
        name = "two"
        colour = "blue"
        [[wave]]
        name = "two"
        clusters = []
        labels = {}
    "#;
    let mut expected = vec![
        "name",
        "target",
        "at_once",
        "failure_budget",
        "on_failure",
        "turn_estimate",
        "partners[0]",
        "partners[1]",
        "partners[1]",
        "partners[2][1]",
        "partners[2]",
        "accept[0].reason",
        "accept[1].id",
        "windows.zone",
        "windows.open[0].days[1]",
        "windows.open[0].days",
        "windows.open[0].from",
        "windows.open[0].until",
        "windows.open[1].days",
        "windows.open[1].until",
        "windows.open[1].until",
        "windows.blackout[0].from",
        "windows.blackout[1].until",
        "wave[0].name",
        "wave[0].clusters[0]",
        "wave[0].clusters[1]",
        "wave[0].clusters[2]",
        "wave[0].labels.env",
        "wave[0].soak",
        "wave[0].approval",
        "wave[1].clusters",
        "wave[1].colour",
        "wave[2].name",
        "wave[2].clusters",
        "wave[2].labels",
        "surprise",
    ];
    let mut told = wrong(text);
    told.sort_unstable();
    expected.sort_unstable();
    expected.dedup();
    told.dedup();
    assert_eq!(told, expected);
}

#[test]
fn a_zone_is_needed_and_so_is_a_wave() {
    let head = "name = \"a\"\ntarget = \"7.22.0-95\"\n";
    assert_eq!(wrong(head), ["wave"]);
    assert_eq!(
        wrong(&format!("{head}[windows]\n[[wave]]\nname = \"w\"\nclusters = [\"a\"]")),
        ["windows.zone"]
    );
    assert!(matches!(parse("name = "), Err(ConfigError::Syntax { .. })));
}
