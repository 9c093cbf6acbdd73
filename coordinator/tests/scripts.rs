//! The scripts in `docs/examples/`: every exit code of `ratchet` is handled, and the page quotes them as they are. The
//! program is stood in for; `xtask/stage/tests/scripting.rs` runs them on a whole cluster.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Answers each verb with what lies under its name, and remembers how it was called.
const STAND_IN: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
[ "$1" = -o ] && shift 2
verb=$1
[ "$verb" = plan ] && [ -e "$here/saved.json" ] && cp "$here/saved.json" plan.json
[ -e "$here/$verb.out" ] && cat "$here/$verb.out"
exit "$(cat "$here/$verb.exit" 2>/dev/null || echo 0)"
"#;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples")
}

/// A directory with the stand-in first on the path.
struct Place(TempDir);

struct Said {
    code: i32,
    out: String,
    calls: Vec<String>,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let program = place.0.path().join("ratchet");
        fs::write(&program, STAND_IN).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        place
    }

    fn answers(&self, verb: &str, exit: i32, document: &Value) -> &Self {
        fs::write(self.0.path().join(format!("{verb}.out")), format!("{document}\n")).unwrap();
        fs::write(self.0.path().join(format!("{verb}.exit")), exit.to_string()).unwrap();
        self
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Said {
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(examples().join(script));
        command.args(arguments).current_dir(self.0.path());
        let output = command.env("PATH", format!("{}:{path}", self.0.path().display())).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let calls = fs::read_to_string(self.0.path().join("calls")).unwrap_or_default();
        let said = format!("{}{}", text(output.stdout), text(output.stderr));
        assert!(!said.contains("jq: not found"), "install jq, as `cargo xtask test` does");
        Said {
            code: output.status.code().unwrap(),
            out: said,
            calls: calls.lines().map(str::to_owned).collect(),
        }
    }
}

fn run() -> Value {
    json!({"schema": "ratchet.run/1", "id": "r1", "state": "running"})
}

fn nothing_to_do() -> Value {
    json!({"schema": "ratchet.plan-answer/1", "outcome": "nothing_to_do", "summary": "nothing to do"})
}

fn blocked() -> Value {
    json!({"schema": "ratchet.plan-answer/1", "outcome": "blocked", "summary": "a check stands in the way"})
}

fn error(message: &str) -> Value {
    json!({"error": {"id": "x", "message": message, "cause": null, "remedy": "do this"}})
}

#[test]
fn the_page_quotes_every_script_as_it_is() {
    let page = include_str!("../../docs/scripting.md");
    let mut count = 0;
    for entry in fs::read_dir(examples()).unwrap() {
        let path = entry.unwrap().path();
        let (name, text) = (path.file_name().unwrap().to_str().unwrap(), fs::read_to_string(&path).unwrap());
        assert!(
            page.contains(&format!("```sh\n{text}```\n")),
            "docs/scripting.md does not quote {name} as it is"
        );
        assert!(text.starts_with("#!/bin/sh\n") && text.contains("\nset -eu\n"), "{name}");
        assert_ne!(fs::metadata(&path).unwrap().permissions().mode() & 0o111, 0, "{name} cannot be executed");
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn the_night_ends_with_the_exit_of_the_run_and_says_what_to_do() {
    for (exit, words) in [
        (0, "orders: upgraded to 7.22.0-95"),
        (4, "run r1 has halted"),
        (5, "run r1 is not done yet"),
        (6, "the coordinator cannot be reached"),
        (1, "a bug"),
    ] {
        let place = Place::new();
        place.answers("upgrade", 0, &run()).answers("wait", exit, &error("a bug"));
        let said = place.run("nightly.sh", &["orders", "7.22.0-95", "2h"]);
        assert_eq!(said.code, exit, "{}", said.out);
        assert!(said.out.contains(words), "{exit}: {}", said.out);
        assert_eq!(said.calls[0], "-o json upgrade orders --to 7.22.0-95 --yes --detach");
        assert_eq!(said.calls[1], "-o json wait r1 --timeout 2h");
    }
}

#[test]
fn a_night_with_nothing_to_do_says_nothing_and_one_that_cannot_begin_says_why() {
    let said = |exit, document: &Value| {
        Place::new().answers("upgrade", exit, document).run("nightly.sh", &["orders", "7.22.0-95"])
    };
    let nothing = said(0, &nothing_to_do());
    assert_eq!((nothing.code, nothing.out.as_str(), nothing.calls.len()), (0, "", 1));
    for (exit, document, words) in [
        (3, blocked(), "nothing was changed"),
        (6, error("gone"), "cannot be reached"),
        (2, error("there is no cluster `orders`"), "there is no cluster `orders`"),
    ] {
        let said = said(exit, &document);
        assert_eq!((said.code, said.calls.len()), (exit, 1), "{}", said.out);
        assert!(said.out.contains(words), "{exit}: {}", said.out);
    }
}

#[test]
fn a_job_stops_at_the_first_stage_that_does_not_end_well() {
    let place = || {
        let place = Place::new();
        fs::write(place.0.path().join("saved.json"), "{}\n").unwrap();
        place.answers("report", 0, &json!("the report"));
        place.answers("check", 0, &json!({"schema": "ratchet.check/1", "findings": []}));
        place.answers("upgrade", 0, &run());
        place
    };
    let job = |place: &Place| place.run("ci-upgrade.sh", &["orders", "7.22.0-95"]);
    let finding = json!({"check": "disk", "verdict": "block", "saw": "1 MB left", "accepted": null});
    let refused = place();
    refused.answers("check", 3, &json!({"schema": "ratchet.check/1", "findings": [finding]}));
    let said = job(&refused);
    assert_eq!((said.code, said.calls.len()), (3, 1));
    assert!(said.out.contains("disk: 1 MB left"), "{}", said.out);
    let stale = place();
    stale.answers("upgrade", 3, &error("the plan is stale"));
    let said = job(&stale);
    assert_eq!(said.code, 3);
    assert!(said.out.contains("the plan is stale") && said.out.contains("remedy: do this"), "{}", said.out);
    for exit in [0, 1, 4, 5, 6] {
        let place = place();
        place.answers("wait", exit, &run());
        let said = job(&place);
        assert_eq!(said.code, exit, "{}", said.out);
        assert_eq!(said.calls.last().unwrap(), "report r1 --format md", "whatever came of it");
        assert!(fs::read_to_string(place.0.path().join("report.md")).unwrap().contains("the report"));
    }
}

#[test]
fn a_loop_begins_only_what_is_known_to_be_healthy_and_stops_at_the_first_failure() {
    let cluster = |name: &str, healthy: Value, version: &str, run: Value| json!({"name": name, "healthy": healthy, "version": version, "run": run});
    let inventory = json!({"schema": "ratchet.inventory/1", "clusters": [
        cluster("a", json!(true), "7.4.2-54", Value::Null),
        cluster("there", json!(true), "7.22.0-95", Value::Null),
        cluster("ill", json!(false), "7.4.2-54", Value::Null),
        cluster("unseen", Value::Null, "7.4.2-54", Value::Null),
        cluster("busy", json!(true), "7.4.2-54", json!("r0")),
        cluster("b", json!(true), "7.4.2-54", Value::Null),
    ]});
    let begun = |said: &Said| -> Vec<String> {
        let upgrades = said.calls.iter().filter_map(|call| call.strip_prefix("-o json upgrade "));
        upgrades.map(|call| call.split(' ').next().unwrap().to_owned()).collect()
    };
    let place = Place::new();
    place.answers("inventory", 0, &inventory).answers("upgrade", 0, &run()).answers("wait", 0, &run());
    let said = place.run("fleet-loop.sh", &["7.22.0-95"]);
    assert_eq!((said.code, begun(&said)), (0, vec!["a".to_owned(), "b".to_owned()]), "{}", said.out);
    for (verb, exit) in [("wait", 4), ("upgrade", 3), ("inventory", 6)] {
        let place = Place::new();
        place.answers("inventory", 0, &inventory).answers("upgrade", 0, &run()).answers("wait", 0, &run());
        place.answers(verb, exit, &error("it failed"));
        let said = place.run("fleet-loop.sh", &["7.22.0-95"]);
        assert_eq!(said.code, exit, "{}", said.out);
        assert!(begun(&said).len() <= 1, "{verb}: {:?}", said.calls);
    }
}
