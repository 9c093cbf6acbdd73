//! What advisories say, as findings.

use std::collections::{BTreeMap, BTreeSet};

use proto::NodeUid;

use super::advisory::Advisory;
use super::judge::Applies;
use super::truth::{Missing, add};
use crate::checks::{Finding, Severity, Verdict};
use crate::paths::Hop;

/// What an advisory said of all hops of a path.
#[derive(Default)]
struct Said {
    hops: Vec<String>,
    nodes: BTreeSet<NodeUid>,
    shown: BTreeMap<String, BTreeSet<NodeUid>>,
    missing: Missing,
}

/// The finding of an advisory over all hops of a path; `None` where it applies to none of them.
pub(super) fn finding<'a>(
    advisory: &Advisory,
    judged: impl Iterator<Item = (&'a Hop, Applies)>,
) -> Option<Finding> {
    let mut said = Said::default();
    judged.for_each(|(hop, applies)| said.add(hop, applies));
    match (said.hops.is_empty(), said.missing.is_empty()) {
        (false, _) => Some(said.applies(advisory)),
        (true, false) => Some(said.cannot_tell(advisory)),
        (true, true) => None,
    }
}

impl Said {
    fn add(&mut self, hop: &Hop, applies: Applies) {
        match applies {
            Applies::No => {}
            Applies::CannotTell { missing } => add(&mut self.missing, missing),
            Applies::Yes { nodes, shown } => {
                self.hops.push(format!("{} → {}", hop.from, hop.to));
                self.nodes.extend(nodes);
                shown.into_iter().for_each(|(facts, at)| self.shown.entry(facts).or_default().extend(at));
            }
        }
    }

    fn applies(&self, advisory: &Advisory) -> Finding {
        let saw = format!("{}: {}{}", self.hops.join(", "), advisory.title, because(&self.shown));
        of(advisory, verdict(advisory.severity, Verdict::Block), saw, only(&self.nodes))
    }

    fn cannot_tell(&self, advisory: &Advisory) -> Finding {
        let verdict = verdict(advisory.cannot_tell, Verdict::CannotTell);
        // A verdict of that name says the two words itself.
        let words = if verdict == Verdict::CannotTell { "" } else { "cannot tell " };
        let saw = format!("{words}whether this applies: {} ({})", advisory.title, list(&self.missing));
        of(advisory, verdict, saw, None)
    }
}

/// Each reason once, with the facts that are missing for it.
fn list(missing: &Missing) -> String {
    let each = missing.iter().map(|(reason, facts)| {
        let facts: Vec<String> = facts.iter().map(|fact| format!("`{fact}`")).collect();
        format!("{} {} not known: {reason}", facts.join(", "), if facts.len() == 1 { "is" } else { "are" })
    });
    each.collect::<Vec<_>>().join("; ")
}

/// The finding of all that do not apply.
pub(super) fn free(count: usize) -> Finding {
    Finding {
        check: "advisories".to_owned(),
        verdict: Verdict::Pass,
        node: None,
        agent: None,
        saw: format!("{count} advisories do not apply"),
        why: String::new(),
        remedy: None,
        source: "coordinator/data/advisories.toml, and the operator's own".to_owned(),
        promise: None,
        accepted: None,
    }
}

pub(super) fn verdict(severity: Severity, worst: Verdict) -> Verdict {
    match severity {
        Severity::Block => worst,
        Severity::Warn => Verdict::Warn,
        Severity::Info => Verdict::Info,
    }
}

fn of(advisory: &Advisory, verdict: Verdict, saw: String, node: Option<NodeUid>) -> Finding {
    Finding {
        check: advisory.id.clone(),
        verdict,
        node,
        agent: None,
        saw,
        why: advisory.why.clone(),
        remedy: Some(advisory.remedy.clone()),
        source: advisory.source.clone(),
        promise: advisory.promise.clone(),
        accepted: None,
    }
}

/// ` (os is rhel9 and openssl is 3.0.7 on node:1, node:2)`.
fn because(shown: &BTreeMap<String, BTreeSet<NodeUid>>) -> String {
    let each = shown.iter().filter(|(facts, _)| !facts.is_empty()).map(|(facts, nodes)| {
        let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        if nodes.is_empty() { facts.clone() } else { format!("{facts} on {}", nodes.join(", ")) }
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { String::new() } else { format!(" ({})", each.join("; ")) }
}

fn only(nodes: &BTreeSet<NodeUid>) -> Option<NodeUid> {
    if nodes.len() == 1 { nodes.first().copied() } else { None }
}
