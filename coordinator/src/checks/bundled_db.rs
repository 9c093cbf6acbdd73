use std::collections::BTreeMap;

use proto::Version;

use super::{Check, Context, Finding, Severity, Stage, When};

/// "Every database runs a Redis version that the target still brings"; else it must be upgraded first.
///
/// For a later hop of a longer path that can only be done between the hops: a warning before the plan, and the gate of
/// that hop holds.
pub(super) const CHECK: Check = Check {
    id: "database-versions",
    title: "every database runs a Redis version that the target brings",
    source: "content/embeds/rs-bundled-db-versions.md; installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §1.4 (bundled_db), §6 no. 9 and 10)",
    severity: Severity::Block,
    promise: None,
    when: When::PlanningAndGate,
    run,
};

const WHY: &str = "the target does not bring this Redis version, so the database would not run there";

/// A version the cluster is to have.
struct Target<'a> {
    version: Version,
    bundled: &'a [String],
    /// Whether it is the next one.
    next: bool,
    /// What upgrades a database before it.
    command: String,
}

fn run(context: &Context<'_>) -> Vec<Finding> {
    let databases = databases(context);
    let gate = matches!(context.stage, Stage::Gate { .. });
    let mut findings = Vec::new();
    let targets = context.targets();
    if targets.is_empty() {
        findings.push(CHECK.cannot_tell("there is no path to judge by", "see the check `path`"));
    }
    for (index, version) in targets.into_iter().enumerate() {
        let Some(bundled) = context.table.bundled(version) else {
            let saw = format!("the vendor publishes no list of Redis versions for {}", version.line());
            findings.push(CHECK.warn(saw, "whether all databases run there was not checked"));
            continue;
        };
        let from = context.hops().get(index).map(|hop| hop.from).or_else(|| lowest(context));
        let bundled = &bundled.versions;
        let target =
            Target { version, bundled, next: gate || index == 0, command: command(context, from, bundled) };
        findings.extend(
            databases.iter().filter_map(|((uid, name), redis)| judge(*uid, name, redis.as_deref(), &target)),
        );
    }
    CHECK.or_pass(
        findings,
        context.snapshot.views().count(),
        "every database runs a Redis version that the target brings",
    )
}

/// Every database any view shows, with its Redis version if all that show it agree.
fn databases(context: &Context<'_>) -> BTreeMap<(u32, String), Option<String>> {
    let mut databases = BTreeMap::new();
    for (_, view) in context.snapshot.views() {
        for row in &view.databases {
            let seen =
                databases.entry((row.uid, row.name.clone())).or_insert_with(|| row.redis_version.clone());
            if *seen != row.redis_version {
                *seen = None;
            }
        }
    }
    databases
}

fn judge(uid: u32, name: &str, redis: Option<&str>, target: &Target<'_>) -> Option<Finding> {
    let Some(redis) = redis else {
        let saw = format!("which Redis version db:{uid} ({name}) runs is not known");
        return Some(CHECK.cannot_tell(saw, WHY).fix("rladmin status databases extra redis_version"));
    };
    let line = redis.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    if target.bundled.contains(&line) {
        return None;
    }
    let Target { version, bundled, next, command } = target;
    let saw = format!("db:{uid} ({name}) runs Redis {redis}; {version} brings {}", bundled.join(", "));
    let command = format!("rladmin upgrade db db:{uid} {command}");
    Some(if *next {
        CHECK.block(saw, WHY).fix(command)
    } else {
        let why = "it must be upgraded after an earlier hop; the gate of this one waits for it";
        CHECK.warn(saw, why).fix(format!("{command}   # between the hops"))
    })
}

/// The lowest installed version: what databases are upgraded by before the next hop.
fn lowest(context: &Context<'_>) -> Option<Version> {
    context.snapshot.installed().into_values().flatten().min()
}

/// The end of the command that upgrades a database while the cluster is at `from`. The Redis version is named where the one
/// that `rladmin` would choose by itself is not among the wanted ones: the newest that both cluster versions bring.
fn command(context: &Context<'_>, from: Option<Version>, wanted: &[String]) -> String {
    let own = from.and_then(|from| context.table.bundled(from)).filter(|own| !wanted.contains(&own.default));
    match own.and_then(|own| own.versions.iter().rev().find(|version| wanted.contains(version))) {
        Some(version) => format!("preserve_roles redis_version {version}"),
        None => "preserve_roles".to_owned(),
    }
}
