//! What checks found.

use proto::NodeUid;

use super::printable;
use super::style::{bad, bullet, caution, command, good};
use crate::checks::{Finding, Verdict};
use crate::documents::CheckDocument;

/// The answer to `check`.
pub fn check(document: &CheckDocument) -> String {
    let target = document.target.as_ref().map(|target| format!(" for {target}")).unwrap_or_default();
    let verdict = if document.passed { good("nothing stands in the way") } else { bad("blocked") };
    format!("{}{target}: {verdict}\n{}", document.cluster, findings(&document.findings))
}

/// What needs attention first, then which checks passed.
pub(super) fn findings(findings: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    let (passed, noted): (Vec<&Finding>, Vec<&Finding>) =
        sorted.into_iter().partition(|finding| finding.verdict == Verdict::Pass);
    let mut out: String = together(&noted).iter().map(|(finding, checks)| told(finding, checks)).collect();
    let mut names: Vec<&str> = passed.iter().map(|finding| finding.check.as_str()).collect();
    names.dedup();
    if !names.is_empty() {
        out.push_str(&bullet(&good("✓"), &format!("passed: {}", names.join(", "))));
    }
    out
}

/// One line for checks that found the very same: a cluster nobody can see would fill the screen otherwise.
fn together<'a>(findings: &[&'a Finding]) -> Vec<(&'a Finding, Vec<&'a str>)> {
    let mut groups: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|(first, _)| is_same(first, finding)) {
            Some((_, checks)) => checks.push(&finding.check),
            None => groups.push((finding, vec![&finding.check])),
        }
    }
    groups
}

/// The same in all but the check that found it.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let told = |finding: &Finding| Finding { check: String::new(), ..finding.clone() };
    told(one) == told(other)
}

fn told(finding: &Finding, checks: &[&str]) -> String {
    let mark = match finding.verdict {
        Verdict::Pass => good("✓"),
        Verdict::Info => good("i"),
        Verdict::Warn => caution("! warning:"),
        Verdict::CannotTell => bad("? cannot tell:"),
        Verdict::Block => bad("✗ blocked:"),
    };
    let mut text = format!("{}{} [{}]", place(finding), printable(&finding.saw), checks.join(", "));
    if !finding.why.is_empty() {
        text.push_str(&format!("\nwhy: {}", printable(&finding.why)));
    }
    if let Some(remedy) = &finding.remedy {
        text.push_str(&format!("\ndo:  {}", command(&printable(remedy))));
    }
    bullet(&mark, &text)
}

fn place(finding: &Finding) -> String {
    match (finding.node, &finding.agent) {
        (Some(NodeUid(uid)), _) => format!("node {uid}: "),
        (None, Some(agent)) => format!("{agent}: "),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn what_stands_in_the_way_comes_first_with_its_remedy() {
        let text = anstream::adapter::strip_str(&check(&sample::check())).to_string();
        insta::assert_snapshot!(text, @r"
        orders for 7.4.6-22: blocked
          ✗ blocked: node 3: redis:4 is DOWN [health]
            do:  rladmin status shards
          ? cannot tell: node 2: df failed [disk]
            why: room is needed
            do:  see `df /var`
          ! warning: db:2 has no replica [replication]
            why: it is down during turns
          ✓ passed: quorum
        ");
    }

    #[test]
    fn the_same_of_several_checks_is_told_once_and_nothing_else_is_lost() {
        let mut document = sample::check();
        let again = Finding { check: "clocks".to_owned(), ..document.findings[2].clone() };
        let elsewhere = Finding { node: Some(NodeUid(3)), ..again.clone() };
        document.findings.extend([again, elsewhere]);
        let text = anstream::adapter::strip_str(&check(&document)).to_string();
        assert!(text.contains("node 2: df failed [disk, clocks]"), "{text}");
        assert!(text.contains("node 3: df failed [clocks]"), "{text}");
    }

    #[test]
    fn what_cannot_be_told_is_never_shown_as_passed() {
        let mut document = sample::check();
        document.findings.retain(|finding| finding.verdict == Verdict::CannotTell);
        assert_eq!(document.findings.len(), 1);
        let text = check(&document);
        assert!(!text.contains("passed") && text.contains("cannot tell"), "{text}");
    }
}
