//! What the source itself must satisfy: directions of imports, what pure code may not touch, sizes, names.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files below a directory, as (path from the workspace's root, text).
fn sources(below: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root().join(below), &mut found);
    assert!(!found.is_empty(), "nothing below {below}");
    found
}

fn collect(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The lines of a file outside its tests that say something.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].lines().map(str::trim).filter(|line| !line.starts_with("//"))
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs") || name.ends_with("/test_product.rs")
}

/// No file below these places says any of these words outside its tests.
fn never_says(places: &[&str], words: &[&str]) {
    for place in places {
        let files = if place.ends_with(".rs") {
            vec![((*place).to_owned(), fs::read_to_string(root().join(place)).unwrap())]
        } else {
            sources(place)
        };
        for (name, text) in files.iter().filter(|(name, _)| !is_test(name)) {
            for word in words {
                let line = code(text).find(|line| line.contains(word));
                assert!(line.is_none(), "{name} must not say `{word}`: {line:?}");
            }
        }
    }
}

const COORDINATOR_PURE: &[&str] = &[
    "coordinator/src/paths",
    "coordinator/src/checks",
    "coordinator/src/advisories",
    "coordinator/src/fingerprint",
    "coordinator/src/plan",
    "coordinator/src/catalogue",
    "coordinator/src/pki/certificate.rs",
    "coordinator/src/pki/host.rs",
    "coordinator/src/pki/register.rs",
    "coordinator/src/rollout",
    "coordinator/src/notify",
];
const MACHINE_PURE: [&str; 15] = [
    "coordinator/src/run/durations.rs",
    "coordinator/src/run/foreign.rs",
    "coordinator/src/run/next",
    "coordinator/src/run/decide",
    "coordinator/src/run/deadlines.rs",
    "coordinator/src/run/side_effects.rs",
    "coordinator/src/run/story.rs",
    "coordinator/src/run/wait.rs",
    "coordinator/src/run/watch.rs",
    "coordinator/src/run/state.rs",
    "coordinator/src/run/event.rs",
    "coordinator/src/run/ledger.rs",
    "coordinator/src/run/judge.rs",
    "coordinator/src/run/action.rs",
    "coordinator/src/snapshot.rs",
];

#[test]
fn pure_code_knows_no_door_no_clock_and_no_runtime() {
    let doors = [
        "tokio",
        "tonic",
        "sqlx",
        "reqwest",
        "Timestamp::now",
        "SystemTime",
        "Instant",
        "std::fs",
        "std::env",
    ];
    never_says(COORDINATOR_PURE, &doors);
    never_says(&MACHINE_PURE, &doors);
    never_says(&["agent/src/parse"], &doors);
    let unpack = ["header", "limits", "members", "pax", "policy", "reason", "source"];
    let unpack = unpack.map(|file| format!("agent/src/package/unpack/{file}.rs"));
    never_says(&unpack.each_ref().map(String::as_str), &doors);
}

/// Whoever reads the wall clock himself cannot be simulated, and is fooled when it jumps.
#[test]
fn the_wall_clock_is_a_value() {
    never_says(
        &["coordinator/src/run", "coordinator/src/observe.rs", "coordinator/src/server"],
        &["Timestamp::now"],
    );
    let steps = [
        "agent/src/steps",
        "agent/src/executor",
        "agent/src/observe",
        "agent/src/runner",
        "agent/src/rpc.rs",
    ];
    never_says(&steps, &["Timestamp::now", "SystemTime"]);
    never_says(&["coordinator/src/run", "agent/src/steps", "agent/src/executor"], &["std::time::Instant"]);
}

#[test]
fn no_import_of_the_coordinator_runs_back_up() {
    let floors = [
        ("coordinator/src/catalogue", &["paths", "checks", "plan", "run", "server", "cli", "documents"][..]),
        (
            "coordinator/src/paths",
            &["checks", "advisories", "fingerprint", "plan", "run", "server", "cli", "documents", "store"][..],
        ),
        (
            "coordinator/src/fingerprint",
            &["checks", "advisories", "plan", "run", "server", "cli", "documents", "store"][..],
        ),
        ("coordinator/src/checks", &["advisories", "plan", "run", "server", "cli", "documents", "store"][..]),
        ("coordinator/src/advisories", &["plan", "run", "server", "cli", "documents", "store"][..]),
        ("coordinator/src/plan", &["run", "server", "cli", "documents", "store", "hooks"][..]),
        ("coordinator/src/hooks", &["plan", "run", "server", "cli", "documents", "store"][..]),
        ("coordinator/src/rollout", &["server", "cli", "documents", "store"][..]),
        ("coordinator/src/pki", &["config", "run", "server", "cli", "documents", "store"][..]),
        ("coordinator/src/run", &["rollout", "server", "cli", "documents"][..]),
        ("coordinator/src/store", &["server", "cli", "documents"][..]),
        ("coordinator/src/documents", &["server", "cli"][..]),
        ("coordinator/src/notify", &["server", "cli", "config", "metrics", "store"][..]),
        ("coordinator/src/metrics", &["server", "cli", "config", "store"][..]),
        ("coordinator/src/server", &["cli"][..]),
    ];
    for (floor, above) in floors {
        let words: Vec<String> = above.iter().map(|module| format!("crate::{module}::")).collect();
        never_says(&[floor], &words.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn no_import_of_the_agent_runs_back_up() {
    let floors = [
        (
            "agent/src/parse",
            &["host", "observe", "package", "steps", "executor", "runner", "rpc", "serve"][..],
        ),
        ("agent/src/host", &["observe", "package", "steps", "executor", "runner", "rpc", "serve"][..]),
        ("agent/src/rest", &["observe", "package", "steps", "executor", "runner", "rpc", "serve"][..]),
        ("agent/src/observe", &["package", "steps", "executor", "runner", "rpc", "serve"][..]),
        ("agent/src/package", &["steps", "rpc", "serve"][..]),
        ("agent/src/steps", &["rpc", "serve"][..]),
        ("agent/src/executor", &["rpc", "serve"][..]),
    ];
    for (floor, above) in floors {
        let words: Vec<String> = above.iter().map(|module| format!("crate::{module}::")).collect();
        never_says(&[floor], &words.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn agent_and_coordinator_know_only_proto() {
    let manifest = |name: &str| fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    for (name, others) in
        [("agent", ["coordinator", "sim"]), ("coordinator", ["agent", "sim"]), ("proto", ["agent", "sim"])]
    {
        for other in others {
            assert!(!manifest(name).contains(&format!("{other}.workspace")), "{name} depends on {other}");
        }
    }
}

#[test]
fn tonic_lives_in_its_rooms() {
    let rooms = [
        "agent/src/rpc.rs",
        "agent/src/rpc/audit.rs",
        "coordinator/src/agents.rs",
        "coordinator/src/cli/client.rs",
    ];
    for below in ["agent/src", "coordinator/src"] {
        for (name, text) in sources(below) {
            let allowed = rooms.contains(&name.as_str())
                || name.starts_with("coordinator/src/server/")
                || is_test(&name);
            let line = code(&text).find(|line| line.contains("tonic::"));
            assert!(allowed || line.is_none(), "{name} must not know tonic: {line:?}");
        }
    }
}

/// What an agent starts is in one list (`host/allowed.rs`); of it, and of nothing else, a process is made in one place. The
/// operator's hooks have their own door.
#[test]
fn programs_are_started_in_one_place() {
    let starts =
        ["Command::new", "process::clean", "process::Command", "posix_spawn", "execve", "CommandExt"];
    let doors = ["agent/src/host/starts.rs", "proto/src/process.rs", "proto/src/hook/process.rs"];
    for below in ["agent/src", "proto/src"] {
        for (name, text) in sources(below) {
            let allowed = doors.contains(&name.as_str()) || is_test(&name);
            let line = code(&text).find(|line| starts.iter().any(|word| line.contains(word)));
            assert!(allowed || line.is_none(), "{name} must not start programs: {line:?}");
        }
    }
    never_says(&["agent/src", "proto/src"], &["bin/sh", "bin/bash", "\"sh\"", "\"bash\"", "\"-c\", script"]);
    // A command without the clean environment is made in one place of all.
    never_says(&["agent/src/host/starts.rs", "proto/src/hook"], &["Command::new", "env_remove"]);
}

#[test]
fn main_is_short_and_files_are_not_long() {
    for below in ["proto/src", "agent/src", "coordinator/src", "xtask"] {
        for (name, text) in sources(below).iter().filter(|(name, _)| !name.contains("/target/")) {
            let lines = code(text).count();
            let most = if name.ends_with("src/main.rs") { 80 } else { 400 };
            assert!(lines <= most, "{name} has {lines} lines of code; {most} are the limit");
        }
    }
}

#[test]
fn forbidden_names_and_stubs_do_not_creep_in() {
    let names = ["Manager", "Helper", "Util"].map(|name| [format!("struct {name}"), format!("enum {name}")]);
    let stubs = ["todo!(", "unimplemented!(", "#[ignore"].map(str::to_owned);
    for below in ["proto/src", "agent/src", "coordinator/src", "xtask"] {
        // This file names them.
        for (name, text) in sources(below).into_iter().filter(|(name, _)| name != "xtask/tests/source.rs") {
            for word in names.iter().flatten().chain(&stubs) {
                assert!(!code(&text).any(|line| line.contains(word.as_str())), "{name} says `{word}`");
            }
        }
    }
}

#[test]
fn neither_ring_nor_openssl_is_built() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = std::process::Command::new(cargo)
        .args([
            "tree",
            "--workspace",
            "--offline",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8(tree.stdout).unwrap();
    assert!(text.contains("aws-lc-rs v"), "{}", String::from_utf8_lossy(&tree.stderr));
    for banned in ["ring v", "openssl v", "openssl-sys v", "tokio-tar v"] {
        assert!(!text.lines().any(|line| line.starts_with(banned)), "{banned} is in the tree");
    }
}

/// The fuzzer has a lock file of its own. What it tries must be what is shipped.
#[test]
fn the_fuzzer_tries_the_versions_that_are_shipped() {
    let packages = |file: &str| -> Vec<(String, String)> {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let field = |part: &str, key: &str| {
            let line = part.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let parts = text.split("[[package]]").skip(1);
        parts.filter_map(|part| Some((field(part, "name = ")?, field(part, "version = ")?))).collect()
    };
    let (shipped, tried) = (packages("Cargo.lock"), packages("xtask/fuzz/libfuzzer/Cargo.lock"));
    assert!(tried.len() > 200, "{}", tried.len());
    for package in &tried {
        let known = shipped.iter().any(|(name, _)| *name == package.0);
        let remedy = "copy Cargo.lock over the fuzzer's and run `cargo xtask fuzz --minutes 0`";
        assert!(!known || shipped.contains(package), "{} {} is not shipped; {remedy}", package.0, package.1);
    }
}
