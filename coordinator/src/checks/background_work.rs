use proto::{Details, Fact};

use super::told::{CREDENTIAL, Told, cell, request, told_by_any};
use super::{Check, Context, Finding, Severity, When};

/// `rladmin` shows tasks; state machines, backups, imports and exports are in the REST API alone.
pub(super) const CHECK: Check = Check {
    id: "background-work",
    title: "no state machine, backup, import or export is at work",
    source: "installing-upgrading/upgrading/upgrade-cluster.md; references/rest-api (actions) (fact sheet §4.1, §6 no. 11 (RS103760, RS110481))",
    severity: Severity::Block,
    promise: Some("P4"),
    when: When::Before,
    run,
};

const WHY: &str = "work on the cluster and an upgrade disturb each other; newer installers refuse to start";

fn run(context: &Context<'_>) -> Vec<Finding> {
    match told_by_any(context, actions) {
        Told::Known(actions) => {
            let remedy = format!("{}   # until nothing is at work", request("GET", "/v1/actions", ""));
            let block = |action| CHECK.block(format!("at work: {action}"), WHY).fix(remedy.as_str());
            CHECK.or_pass(actions.into_iter().map(block).collect(), 1, "nothing is at work")
        }
        Told::Nobody => CHECK.or_pass(Vec::new(), 0, ""),
        // Without a credential nobody can look; tasks are known from `rladmin` all the same, and state machines of
        // databases from its status.
        Told::Untold(reason) => vec![CHECK.warn(format!("cannot tell: {reason}"), WHY).fix(CREDENTIAL)],
    }
}

fn actions(details: &Details) -> Result<Vec<String>, String> {
    let action = |row| {
        let part = |key| cell(row, key).unwrap_or("?");
        format!("{} on {} ({})", part("name"), part("object"), part("status"))
    };
    Ok(details.rows(Fact::Actions)?.iter().map(action).collect())
}
