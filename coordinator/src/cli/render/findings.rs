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
    let (passed, noted) = sorted(findings);
    let mut names: Vec<&str> = passed.iter().map(|finding| finding.check.as_str()).collect();
    names.dedup();
    let mut out = format!("  {}\n", counts(&noted, names.len()));
    out.extend(together(&noted).iter().map(told));
    if !names.is_empty() {
        out.push_str(&bullet(&good("✓"), &format!("passed: {}", names.join(", "))));
    }
    out
}

/// Only what stands in the way, so that it is not lost among everything else; `all` is the command that tells the rest.
pub(super) fn in_the_way(findings: &[Finding], all: &str) -> String {
    let (passed, mut noted) = sorted(findings);
    let counted = counts(&noted, passed.len());
    let every = noted.len();
    noted.retain(|finding| finding.blocks());
    let mut out: String = together(&noted).iter().map(told).collect();
    if noted.len() < every {
        out.push_str(&bullet("…", &format!("all that was found ({counted}): {}", command(all))));
    }
    out
}

/// What passed, and everything else in the order in which it is told.
fn sorted(findings: &[Finding]) -> (Vec<&Finding>, Vec<&Finding>) {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(weight(finding)));
    sorted.into_iter().partition(|finding| finding.verdict == Verdict::Pass)
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
        (count(&|finding| finding.verdict == Verdict::Warn), "warning(s)"),
        (count(&|finding| finding.verdict == Verdict::Info), "note(s)"),
        (passed, "passed"),
    ];
    let some = groups.iter().filter(|(count, _)| *count > 0);
    let told = some
        .map(|(count, what)| format!("{count} {}", what.replace("(s)", if *count == 1 { "" } else { "s" })));
    told.collect::<Vec<_>>().join(", ")
}

/// What several checks found on several nodes, told once.
struct Told<'a> {
    finding: &'a Finding,
    checks: Vec<&'a str>,
    /// All that it was found on.
    on: Vec<&'a Finding>,
}

/// One line for checks that found the very same, and one for the nodes that a check found the very same on: a cluster
/// nobody can see would fill the screen otherwise.
fn together<'a>(findings: &[&'a Finding]) -> Vec<Told<'a>> {
    let mut groups: Vec<Told<'a>> = Vec::new();
    for finding in findings {
        match groups.iter_mut().find(|group| is_same(group.finding, finding)) {
            Some(group) => group.checks.push(&finding.check),
            None => groups.push(Told { finding, checks: vec![&finding.check], on: vec![finding] }),
        }
    }
    let mut merged: Vec<Told<'a>> = Vec::new();
    for group in groups {
        match merged.iter_mut().find(|other| is_same_elsewhere(other, &group)) {
            Some(other) => other.on.extend(group.on),
            None => merged.push(group),
        }
    }
    merged
}

/// The same checks found the same in another place.
fn is_same_elsewhere(one: &Told<'_>, other: &Told<'_>) -> bool {
    let anywhere = |finding: &Finding| Finding { node: None, agent: None, ..finding.clone() };
    let kind =
        |finding: &Finding| (finding.node.is_some(), finding.node.is_none() && finding.agent.is_some());
    kind(one.finding) == kind(other.finding)
        && one.checks == other.checks
        && anywhere(one.finding) == anywhere(other.finding)
}

/// The same in all but the check that found it. Where a fact is missing and nothing stands in the way for it, the fact
/// counts, and not what each check would have made of it: `ratchet why ID` tells that.
fn is_same(one: &Finding, other: &Finding) -> bool {
    if is_unknown(one) && is_unknown(other) {
        return (one.verdict, &one.saw, one.node, &one.agent)
            == (other.verdict, &other.saw, other.node, &other.agent);
    }
    let told = |finding: &Finding| Finding { check: String::new(), source: String::new(), ..finding.clone() };
    told(one) == told(other)
}

/// Whether a missing fact leaves open something that would not stand in the way.
fn is_unknown(finding: &Finding) -> bool {
    !finding.verdict.blocks() && finding.saw.starts_with("cannot tell")
}

fn told(told: &Told<'_>) -> String {
    let Told { finding, checks, on } = told;
    let mark = match (finding.verdict, &finding.accepted) {
        (_, Some(_)) => caution("! accepted:"),
        (Verdict::Pass, None) => good("✓"),
        (Verdict::Info, None) => "i note:".to_owned(),
        (Verdict::Warn, None) => caution("! warning:"),
        (Verdict::CannotTell, None) => bad("? cannot tell:"),
        (Verdict::Block, None) => bad("✗ blocked:"),
    };
    let mut text = format!("{}{} [{}]", places(on), printable(&finding.saw), checks.join(", "));
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

/// Every place that something was found in: nodes, or agents that no node is known of.
fn places(on: &[&Finding]) -> String {
    let mut nodes: Vec<u32> = on.iter().filter_map(|finding| finding.node.map(|NodeUid(uid)| uid)).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let listed = nodes.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let agents: Vec<&str> = on.iter().filter_map(|finding| finding.agent.as_deref()).collect();
    match nodes.len() {
        0 if agents.is_empty() => String::new(),
        0 => format!("{}: ", agents.join(", ")),
        1 => format!("node {listed}: "),
        _ => format!("nodes {listed}: "),
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
    fn the_same_on_several_nodes_is_told_once() {
        let mut document = sample::check();
        let shard = document.findings.iter().find(|finding| finding.check == "health").unwrap().clone();
        document.findings.push(Finding { node: Some(NodeUid(1)), ..shard.clone() });
        document.findings.push(Finding { node: None, ..shard });
        let text = anstream::adapter::strip_str(&check(&document)).to_string();
        assert!(text.contains("3 blocked, 1 cannot tell, 1 warning, 1 passed"), "{text}");
        assert!(text.contains("✗ blocked: nodes 1, 3: redis:4 is DOWN [health]"), "{text}");
        assert!(text.contains("✗ blocked: redis:4 is DOWN [health]"), "{text}");
    }

    #[test]
    fn a_refusal_tells_what_stands_in_the_way_and_where_the_rest_is() {
        let mut document = sample::check();
        let again =
            document.findings.iter().find(|finding| finding.verdict == Verdict::Warn).unwrap().clone();
        document.findings.push(Finding { check: "other".to_owned(), saw: "another".to_owned(), ..again });
        let all = "ratchet check orders --to 7.4.6-22";
        let text = anstream::adapter::strip_str(&in_the_way(&document.findings, all)).to_string();
        insta::assert_snapshot!(text, @r"
          ✗ blocked: node 3: redis:4 is DOWN [health]
            do:  rladmin status shards
            see: the vendor's guide
          ? cannot tell: node 2: df failed [disk]
            why: room is needed
            do:  see `df /var`
            see: the vendor's guide
          … all that was found (1 blocked, 1 cannot tell, 2 warnings, 1 passed): ratchet check orders --to 7.4.6-22
        ");
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
