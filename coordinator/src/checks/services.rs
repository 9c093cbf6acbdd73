use proto::{Fact, Row};

use super::told::{Missing, cell};
use super::{Check, Context, Finding, Severity, When};

/// "All services RUNNING"; optional ones may be stopped.
pub(super) const CHECK: Check = Check {
    id: "services",
    title: "the product's services are running on every node",
    source: "databases/connect/troubleshooting-guide.md (fact sheet §3.5, §3.8, §5.5)",
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
            rows => Ok(rows.iter().filter_map(judge).chain(stopped(rows)).collect()),
        }
    })
}

fn name(row: &Row) -> &str {
    row.get("service").map_or("a service without a name", String::as_str)
}

/// Most nodes have some: they are told in one line.
fn stopped(rows: &[Row]) -> Option<Finding> {
    let is_stopped = |row: &&Row| cell(row, "state") == Ok("STOPPED");
    let names: Vec<&str> = rows.iter().filter(is_stopped).map(name).collect();
    if names.is_empty() {
        return None;
    }
    let saw = format!("STOPPED: {}", names.join(", "));
    Some(CHECK.info(saw, "optional services may be, others may not").fix(MISSING.remedy))
}

fn judge(row: &Row) -> Option<Finding> {
    let name = name(row);
    let finding = match cell(row, "state") {
        Ok("RUNNING" | "STOPPED") => return None,
        Ok(state) => CHECK.warn(format!("{name} is not RUNNING but {state}"), MISSING.why),
        Err(reason) => CHECK.unknown(format!("{name}: {reason}"), MISSING.why),
    };
    Some(finding.fix(MISSING.remedy))
}
