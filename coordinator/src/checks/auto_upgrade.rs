use proto::{Details, Fact};

use super::told::{CREDENTIAL, Missing, cell, flag, request};
use super::{Check, Context, Finding, Severity, When};

/// Such a database is upgraded by itself as soon as the cluster is.
pub(super) const CHECK: Check = Check {
    id: "auto-upgrade",
    title: "no database is upgraded by itself after the cluster",
    source: "references/rest-api (bdb object, auto_upgrade) (fact sheet §4.1, §6 no. 35, §7.1)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "its shards restart, and its Redis version changes, as soon as the last node is upgraded",
    remedy: CREDENTIAL,
};

/// A database, and whether it is upgraded by itself.
#[derive(PartialEq)]
struct Database<'a> {
    uid: &'a str,
    name: &'a str,
    alone: bool,
}

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_cluster(context, MISSING, "none is", databases, |databases| {
        let listed: Vec<&str> = databases.iter().map(|database| database.uid).collect();
        let finding = |Database { uid, name, .. }: &Database<'_>| {
            let saw = format!("db:{uid} ({name}) is upgraded automatically");
            let off = request("PUT", &format!("/v1/bdbs/{uid}"), "{\"auto_upgrade\": false}");
            let remedy = format!("{off}   # unless that is wanted");
            CHECK.warn(saw, MISSING.why).fix(remedy)
        };
        let alone = databases.iter().filter(|database| database.alone).map(finding);
        alone.chain(CHECK.left_out(context, &listed, MISSING)).collect()
    })
}

fn databases(details: &Details) -> Result<Vec<Database<'_>>, String> {
    let database = |row| {
        let uid = cell(row, "uid")?;
        let alone = flag(row, "auto_upgrade").map_err(|reason| format!("db:{uid}: {reason}"))?;
        Ok(Database { uid, name: cell(row, "name").unwrap_or("without a name"), alone })
    };
    details.rows(Fact::Databases)?.iter().map(database).collect()
}
