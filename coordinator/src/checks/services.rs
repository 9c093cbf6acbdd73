use proto::{Fact, Row};

use super::told::{Missing, cell};
use super::{Check, Context, Finding, Severity, When};

/// "All services RUNNING"; optional ones may be stopped.
pub(super) const CHECK: Check = Check {
    id: "services",
    title: "the product's services are running on every node",
    source: "fact sheet §3.5, §3.8, §5.5",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "a service that does not run before an upgrade does not run after it either",
    remedy: "/opt/redislabs/bin/supervisorctl status   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "all services are RUNNING", |witness| {
        match witness.facts.details.rows(Fact::Services)? {
            [] => Err("`supervisorctl` lists no service".to_owned()),
            rows => Ok(rows.iter().filter_map(judge).collect()),
        }
    })
}

fn judge(row: &Row) -> Option<Finding> {
    let name = row.get("service").map_or("a service without a name", String::as_str);
    let finding = match cell(row, "state") {
        Ok("RUNNING") => return None,
        Ok("STOPPED") => CHECK.info(format!("{name} is STOPPED"), "optional services may be, others may not"),
        Ok(state) => CHECK.warn(format!("{name} is not RUNNING but {state}"), MISSING.why),
        Err(reason) => CHECK.unknown(format!("{name}: {reason}"), MISSING.why),
    };
    Some(finding.fix(MISSING.remedy))
}
