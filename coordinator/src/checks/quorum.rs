use super::{Check, Context, Finding, Severity, When};

/// When one node goes, a strict majority of the listed nodes must stay up.
pub(super) const CHECK: Check = Check {
    id: "quorum",
    title: "a majority of nodes stays up while one is upgraded",
    source: "content/embeds/hardware-requirements-embed.md (fact sheet §6 no. 12)",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Always,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let nodes = context.snapshot.listed().len();
    let up = context
        .snapshot
        .views()
        .map(|(_, view)| view.nodes.iter().filter(|row| row.status.is_ok()).count())
        .min();
    let Some(up) = up else {
        return vec![
            CHECK.cannot_tell("no agent shows how many nodes are up", "the cluster could lose its majority"),
        ];
    };
    let seen = format!("{up} of {nodes} nodes are up");
    let all_up = up >= nodes;
    let finding = match nodes {
        0 => CHECK.cannot_tell("no node is listed", "there is nothing to judge by"),
        1 if all_up => {
            CHECK.warn(seen, "a single node: its databases are not available while it is upgraded")
        }
        2 if all_up => {
            CHECK.warn(seen, "two nodes have no majority when one goes; the vendor wants three or more")
        }
        _ if up.saturating_sub(1) * 2 <= nodes => CHECK
            .block(seen, "when one more goes, no majority is left and the cluster stops")
            .fix("bring the missing nodes back first: rladmin status nodes"),
        _ if nodes.is_multiple_of(2) => CHECK.warn(seen, "the vendor wants an odd number of nodes"),
        _ => CHECK.pass(seen),
    };
    vec![finding]
}
