//! How checks ask for facts by name: of every node, or of the cluster as a whole. What is not told never passes.

use std::collections::BTreeSet;

use proto::{Details, Fact, NodeUid, Probe, Row};

use super::{Check, Context, Finding, Verdict};
use crate::snapshot::Witness;

/// What a finding says where a fact is missing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing {
    /// Why the fact matters.
    pub(super) why: &'static str,
    /// How to come by it.
    pub(super) remedy: &'static str,
}

/// What to do where the product's REST API would know.
pub(super) const CREDENTIAL: &str =
    "give the agents a viewer's credential: the section [rest] of /etc/ratchet/agent.toml";

/// What all agents tell alike, or why it is not to be had.
pub(super) enum Told<T> {
    /// At least one agent tells it, and all that do say the same.
    Known(T),
    /// No agent answered at all.
    Nobody,
    /// Nobody knows, or two contradict each other.
    Untold(String),
}

impl Check {
    /// Judges every node by what its agent tells. The error of `judge` is why a fact is missing.
    ///
    /// What is the same on several nodes is said once, with their names.
    pub(super) fn on_nodes<'a>(
        &self,
        context: &Context<'a>,
        missing: Missing,
        pass: &str,
        judge: impl Fn(&Witness<'a>) -> Result<Vec<Finding>, String>,
    ) -> Vec<Finding> {
        let witnesses = context.snapshot.witnesses();
        let mut found: Vec<(Finding, Vec<(NodeUid, &str)>)> = Vec::new();
        for witness in &witnesses {
            let of_node = judge(witness)
                .unwrap_or_else(|reason| vec![self.unknown(reason, missing.why).fix(missing.remedy)]);
            for finding in of_node {
                match found.iter_mut().find(|(known, _)| *known == finding) {
                    Some((_, nodes)) => nodes.push((witness.uid, witness.agent)),
                    None => found.push((finding, vec![(witness.uid, witness.agent)])),
                }
            }
        }
        let findings = found.into_iter().map(|(finding, nodes)| placed(finding, &nodes)).collect();
        self.or_pass(findings, witnesses.len(), pass)
    }

    /// Judges the cluster by what all agents tell alike.
    pub(super) fn on_cluster<'a, T: PartialEq>(
        &self,
        context: &Context<'a>,
        missing: Missing,
        pass: &str,
        read: impl Fn(&'a Details) -> Result<T, String>,
        judge: impl FnOnce(T) -> Vec<Finding>,
    ) -> Vec<Finding> {
        match told(context, read) {
            Told::Known(value) => self.or_pass(judge(value), 1, pass),
            Told::Nobody => self.or_pass(Vec::new(), 0, pass),
            Told::Untold(reason) => vec![self.unknown(reason, missing.why).fix(missing.remedy)],
        }
    }
}

/// What the agents tell of the cluster as a whole: the same, whoever is asked.
pub(super) fn told<'a, T: PartialEq>(
    context: &Context<'a>,
    read: impl Fn(&'a Details) -> Result<T, String>,
) -> Told<T> {
    let mut known: Option<(&str, T)> = None;
    let mut reason = None;
    for (agent, facts) in context.snapshot.answered() {
        match (read(&facts.details), &known) {
            (Ok(value), Some((first, other))) if value != *other => {
                return Told::Untold(format!("{first} and {agent} contradict each other"));
            }
            (Ok(_), Some(_)) => {}
            (Ok(value), None) => known = Some((agent, value)),
            (Err(why), _) => reason = reason.or(Some(why)),
        }
    }
    match (known, reason) {
        (Some((_, value)), _) => Told::Known(value),
        (None, Some(reason)) => Told::Untold(reason),
        (None, None) => Told::Nobody,
    }
}

/// What comes and goes from one moment to the next: everything that any agent tells, each once.
pub(super) fn told_by_any<'a, T: Ord>(
    context: &Context<'a>,
    read: impl Fn(&'a Details) -> Result<Vec<T>, String>,
) -> Told<Vec<T>> {
    let mut known: Option<Vec<T>> = None;
    let mut reason = None;
    for (_, facts) in context.snapshot.answered() {
        match read(&facts.details) {
            Ok(values) => known.get_or_insert_default().extend(values),
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    match (known, reason) {
        (Some(mut values), _) => {
            values.sort();
            values.dedup();
            Told::Known(values)
        }
        (None, Some(reason)) => Told::Untold(reason),
        (None, None) => Told::Nobody,
    }
}

impl Check {
    /// What to say where a list of databases lacks some that `rladmin` shows: nobody knows anything of those.
    pub(super) fn left_out(
        &self,
        context: &Context<'_>,
        listed: &[&str],
        missing: Missing,
    ) -> Option<Finding> {
        let shown = context.snapshot.views().flat_map(|(_, view)| &view.databases);
        let is_listed = |uid: u32| listed.iter().any(|listed| listed.parse() == Ok(uid));
        let left_out =
            shown.filter(|row| !is_listed(row.uid)).map(|row| format!("db:{} ({})", row.uid, row.name));
        let left_out: Vec<String> = left_out.collect::<BTreeSet<_>>().into_iter().collect();
        let saw = format!("the API does not list {}", left_out.join(", "));
        (!left_out.is_empty()).then(|| self.unknown(saw, missing.why).fix(missing.remedy))
    }
}

/// Whether this version of the product has no such answer: then it has nothing to say, which is not the same as silence.
pub(super) fn is_unsupported(details: &Details, fact: Fact) -> bool {
    matches!(details.0.get(&fact), Some(Probe::Unsupported(_)))
}

/// A cell of a row. The error is why it is not known.
pub(super) fn cell<'a>(row: &'a Row, key: &str) -> Result<&'a str, String> {
    row.get(key).map(String::as_str).ok_or_else(|| format!("`{key}` is not told"))
}

/// A cell that says yes or no. The error is why it is not known.
pub(super) fn flag(row: &Row, key: &str) -> Result<bool, String> {
    match cell(row, key)? {
        "true" | "yes" | "enabled" => Ok(true),
        "false" | "no" | "disabled" => Ok(false),
        other => Err(format!("`{key}` says `{other}`, which is neither yes nor no")),
    }
}

/// Of findings from several sources: a pass counts only if nothing else was found.
pub(super) fn without_idle_pass(mut findings: Vec<Finding>) -> Vec<Finding> {
    if findings.iter().any(|finding| finding.verdict != Verdict::Pass) {
        findings.retain(|finding| finding.verdict != Verdict::Pass);
    }
    findings
}

/// A request to the product's REST API, as a command.
pub(super) fn request(method: &str, path: &str, body: &str) -> String {
    let body = if body.is_empty() {
        String::new()
    } else {
        format!(" -H 'Content-Type: application/json' -d '{body}'")
    };
    format!("curl -k -u USER -X {method} https://localhost:9443{path}{body}")
}

fn placed(finding: Finding, nodes: &[(NodeUid, &str)]) -> Finding {
    if let [(uid, agent)] = nodes {
        return finding.on(*uid).by(agent);
    }
    let names: Vec<String> = nodes.iter().map(|(uid, _)| uid.to_string()).collect();
    Finding { saw: format!("{} ({})", finding.saw, names.join(", ")), ..finding }
}
