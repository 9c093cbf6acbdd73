use jiff::SignedDuration;

use super::{Check, Context, Finding, Severity, When};

/// A gate says how things are, not how they were.
pub(super) const CHECK: Check = Check {
    id: "fresh",
    title: "the cluster was looked at just now",
    source: "promise P4",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Gate,
    run,
};

/// How old a snapshot may be: longer than the slowest healthy round of answers, shorter than a failover and back.
const OLDEST: SignedDuration = SignedDuration::from_secs(60);

fn run(context: &Context<'_>) -> Vec<Finding> {
    let age = context.now.duration_since(context.snapshot.at);
    if !age.is_negative() && age <= OLDEST {
        return vec![CHECK.pass(format!("looked at {} s ago", age.as_secs()))];
    }
    let saw = format!("the cluster was last looked at {} s ago", age.as_secs());
    let why = "a turn begins only on what is seen just before it";
    vec![CHECK.cannot_tell(saw, why).fix("look again; if it stays, correct the coordinator's clock")]
}
