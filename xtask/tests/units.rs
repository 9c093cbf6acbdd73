//! The units that are shipped: what systemd thinks of them, and that whatever it finds fault with has its reason beside it.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The exposure that `systemd-analyze security` may find, in tenths: a little above what it found when the unit was last
/// thought about (252: 3.8, 8.2 and 1.2). The installer needs the whole machine; see its unit.
const LIMITS: [(&str, u32); 3] =
    [("ratchet-agent.service", 40), ("ratchet-op@.service", 84), ("ratchet.service", 14)];

fn units() -> Vec<(String, PathBuf)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../systemd");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let services = files.filter(|path| path.extension().is_some_and(|extension| extension == "service"));
    let mut units: Vec<_> =
        services.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path)).collect();
    units.sort();
    units
}

/// Runs `systemd-analyze`; `None` where there is none, which must not be in CI.
fn analyze(args: &[&str], unit: &Path) -> Option<Output> {
    match Command::new("systemd-analyze").args(args).arg(unit).env("SYSTEMD_PAGER", "").output() {
        Ok(output) => Some(output),
        Err(error) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED, so nothing is proven: systemd-analyze cannot be run: {error}");
            None
        }
        Err(error) => panic!("systemd-analyze must be there in CI: {error}"),
    }
}

#[test]
fn no_unit_is_more_exposed_than_it_must_be() {
    for (name, path) in units() {
        let limit = LIMITS.iter().find(|(unit, _)| *unit == name);
        let (_, limit) = limit.unwrap_or_else(|| panic!("{name} has no limit: give it one in this test"));
        let threshold = format!("--threshold={limit}");
        let Some(output) = analyze(&["security", "--offline=true", &threshold], &path) else { return };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Overall exposure level"), "{name}: {output:?}");
        let overall = said.lines().last();
        assert!(output.status.success(), "{name} may have {limit} tenths: {overall:?}");
    }
}

#[test]
fn whatever_systemd_finds_fault_with_has_its_reason_in_the_unit() {
    for (name, path) in units() {
        let Some(output) = analyze(&["security", "--offline=true", "--json=short"], &path) else { return };
        let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let unit = fs::read_to_string(&path).unwrap();
        let faults: Vec<&str> = findings.iter().filter_map(fault).collect();
        assert!(!faults.is_empty(), "{name}: no unit is without fault");
        let missing: Vec<&str> = faults.into_iter().filter(|fault| !is_argued(fault, &unit)).collect();
        assert!(missing.is_empty(), "{name} does not say why: {missing:#?}");
    }
}

/// What is found fault with; what does not apply has no exposure.
fn fault(finding: &Value) -> Option<&str> {
    let exposed = finding["exposure"].as_str().is_some_and(|exposure| exposure != "0.0");
    (finding["set"] != true && exposed).then(|| finding["name"].as_str().unwrap())
}

/// Whether the comments above a directive, or anywhere if it is not in the unit, name it, and what of it was found.
fn is_argued(fault: &str, unit: &str) -> bool {
    let directive = &fault[..=fault.find('=').unwrap()];
    let set = unit.lines().position(|line| line.starts_with(directive)).unwrap_or(usize::MAX);
    let comments = unit.lines().take(set).filter(|line| line.starts_with('#'));
    let comments = comments.collect::<Vec<_>>().join("\n");
    let says = |word: &str| comments.contains(word);
    let found = fault.split_once("=~").map(|(_, found)| found);
    let matters =
        matches!(directive, "CapabilityBoundingSet=" | "RestrictAddressFamilies=" | "SystemCallFilter=");
    says(directive)
        && found.is_none_or(|found| !matters || found == "…" || each(found).iter().any(|word| says(word)))
}

/// `CAP_(DAC_*|FOWNER)` in single words; of a pattern its beginning.
fn each(found: &str) -> Vec<String> {
    let Some((before, inside)) = found.split_once('(') else {
        return vec![found.trim_end_matches('*').to_owned()];
    };
    let inside = inside.trim_end_matches(')').split('|');
    inside.map(|word| format!("{before}{}", word.trim_end_matches('*'))).collect()
}

#[test]
fn every_capability_that_is_left_is_argued() {
    for (name, path) in units() {
        let unit = fs::read_to_string(&path).unwrap();
        let set = unit.lines().find_map(|line| line.strip_prefix("CapabilityBoundingSet=")).unwrap();
        let left = set.split_whitespace().filter(|_| !set.starts_with('~'));
        for capability in left {
            let argued = unit.lines().any(|line| line.starts_with('#') && line.contains(capability));
            assert!(argued, "{name} does not say why it needs {capability}");
        }
    }
}

/// With programs that are there, because those of a package that is not installed are not.
#[test]
fn systemd_understands_every_line() {
    for (name, path) in units() {
        let unit = fs::read_to_string(&path).unwrap();
        let there = unit
            .replace("=/usr/bin/ratchet-agent ", "=/bin/true ")
            .replace("=/usr/bin/ratchet ", "=/bin/true ");
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
        fs::write(&copy, there).unwrap();
        let Some(output) = analyze(&["verify", "--man=no"], &copy) else { return };
        let said = String::from_utf8_lossy(&output.stderr);
        let about: Vec<&str> = said.lines().filter(|line| line.contains("ratchet")).collect();
        assert!(output.status.success() && about.is_empty(), "{name}: {said}");
    }
}

#[test]
fn a_fault_without_a_reason_is_seen() {
    let unit = "# PrivateTmp=: why\n# RestrictAddressFamilies=: AF_UNIX\nRestrictAddressFamilies=AF_UNIX\nUMask=0022\n# UMask=: late\n";
    assert!(is_argued("PrivateTmp=", unit) && is_argued("RestrictAddressFamilies=~AF_UNIX", unit));
    for fault in
        ["PrivateNetwork=", "UMask=", "RestrictAddressFamilies=~AF_(INET|INET6)", "User=/DynamicUser="]
    {
        assert!(!is_argued(fault, unit), "{fault}");
    }
    assert_eq!(each("CAP_(DAC_*|FOWNER)"), ["CAP_DAC_", "CAP_FOWNER"]);
}
