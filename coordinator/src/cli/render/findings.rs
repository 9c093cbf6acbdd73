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

/// How many there are of each severity, then what needs attention first, and last which checks passed.
pub(super) fn findings(findings: &[Finding]) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(weight(finding)));
    let (passed, noted): (Vec<&Finding>, Vec<&Finding>) =
        sorted.into_iter().partition(|finding| finding.verdict == Verdict::Pass);
    let mut names: Vec<&str> = passed.iter().map(|finding| finding.check.as_str()).collect();
    names.dedup();
    let mut out = format!("  {}\n", counts(&noted, names.len()));
    out.extend(together(&noted).iter().map(|(finding, checks)| told(finding, checks)));
    if !names.is_empty() {
        out.push_str(&bullet(&good("✓"), &format!("passed: {}", names.join(", "))));
    }
    out
}

/// How near the top it stands.
fn weight(finding: &Finding) -> (bool, Verdict, bool) {
    (finding.blocks(), finding.verdict, !is_unknown(finding))
}

fn counts(noted: &[&Finding], passed: usize) -> String {
    let count = |wanted: &dyn Fn(&Finding) -> bool| noted.iter().filter(|finding| wanted(finding)).count();
    let standing = |verdict: Verdict| count(&|finding| finding.blocks() && finding.verdict == verdict);
    let groups = [
        (standing(Verdict::Block), "blocked"),
        (standing(Verdict::CannotTell), "cannot tell"),
        (count(&|finding| finding.accepted.is_some()), "accepted"),
        (count(&|finding| finding.verdict == Verdict::Warn), "warning"),
        (count(&|finding| finding.verdict == Verdict::Info), "note"),
        (passed, "passed"),
    ];
    let plural = |count: usize, what: &str| match what {
        "warning" | "note" if count != 1 => format!("{count} {what}s"),
        _ => format!("{count} {what}"),
    };
    let told = groups.iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(*count, what));
    told.collect::<Vec<_>>().join(", ")
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

/// The same in all but the check that found it. Where a fact is missing and nothing stands in the way for it, the fact
/// counts, and not what each check would have made of it: `ratchet why ID` tells that.
fn is_same(one: &Finding, other: &Finding) -> bool {
    if is_unknown(one) && is_unknown(other) {
        return (one.verdict, &one.saw) == (other.verdict, &other.saw);
    }
    let told = |finding: &Finding| Finding { check: String::new(), source: String::new(), ..finding.clone() };
    told(one) == told(other)
}

/// Whether a missing fact leaves open something that would not stand in the way.
fn is_unknown(finding: &Finding) -> bool {
    !finding.verdict.blocks() && finding.saw.starts_with("cannot tell")
}

fn told(finding: &Finding, checks: &[&str]) -> String {
    let mark = match (finding.verdict, &finding.accepted) {
        (_, Some(_)) => caution("! accepted:"),
        (Verdict::Pass, None) => good("✓"),
        (Verdict::Info, None) => "i note:".to_owned(),
        (Verdict::Warn, None) => caution("! warning:"),
        (Verdict::CannotTell, None) => bad("? cannot tell:"),
        (Verdict::Block, None) => bad("✗ blocked:"),
    };
    let mut text = format!("{}{} [{}]", place(finding), printable(&finding.saw), checks.join(", "));
    let mut line = |name: &str, value: &str| text.push_str(&format!("\n{name:<5}{value}"));
    if let Some(reason) = &finding.accepted {
        line("for:", &printable(reason));
    }
    // A note is a line: `ratchet why ID` has the rest.
    let brief = checks.len() > 1 || finding.verdict == Verdict::Info;
    if !finding.why.is_empty() && !brief {
        line("why:", &printable(&finding.why));
    }
    if let Some(remedy) = finding.remedy.as_ref().filter(|_| finding.verdict != Verdict::Info) {
        line("do:", &command(&printable(remedy)));
    }
    if !finding.source.is_empty() && !brief {
        line("see:", &printable(&finding.source));
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
          1 blocked, 1 cannot tell, 1 warning, 1 passed
          ✗ blocked: node 3: redis:4 is DOWN [health]
            do:  rladmin status shards
            see: the vendor's guide
          ? cannot tell: node 2: df failed [disk]
            why: room is needed
            do:  see `df /var`
            see: the vendor's guide
          ! warning: db:2 has no replica [replication]
            why: it is down during turns
            see: the vendor's guide
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
