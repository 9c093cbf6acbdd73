use proto::{NodeUid, Version};

use super::{Check, Context, Finding, Severity, Stage, When};
use crate::paths::PathVerdict;

/// Versions may be mixed in the middle of an upgrade, but each must be known and must lead on.
pub(super) const CHECK: Check = Check {
    id: "versions",
    title: "every node's version is known, to itself and to the others",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §5.5, §6 no. 2)",
    severity: Severity::Block,
    promise: Some("P3"),
    when: When::Always,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let installed = context.snapshot.installed();
    let mut findings = Vec::new();
    for (uid, version) in &installed {
        match version {
            None => findings.push(unknown(context, *uid)),
            Some(version) => {
                findings.extend(seen_otherwise(context, *uid, *version));
                findings.extend(cannot_take(context, *uid, *version));
            }
        }
    }
    if findings.is_empty() && context.snapshot.views().next().is_none() {
        let why = "what is installed counts only where the cluster's record says the same";
        findings.push(CHECK.cannot_tell("no agent shows which versions the cluster has on record", why));
    }
    let mut versions: Vec<String> = installed.values().flatten().map(Version::to_string).collect();
    versions.dedup();
    CHECK.or_pass(findings, installed.len(), format!("installed: {}", versions.join(", ")))
}

fn unknown(context: &Context<'_>, uid: NodeUid) -> Finding {
    let witness = context.snapshot.node(uid);
    let reason =
        witness.and_then(|witness| witness.facts.installed.as_result().err()).unwrap_or("no agent tells");
    let why = "whether an upgrade is supported depends on the installed version";
    let finding = CHECK.cannot_tell(format!("the installed version is not known: {reason}"), why).on(uid);
    finding.fix("rladmin status nodes; dpkg-query -W redislabs || rpm -q redislabs   # on that node")
}

/// What a node says of itself must be what every node says of it: the two come from different places.
fn seen_otherwise(context: &Context<'_>, uid: NodeUid, version: Version) -> Option<Finding> {
    let other = context.snapshot.views().find_map(|(agent, view)| {
        let seen = view.node(uid)?.version;
        (seen != Some(version)).then_some((agent, seen))
    });
    let (agent, seen) = other?;
    let seen = seen.map_or("no version".to_owned(), |seen| seen.to_string());
    let why = "the cluster's record and the machine disagree, so it is not clear what is installed";
    let finding = CHECK.cannot_tell(format!("{version} is installed, but {agent} sees {seen}"), why).on(uid);
    Some(finding.fix("rladmin status nodes   # again after a minute; then look at the node's install.log"))
}

/// At a gate every node is either through the hop or may still take it.
fn cannot_take(context: &Context<'_>, uid: NodeUid, version: Version) -> Option<Finding> {
    let Stage::Gate { to, .. } = context.stage else { return None };
    if version >= to {
        return None;
    }
    let why = match context.table.verdict(version, to) {
        PathVerdict::Allowed { .. } => return None,
        PathVerdict::Denied { .. } => "the vendor says no to this hop",
        PathVerdict::Unknown | PathVerdict::NotAnUpgrade => "no row of the vendor's table names this hop",
    };
    let finding = CHECK.block(format!("{version} is installed, which cannot go to {to}"), why).on(uid);
    Some(finding.fix(format!("ratchet paths --from {version} --to {to}")))
}
