use proto::{Details, Fact, Line, Release};

use super::told::{Missing, Told, told};
use super::{Check, Context, Finding, Severity, Stage, When};
use crate::paths::Hop;

/// "Before you upgrade from 6.2.x to 7.8.x, set `redis_upgrade_policy` to `latest` and upgrade Redis 6.0 databases."
///
/// With any other policy such databases go to a version that 7.8 does not bring either. That they must be upgraded at all
/// is the check `database-versions`.
pub(super) const CHECK: Check = Check {
    id: "redis-upgrade-policy",
    title: "databases on Redis 6.0 can be upgraded to a version that 7.8 brings",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §6 no. 10)",
    severity: Severity::Block,
    promise: None,
    when: When::Planning,
    run,
};

/// The line on which the policy keeps such databases back, and the first release without Redis 6.0.
const FROM: Line = Line { major: 6, minor: 2 };
const WITHOUT: Release = Release::new(7, 8, 0);
const KEY: &str = "redis_upgrade_policy";
const MISSING: Missing = Missing {
    why: "7.8 does not bring Redis 6.0, and on 6.2 only the policy `latest` upgrades databases beyond it",
    remedy: "rladmin tune cluster redis_upgrade_policy latest   # then: rladmin upgrade db db:N preserve_roles \
             redis_version 6.2",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let Stage::Preflight { path: Some(Ok(path)), .. } = context.stage else {
        return vec![CHECK.cannot_tell("there is no path to judge by", "see the check `path`")];
    };
    let hop = path.hops.iter().position(|hop| hop.from.line() == FROM && hop.to.release >= WITHOUT);
    let Some(index) = hop else {
        return CHECK.or_pass(Vec::new(), context.snapshot.answered().count(), "no hop depends on it");
    };
    judge(context, &path.hops[index], index == 0)
}

fn judge(context: &Context<'_>, hop: &Hop, now: bool) -> Vec<Finding> {
    let databases = old_databases(context);
    let saw = |policy: &str| format!("{policy}, and {} on the way to {}", databases.join(", "), hop.to);
    let findings = match told(context, policy) {
        _ if databases.is_empty() => Vec::new(),
        Told::Known("latest") | Told::Nobody => Vec::new(),
        Told::Known(_) if !now => {
            vec![CHECK.warn(saw("another hop comes first"), MISSING.why).fix(MISSING.remedy)]
        }
        Told::Known(policy) => {
            vec![CHECK.block(saw(&format!("{KEY} is `{policy}`")), MISSING.why).fix(MISSING.remedy)]
        }
        Told::Untold(reason) => {
            let saw = saw(&format!("{KEY} is not known ({reason})"));
            vec![CHECK.unknown(saw, MISSING.why).fix(MISSING.remedy)]
        }
    };
    CHECK.or_pass(
        findings,
        context.snapshot.views().count(),
        "no database runs Redis 6.0, or the policy is `latest`",
    )
}

/// Databases that run Redis 6.0, or whose Redis version nobody knows.
fn old_databases(context: &Context<'_>) -> Vec<String> {
    let rows = context.snapshot.views().flat_map(|(_, view)| &view.databases);
    let mut found: Vec<String> = rows
        .filter_map(|row| match row.redis_version.as_deref() {
            Some(redis) if redis == "6.0" || redis.starts_with("6.0.") => {
                Some(format!("db:{} ({}) runs Redis {redis}", row.uid, row.name))
            }
            Some(_) => None,
            None => Some(format!("db:{} ({}) runs a Redis that is not known", row.uid, row.name)),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn policy(details: &Details) -> Result<&str, String> {
    details
        .cell(Fact::ClusterPolicy, KEY)
        .or_else(|reason| details.cell(Fact::ClusterInfo, KEY).map_err(|other| format!("{reason}; {other}")))
}
