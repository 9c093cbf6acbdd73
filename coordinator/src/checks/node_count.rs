use super::{Check, Context, Finding, Severity, When};

/// More nodes than the vendor supports.
pub(super) const CHECK: Check = Check {
    id: "node-count",
    title: "the cluster has no more nodes than the vendor supports",
    source: "content/embeds/hardware-requirements-embed.md (fact sheet §6 no. 41)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

/// The vendor's limit.
const MOST: usize = 35;

fn run(context: &Context<'_>) -> Vec<Finding> {
    let nodes = context.snapshot.listed().len();
    vec![match nodes {
        0 => CHECK.cannot_tell("no node is listed", "there is nothing to judge by"),
        1..=MOST => CHECK.pass(format!("{nodes} nodes")),
        _ => CHECK.warn(format!("{nodes} nodes"), "the vendor supports clusters of up to 35 nodes"),
    }]
}
