use proto::{Details, Fact};

use super::told::{CREDENTIAL, Missing, cell, flag, request};
use super::{Check, Context, Finding, Severity, When};

/// Such a database is upgraded by itself as soon as the cluster is.
pub(super) const CHECK: Check = Check {
    id: "auto-upgrade",
    title: "no database is upgraded by itself after the cluster",
    source: "fact sheet §4.1, §6 no. 35, §7.1",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "its shards restart, and its Redis version changes, as soon as the last node is upgraded",
    remedy: CREDENTIAL,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_cluster(context, MISSING, "none is", upgraded_alone, |databases| {
        let finding = |(uid, name): &(&str, &str)| {
            let saw = format!("db:{uid} ({name}) is upgraded automatically");
            let off = request("PUT", &format!("/v1/bdbs/{uid}"), "{\"auto_upgrade\": false}");
            let remedy = format!("{off}   # unless that is wanted");
            CHECK.warn(saw, MISSING.why).fix(remedy)
        };
        databases.iter().map(finding).collect()
    })
}

fn upgraded_alone(details: &Details) -> Result<Vec<(&str, &str)>, String> {
    let mut found = Vec::new();
    for row in details.rows(Fact::Databases)? {
        let uid = cell(row, "uid")?;
        if flag(row, "auto_upgrade").map_err(|reason| format!("db:{uid}: {reason}"))? {
            found.push((uid, cell(row, "name").unwrap_or("without a name")));
        }
    }
    Ok(found)
}
