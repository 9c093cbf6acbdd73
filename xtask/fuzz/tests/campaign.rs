//! The campaign with programs that only pretend to be libFuzzer: what it finds must never look like nothing.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

const STATS: &str = "printf '#9\\tDONE   cov: 7 ft: 8 corp: 3/9b\\nstat::number_of_executed_units: 9\\nstat::peak_rss_mb: 42\\n'";

/// Runs two targets with a shell script in the fuzzer's place.
fn campaign(directory: &Path, script: &str) -> (Output, Vec<serde_json::Value>) {
    let (program, json) = (directory.join("program"), directory.join("figures.json"));
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ratchet-fuzz"));
    command.arg("--program").arg(&program).arg("--directory").arg(directory).arg("--json").arg(&json);
    command.args(["--target", "rlcheck", "--target", "words", "--jobs", "2", "--minutes", "0.01"]);
    let output = command.output().unwrap();
    let figures = fs::read(&json).map(|bytes| serde_json::from_slice(&bytes).unwrap()).unwrap_or_default();
    (output, figures)
}

#[test]
fn what_was_tried_without_a_finding_is_told_with_its_figures() {
    let dir = tempfile::tempdir().unwrap();
    let check = "case \" $* \" in *' -rss_limit_mb=512 '*) ;; *) exit 3;; esac; for corpus; do :; done; ls \"$corpus\"/0";
    let (output, figures) = campaign(dir.path(), &format!("{check} || exit 4\n{STATS}"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(figures.len(), 2);
    assert_eq!(
        (&figures[0]["target"], &figures[0]["runs"], &figures[0]["edges"]),
        (&"rlcheck".into(), &9.into(), &7.into())
    );
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("rlcheck") && table.contains("words") && table.contains("42"), "{table}");
    let words = fs::read_to_string(dir.path().join("words/rlcheck")).unwrap();
    assert!(words.contains("\"ALL TESTS PASSED.\"\n") && words.contains("\"\\x1b[32m\"\n"), "{words}");
}

#[test]
fn a_finding_a_bad_end_and_silence_are_failures() {
    let finding = "touch findings/$RATCHET_FUZZ_TARGET/crash-1";
    for script in [
        format!("cd \"$(dirname \"$0\")\" && {finding}\n{STATS}"),
        format!("{STATS}; exit 77"),
        String::new(),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (output, figures) = campaign(dir.path(), &script);
        assert!(!output.status.success() && figures.len() == 2, "{script}: {output:?}");
    }
}

#[test]
fn what_was_found_before_is_still_there() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("findings/words")).unwrap();
    fs::write(dir.path().join("findings/words/oom-1"), "x").unwrap();
    let (output, figures) = campaign(dir.path(), STATS);
    assert!(!output.status.success());
    assert!(figures[1]["findings"][0].as_str().unwrap().ends_with("findings/words/oom-1"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("words: breaks on "));
}
