//! `rlcheck` (fact sheet §2).

use proto::Rlcheck;

use super::text::strip_ansi;

/// The verdict: passed only if the program exited 0, a line reads `ALL TESTS PASSED.` and no line tells of a failure
/// (fact sheet §2). The banner and the tests' names vary between versions and are not looked at.
pub fn parse(text: &str, exited_zero: bool) -> Rlcheck {
    let clean = strip_ansi(text);
    let mut found = Rlcheck { passed: false, tests: Vec::new(), failures: Vec::new() };
    let mut all_passed = false;
    let mut in_summary = false;
    for line in clean.lines().map(str::trim).filter(|line| !is_remark(line)) {
        if let Some(test) = line.strip_prefix("Running test:") {
            found.tests.push(test.trim().to_owned());
        } else if line == "Summary:" {
            in_summary = true;
        } else if line == "ALL TESTS PASSED." {
            all_passed = true;
        } else if line.to_uppercase().contains("FAIL") {
            found.failures.push(failure(found.tests.last().filter(|_| !in_summary), line));
        }
    }
    // Only where nothing more telling was said.
    if found.failures.is_empty() && !exited_zero {
        found.failures.push("it did not exit with status 0".to_owned());
    }
    if found.failures.is_empty() && !all_passed {
        found.failures.push("it did not say `ALL TESTS PASSED.`".to_owned());
    }
    found.passed = found.failures.is_empty();
    found
}

/// `(Remark : Will stop on first failure)` and a skipped test's name tell of no failure.
fn is_remark(line: &str) -> bool {
    line.starts_with("(Remark") || line.starts_with("Skipping test:")
}

fn failure(test: Option<&String>, line: &str) -> String {
    match test {
        Some(test) if !line.contains(test.as_str()) => format!("{test}: {line}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASS: &str = "Saving to file: /var/opt/redislabs/log/rlcheck.log\n(Remark : Will stop on first failure)\n\
        ##### Welcome to Redis Software Cluster settings verification utility ####\n\
        Running test: verify_services\n\t\t                \u{1b}[32mPASS\u{1b}[0m\n\
        Skipping test: verify_failover\nSummary:\n-------\nALL TESTS PASSED.\n";

    #[test]
    fn a_clean_run_passes() {
        let found = parse(PASS, true);
        assert!(found.passed, "{found:?}");
        assert_eq!(found.tests, ["verify_services"]);
    }

    #[test]
    fn the_exit_status_the_last_words_and_every_failure_count() {
        assert_eq!(parse(PASS, false).failures.len(), 1);
        let failed = parse(&PASS.replace("PASS\u{1b}", "FAILED: dmcproxy is down\u{1b}"), true);
        assert_eq!(failed.failures, ["verify_services: FAILED: dmcproxy is down"]);
        for lie in ["ALL TESTS PASSED", "NOT ALL TESTS PASSED.", "ALL TESTS PASSED. 1 skipped"] {
            assert!(!parse(&PASS.replace("ALL TESTS PASSED.", lie), true).passed, "{lie}");
        }
    }

    #[test]
    fn cut_anywhere_it_fails() {
        let whole = PASS.trim_end().len();
        for end in (0..whole).filter(|end| PASS.is_char_boundary(*end)) {
            assert!(!parse(&PASS[..end], true).passed, "{:?}", &PASS[..end]);
        }
    }
}
