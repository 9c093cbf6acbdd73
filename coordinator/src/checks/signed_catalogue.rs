use jiff::SignedDuration;

use super::{Check, Context, Finding, Severity, When};
use crate::catalogue::owners_word;

/// The nodes take the fleet owner's word for packages, and this is told before the first of them is asked.
pub(super) const CHECK: Check = Check {
    id: "signed-catalogue",
    title: "the fleet owner's signed catalogue allows the packages, where there is one",
    source: "design §5 (whose word the agent takes)",
    severity: Severity::Block,
    promise: None,
    when: When::Planning,
    run,
};

/// An upgrade of many nodes may take days, with its pauses.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
const RENEW: &str =
    "ratchet catalogue new FILE; ratchet catalogue sign FILE --secret KEY   # by the fleet owner";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let Some(word) = context.signed else {
        return vec![CHECK.pass("not asked for: ratchet.toml names no signed catalogue")];
    };
    let entries = context.chosen();
    if entries.is_empty() {
        return vec![CHECK.cannot_tell("no package was chosen", "see the checks `path` and `package`")];
    }
    let mut findings: Vec<Finding> = Vec::new();
    for entry in &entries {
        let why = "a node on which the owner's key is pinned installs nothing else";
        if let Err(cause) = owners_word(Some(word), &entry.package, context.now) {
            findings.push(CHECK.block(format!("{}: {cause}", entry.package), why).fix(RENEW));
        }
    }
    if let Ok(catalogue) = word
        && findings.is_empty()
        && catalogue.expires.duration_since(context.now) < SOON
    {
        let saw = format!("catalogue {} expires at {}", catalogue.serial, catalogue.expires);
        findings.push(CHECK.warn(saw, "an install after that is refused, and the run halts").fix(RENEW));
    }
    CHECK.or_pass(findings, entries.len(), "every package is in the signed catalogue")
}
