use jiff::{SignedDuration, Timestamp};
use proto::{Details, Fact, Row};

use super::told::{CREDENTIAL, Missing, cell, flag, request};
use super::{Check, Context, Finding, Severity, When};

/// There is no way back (fact sheet §7.2): what is lost is had again from a backup, or not at all.
pub(super) const CHECK: Check = Check {
    id: "backup",
    title: "every database is kept on disk and has a backup of the last day",
    source: "installing-upgrading/upgrading/upgrade-database.md (fact sheet §6 no. 15)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

/// How old a backup may be: the usual one is made every night.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);
const MISSING: Missing = Missing {
    why: "an upgrade has no way back: what is lost is had again from a backup, or not at all",
    remedy: CREDENTIAL,
};

/// What is known of a database's safety.
#[derive(PartialEq)]
struct Kept<'a> {
    name: String,
    uid: &'a str,
    on_disk: bool,
    /// `None` where none was ever made.
    last_backup: Option<Timestamp>,
}

fn run(context: &Context<'_>) -> Vec<Finding> {
    let databases = |details| databases(details);
    CHECK.on_cluster(context, MISSING, "every database has both", databases, |databases| {
        let listed: Vec<&str> = databases.iter().map(|database| database.uid).collect();
        let found = databases.iter().flat_map(|database| judge(database, context.now));
        found.chain(CHECK.left_out(context, &listed, MISSING)).collect()
    })
}

fn databases(details: &Details) -> Result<Vec<Kept<'_>>, String> {
    details.rows(Fact::Databases)?.iter().map(kept).collect()
}

fn kept(row: &Row) -> Result<Kept<'_>, String> {
    let uid = cell(row, "uid")?;
    let of_database = |reason: String| format!("db:{uid}: {reason}");
    let name = format!("db:{uid} ({})", cell(row, "name").unwrap_or("without a name"));
    let on_disk = cell(row, "data_persistence").map_err(of_database)? != "disabled";
    let backup = flag(row, "backup").map_err(of_database)?;
    let moment = row.get("last_backup_time").filter(|text| backup && !text.is_empty());
    let last_backup = moment.map(|text| text.parse()).transpose();
    let last_backup = last_backup.map_err(|_| of_database("its last backup has no moment".to_owned()))?;
    Ok(Kept { name, uid, on_disk, last_backup })
}

fn judge(database: &Kept<'_>, now: Timestamp) -> Vec<Finding> {
    let Kept { name, uid, .. } = database;
    let mut findings = Vec::new();
    if !database.on_disk {
        let on = request("PUT", &format!("/v1/bdbs/{uid}"), "{\"data_persistence\": \"aof\"}");
        let remedy = format!("{on}   # where losing it matters");
        findings.push(CHECK.warn(format!("{name} is not kept on disk"), MISSING.why).fix(remedy));
    }
    let saw = match database.last_backup {
        None => format!("{name} has no backup"),
        Some(at) if now.duration_since(at) > OLDEST => format!("{name} was last backed up at {at:.0}"),
        Some(_) => return findings,
    };
    let remedy = format!(
        "{}   # turn it on, and wait for one",
        request("PUT", &format!("/v1/bdbs/{uid}"), "{\"backup\": true, …}")
    );
    findings.push(CHECK.warn(saw, MISSING.why).fix(remedy));
    findings
}
