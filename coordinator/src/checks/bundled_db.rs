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
    source: "fact sheet §1.4 (bundled_db), §6 no. 9 and 10",
    severity: Severity::Block,
    promise: None,
    when: When::PlanningAndGate,
    run,
};

const WHY: &str = "the target does not bring this Redis version, so the database would not run there";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let databases = databases(context);
    let gate = matches!(context.stage, Stage::Gate { .. });
    let mut findings = Vec::new();
    let targets = context.targets();
    if targets.is_empty() {
        findings.push(CHECK.cannot_tell("there is no path to judge by", "see the check `path`"));
    }
    for (index, target) in targets.iter().enumerate() {
        let now = gate || index == 0;
        let Some(bundled) = context.table.bundled(*target) else {
            let saw = format!("the vendor publishes no list of Redis versions for {}", target.line());
            findings.push(CHECK.warn(saw, "whether all databases run there was not checked"));
            continue;
        };
        for ((uid, name), redis) in &databases {
            findings.extend(judge(*uid, name, redis.as_deref(), *target, &bundled.versions, now));
        }
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

fn judge(
    uid: u32,
    name: &str,
    redis: Option<&str>,
    target: Version,
    bundled: &[String],
    now: bool,
) -> Option<Finding> {
    let Some(redis) = redis else {
        let saw = format!("which Redis version db:{uid} ({name}) runs is not known");
        return Some(CHECK.cannot_tell(saw, WHY).fix("rladmin status databases extra redis_version"));
    };
    let line = redis.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    if bundled.contains(&line) {
        return None;
    }
    let saw = format!("db:{uid} ({name}) runs Redis {redis}; {target} brings {}", bundled.join(", "));
    let command = format!("rladmin upgrade db db:{uid} preserve_roles");
    Some(if now {
        CHECK.block(saw, WHY).fix(command)
    } else {
        let why = "it must be upgraded after an earlier hop; the gate of this one waits for it";
        CHECK.warn(saw, why).fix(format!("{command}   # between the hops"))
    })
}
