//! The program itself: what it prints where, and how it exits, before any coordinator is involved.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Output};

/// Runs `ratchet` in an empty environment, so that no variable of the test's machine takes part.
fn ratchet(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ratchet"));
    command.env_clear().args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const VERBS: &[&str] = &[
    "status",
    "paths",
    "package",
    "check",
    "plan",
    "prepare",
    "upgrade",
    "runs",
    "show",
    "watch",
    "pause",
    "resume",
    "abort",
    "retry",
    "rollout",
    "takeover",
    "assign",
    "wait",
    "why",
    "halt",
    "inventory",
    "leader",
    "export",
    "prune",
    "serve",
    "pki",
    "completions",
    "man",
];

#[test]
fn every_verb_has_help_and_the_help_names_every_verb() {
    let all = stdout(&ratchet(&["--help"]));
    for verb in VERBS {
        assert!(all.lines().any(|line| line.trim_start().starts_with(verb)), "{verb}");
        let help = ratchet(&[verb, "--help"]);
        assert_eq!(code(&help), 0, "{verb}");
        assert!(stdout(&help).contains(&format!("Usage: ratchet {verb}")), "{verb}: {}", stdout(&help));
    }
    for verb in ["add", "list", "show", "remove"] {
        assert_eq!(code(&ratchet(&["package", verb, "--help"])), 0, "{verb}");
    }
    for verb in
        ["init", "issue", "renew", "revoke", "list", "sign", "token", "enrolments", "accept", "refuse"]
    {
        assert_eq!(code(&ratchet(&["pki", verb, "--help"])), 0, "{verb}");
    }
    for verb in ["check", "apply", "status", "list", "watch", "pause", "resume", "abort", "approve", "retry"]
    {
        assert_eq!(code(&ratchet(&["rollout", verb, "--help"])), 0, "{verb}");
    }
}

#[test]
fn the_help_names_the_exit_codes() {
    assert!(stdout(&ratchet(&["--help"])).contains("Exit codes: 0 done or nothing to do"));
}

#[test]
fn the_version_is_told() {
    let version = ratchet(&["--version"]);
    assert_eq!((code(&version), stdout(&version)), (0, format!("ratchet {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn wrong_usage_is_two() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["plan", "orders"],
        &["plan", "orders", "--to", "7.4.6"],
        &["plan", "or/ders", "--to", "7.4.6-22"],
        &["upgrade"],
        &["upgrade", "orders"],
        &["upgrade", "--to", "7.4.6-22"],
        &["upgrade", "orders", "--to", "7.4.6-22", "--plan", "x"],
        &["show", "../x"],
        &["retry", "r", "--node", "one"],
        &["takeover"],
        &["export"],
        &["prune"],
        &["prune", "--older-than", "soon"],
        &["prune", "--older-than", "-3 days"],
        &["assign", "db-1"],
        &["assign", "@db-1", "orders"],
        &["assign", "db-1", "orders", "--none"],
        &["takeover", "orders", "--despite-install"],
        &["completions", "tcsh"],
        &["halt"],
        &["halt", "--lift", "--why", "x"],
        &["wait", "r", "--timeout", "soon"],
        &["upgrade", "orders", "--to", "7.4.6-22", "--detach"],
        &["pki"],
        &["pki", "init"],
        &["pki", "issue", "root", "a"],
        &["pki", "issue", "agent", "a/b"],
        &["pki", "issue", "agent", "a", "--host", "a:7443"],
        &["pki", "renew"],
        &["pki", "renew", "a", "--expiring", "30d"],
        &["pki", "revoke", "a"],
        &["pki", "token"],
        &["pki", "token", "--name", "a", "--ttl", "soon"],
        &["status", "-o", "yaml"],
    ] {
        let output = ratchet(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(!stderr(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn wrong_usage_under_json_is_an_error_document() {
    let output = ratchet(&["plan", "orders", "-o", "json"]);
    assert_eq!(code(&output), 2);
    let document: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["error"]["id"], "usage");
    assert!(document["error"]["cause"].as_str().unwrap().contains("--to"), "{document}");
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_missing_configuration_is_two_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ratchet.toml");
    let file = file.to_str().unwrap();
    for verb in [&["status"][..], &["runs"], &["paths"], &["serve"], &["plan", "a", "--to", "7.4.6-22"]] {
        let output = ratchet(&[verb, &["--config", file]].concat());
        assert_eq!(code(&output), 2, "{verb:?}");
        assert!(stderr(&output).contains(file) && stderr(&output).contains("do: "), "{}", stderr(&output));
    }
}

#[test]
fn no_colour_reaches_a_pipe() {
    let output = ratchet(&["status", "--config", "/no/such/file"]);
    assert!(!stderr(&output).contains('\u{1b}'), "{}", stderr(&output));
    assert!(stderr(&output).starts_with("error: "), "{}", stderr(&output));
}

#[test]
fn a_coordinator_that_is_not_there_is_six() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ratchet.toml");
    std::fs::write(&file, "insecure_loopback = true\n").unwrap();
    // Bound, then closed: nobody listens on it any more.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = ratchet(&["runs", "--config", file.to_str().unwrap(), "--coordinator", &free, "-o", "json"]);
    assert_eq!(code(&output), 6, "{}", stdout(&output));
    let document: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["error"]["id"], "unreachable");
}

#[test]
fn a_coordinator_off_this_machine_needs_tls() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ratchet.toml");
    std::fs::write(&file, "insecure_loopback = true\n").unwrap();
    for address in ["10.0.0.1:7444", "nowhere", "h:0"] {
        let output = ratchet(&["runs", "--config", file.to_str().unwrap(), "--coordinator", address]);
        assert_eq!(code(&output), 2, "{address}: {}", stderr(&output));
    }
}
