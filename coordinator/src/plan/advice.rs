//! What the vendor's procedure leaves to a person (fact sheet §7.1).

use std::collections::BTreeMap;

use proto::Line;

use super::document::{Plan, PlannedHop};
use crate::paths::{Status, Table};
use crate::snapshot::Snapshot;

/// What a person should know before saying yes to these hops.
pub(super) fn notes(hops: &[PlannedHop]) -> Vec<String> {
    let first = hops.first().and_then(|hop| Some((hop.turns.first()?.node, hop.to)));
    let mut notes = Vec::new();
    if let Some((node, to)) = first {
        notes.push(format!(
            "stopping is free until install.sh starts on {node}, the first to get {to}: until then `ratchet abort` leaves no \
             trace"
        ));
    }
    notes.push(
        "after that there is no way back, for the vendor has no downgrade; what helps then, in this order: `ratchet retry` of \
         the same node; replacing the node; as the last resort recovering the cluster on clean nodes from the files under \
         ccs, after which each database is restored from its persistence or backup (the vendor's cluster-recovery page)"
            .to_owned(),
    );
    if hops.len() > 1 {
        notes.push(format!("{} hops: each is a complete upgrade of every node", hops.len()));
    }
    for hop in hops {
        if hop.status == Status::Historical {
            notes.push(format!(
                "{} → {}: the vendor no longer prints this row of its table",
                hop.from, hop.to
            ));
        }
        if !hop.already_there.is_empty() {
            let nodes: Vec<String> = hop.already_there.iter().map(ToString::to_string).collect();
            notes.push(format!("{} or above already: {}", hop.to, nodes.join(", ")));
        }
        if restarts_cnm_exec(hop) {
            notes
                .push(format!("after the hop to {}: `supervisorctl restart cnm_exec` on every node", hop.to));
        }
    }
    notes
}

/// The vendor documents this restart after 6.0.x → 6.2.x and nowhere else (fact sheet §7.1).
pub fn restarts_cnm_exec(hop: &PlannedHop) -> bool {
    let line = |major, minor| Line { major, minor };
    hop.from.line() == line(6, 0) && hop.to.line() == line(6, 2)
}

/// What is left to a person after a run: one sentence each, with the command where there is one.
pub fn post_advice(snapshot: &Snapshot, plan: &Plan, table: &Table) -> Vec<String> {
    let mut advice = vec![
        "reload any open Cluster Manager UI in the browser".to_owned(),
        format!("new features of {} may be used from now on", plan.target.line()),
    ];
    let Some(default) = table.bundled(plan.target).map(|bundled| bundled.default.as_str()) else {
        return advice;
    };
    let databases: BTreeMap<u32, (&str, &str)> = snapshot
        .views()
        .flat_map(|(_, view)| &view.databases)
        .filter_map(|row| Some((row.uid, (row.name.as_str(), row.redis_version.as_deref()?))))
        .collect();
    for (uid, (name, redis)) in databases {
        if is_older(redis, default) {
            advice.push(format!(
                "db:{uid} ({name}) runs Redis {redis} and can now be upgraded to {default}: \
                 rladmin upgrade db db:{uid} preserve_roles"
            ));
        }
    }
    advice
}

/// Whether a Redis version, `7.2.4`, is older than an `X.Y`. What cannot be read is not offered.
fn is_older(redis: &str, default: &str) -> bool {
    let line = |text: &str| {
        let mut parts = text.split('.').map(str::parse::<u32>);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    matches!((line(redis), line(default)), (Some(redis), Some(default)) if redis < default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_versions_compare_as_numbers() {
        assert!(is_older("6.2.13", "7.2"));
        assert!(is_older("7.2.4", "7.22"));
        assert!(!is_older("7.2.4", "7.2"));
        assert!(!is_older("8.0.1", "7.4"));
        assert!(!is_older("garbage", "7.4"));
        assert!(!is_older("", "7.4"));
    }

    #[test]
    fn cnm_exec_is_restarted_after_one_hop_only() {
        let hop = |from: &str, to: &str| PlannedHop {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            source: String::new(),
            status: Status::Current,
            turns: Vec::new(),
            already_there: Vec::new(),
        };
        assert!(restarts_cnm_exec(&hop("6.0.8-28", "6.2.18-70")));
        for (from, to) in [("6.0.8-28", "7.2.4-52"), ("6.2.4-1", "6.2.18-70"), ("5.6.0-30", "6.0.8-28")] {
            assert!(!restarts_cnm_exec(&hop(from, to)));
        }
    }
}
