//! The top of the file.

use std::collections::BTreeSet;
use std::time::Duration;

use proto::{ClusterName, RolloutName, Version};
use toml::Value;

use super::values::{count, texts};
use super::{waves, windows};
use crate::checks::Acceptance;
use crate::config::Mistake;
use crate::config::reader::{Mistakes, Reader, kind};
use crate::rollout::{Siblings, Spec};

/// A turn is taken to last so long while nothing was measured and the file says nothing: longer than most do, so that none
/// is under way when the window closes.
const TURN_ESTIMATE: Duration = Duration::from_secs(60 * 60);

const KEYS: [&str; 10] = [
    "name",
    "target",
    "at_once",
    "failure_budget",
    "on_failure",
    "turn_estimate",
    "partners",
    "accept",
    "windows",
    "wave",
];

pub(super) fn rollout(table: toml::Table) -> Result<Spec, Vec<Mistake>> {
    let mut mistakes = Mistakes::default();
    let mut top = Reader::new("", table);
    let remedy = "give the rollout a name that stays, like \"q4-7-22\"";
    let name: Option<RolloutName> = top.parsed("name", remedy, &mut mistakes);
    let remedy = "name the version that every cluster is to have, like \"7.22.0-95\"";
    let target: Option<Version> = top.parsed("target", remedy, &mut mistakes);
    let at_once = count(&mut top, "at_once", 1, &mut mistakes).unwrap_or(1);
    let failure_budget = count(&mut top, "failure_budget", 0, &mut mistakes).unwrap_or(0);
    let on_failure = on_failure(&mut top, &mut mistakes);
    let turn_estimate = top.span("turn_estimate", &mut mistakes).unwrap_or(TURN_ESTIMATE);
    let partners = partners(&mut top, &mut mistakes);
    let accept = accept(top.tables("accept", &mut mistakes), &mut mistakes);
    let windows = windows::windows(top.table("windows", &mut mistakes), &mut mistakes);
    let waves = waves::waves(&mut top, (at_once, failure_budget), &mut mistakes);
    top.finish(&KEYS, &mut mistakes);
    let mistakes = mistakes.into_vec();
    match (name, target, mistakes.is_empty()) {
        (Some(name), Some(target), true) => Ok(Spec {
            name,
            target,
            waves,
            at_once: usize::try_from(at_once).unwrap_or(usize::MAX),
            failure_budget,
            on_failure,
            windows,
            turn_estimate,
            partners,
            accept,
        }),
        _ => Err(mistakes),
    }
}

fn on_failure(top: &mut Reader, mistakes: &mut Mistakes) -> Siblings {
    let remedy = "write \"finish-turn\", \"continue\" or \"halt\"";
    let Some(word) = top.text("on_failure", remedy, mistakes) else { return Siblings::default() };
    match word.as_str() {
        "finish-turn" => Siblings::FinishTurn,
        "continue" => Siblings::Continue,
        "halt" => Siblings::Halt,
        _ => {
            mistakes.note("on_failure", format!("there is no `{word}`"), remedy);
            Siblings::default()
        }
    }
}

fn partners(top: &mut Reader, mistakes: &mut Mistakes) -> Option<Vec<BTreeSet<ClusterName>>> {
    let remedy = "list clusters that must not be in flight together, like [[\"orders-eu\", \"orders-us\"]]";
    let groups = match top.take("partners")? {
        Value::Array(groups) => groups,
        other => {
            mistakes.note("partners", format!("it is {}, not a list of lists", kind(&other)), remedy);
            return None;
        }
    };
    let mut partners = Vec::new();
    for (index, group) in groups.into_iter().enumerate() {
        let key = format!("partners[{index}]");
        let names: BTreeSet<ClusterName> = texts(&key, group, remedy, mistakes).into_iter().collect();
        if names.len() < 2 {
            mistakes.note(&key, "it does not name two clusters", remedy);
        }
        partners.push(names);
    }
    Some(partners)
}

fn accept(readers: Vec<Reader>, mistakes: &mut Mistakes) -> Vec<Acceptance> {
    let mut accepted = Vec::new();
    for mut reader in readers {
        let id = filled(&mut reader, "id", "name the check, advisory or hook", mistakes);
        let reason = filled(&mut reader, "reason", "say why it may be passed", mistakes);
        reader.finish(&["id", "reason"], mistakes);
        accepted.extend(id.zip(reason).map(|(id, reason)| Acceptance { id, reason }));
    }
    accepted
}

fn filled(reader: &mut Reader, name: &str, remedy: &str, mistakes: &mut Mistakes) -> Option<String> {
    let text = reader.required(name, remedy, mistakes)?.trim().to_owned();
    if text.is_empty() {
        mistakes.note(&reader.key(name), "it is empty", remedy);
    }
    Some(text)
}
