use jiff::SignedDuration;

use super::{Check, Context, Finding, Severity, When};

/// Clocks that differ make logs of several nodes hard to read together, and certificates fail.
pub(super) const CHECK: Check = Check {
    id: "clocks",
    title: "the nodes' clocks agree",
    source: "installing-upgrading/install/manage-installation-questions.md (fact sheet §6 no. 20)",
    severity: Severity::Block,
    promise: None,
    when: When::Before,
    run,
};

/// How far two nodes may be apart without a word: an answer that was a moment under way looks the same.
const NEAR: SignedDuration = SignedDuration::from_secs(1);
/// How far two nodes may be apart at all. The vendor: no more than a few seconds.
const FARTHEST: SignedDuration = SignedDuration::from_secs(5);
const WHY: &str =
    "the vendor wants the nodes' clocks synchronised; nodes that differ cannot join and certificates fail";

/// Each clock is compared with the coordinator's at the moment its answer arrived, and those differences with each other:
/// the coordinator's own clock may be wrong, and answers take their time.
fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut offsets: Vec<(SignedDuration, &str)> = context
        .snapshot
        .agents
        .iter()
        .filter_map(|report| {
            let facts = report.answer.as_ref().ok()?;
            Some((facts.observed_at.duration_since(report.received_at), report.address.as_str()))
        })
        .collect();
    offsets.sort();
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
        return vec![CHECK.cannot_tell("no agent answered", "there is nothing to judge by")];
    };
    let apart = last.0.saturating_sub(first.0);
    if apart <= NEAR {
        return vec![CHECK.pass(format!("{} clocks, at most {} s apart", offsets.len(), apart.as_secs()))];
    }
    let tenths = apart.as_millis() / 100;
    let saw =
        format!("the clock of {} is {}.{} s ahead of that of {}", last.1, tenths / 10, tenths % 10, first.1);
    let finding = if apart > FARTHEST { CHECK.block(saw, WHY) } else { CHECK.warn(saw, WHY) };
    vec![finding.by(last.1).fix("timedatectl   # on both: is a time service at work?")]
}
