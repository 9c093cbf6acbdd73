use proto::{Details, Fact, Row};

use super::told::{CREDENTIAL, Missing, cell};
use super::{Check, Context, Finding, Severity, When};

/// "Upgrade all clusters of an Active-Active database before its instances."
pub(super) const CHECK: Check = Check {
    id: "active-active-order",
    title: "no Active-Active database ties this cluster to others",
    source: "installing-upgrading/upgrading/upgrade-active-active.md (fact sheet §6 no. 28, §7.1)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the vendor: upgrade the clusters of all participants first, and only then the database at each of them",
    remedy: CREDENTIAL,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_cluster(context, MISSING, "there is no Active-Active database", databases, |databases| {
        let finding = |(guid, saw): (&str, String)| {
            let remedy =
                format!("crdb-cli crdb get --crdb-guid {guid}   # who takes part, and at which version?");
            CHECK.warn(saw, MISSING.why).fix(remedy)
        };
        databases.into_iter().map(finding).collect()
    })
}

fn databases(details: &Details) -> Result<Vec<(&str, String)>, String> {
    let rows = details.rows(Fact::ActiveActive)?.iter();
    let is_instance = |row: &Row| row.get("crdt").is_some_and(|crdt| crdt == "true");
    if rows.len() == 0 && details.rows(Fact::Databases).is_ok_and(|rows| rows.iter().any(is_instance)) {
        return Err("the API lists an instance of an Active-Active database, but no such database".to_owned());
    }
    let database = |row| {
        let guid = cell(row, "guid")?;
        let name = cell(row, "name").unwrap_or(guid);
        let clusters = cell(row, "clusters").unwrap_or("clusters that are not told");
        Ok((guid, format!("the Active-Active database {name} is at {clusters}")))
    };
    rows.map(database).collect()
}
