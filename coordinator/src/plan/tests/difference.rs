//! A plan that no longer fits says what has changed.

use proto::{NodeRole, NodeUid, Sha256};

use super::plan::{cluster, plan, ready};
use crate::fingerprint::Fingerprint;
use crate::plan::{Plan, differences};

fn approved() -> Plan {
    ready(plan(&cluster(&["7.4.2-54"; 3], &["7.4.6-22"]), "7.4.6-22", &["7.4.6-22"]))
}

#[test]
fn the_same_plan_has_no_difference() {
    let later = Plan { made_at: "2027-01-01T00:00:00Z".parse().unwrap(), notes: Vec::new(), ..approved() };
    assert_eq!(differences(&approved(), &later), [""; 0]);
}

/// One way to change a plan, and what must be said.
type Case = (&'static str, fn(&mut Plan));

#[test]
fn every_difference_is_named() {
    let cases: [Case; 12] = [
        ("node:3: its version was 7.4.2-54, it is 7.4.2-104", |now| {
            now.nodes[2].installed = "7.4.2-104".parse().unwrap()
        }),
        ("node:2: its role was", |now| now.nodes[1].role = NodeRole::Master),
        ("node:1: what install.sh is called with was -y", |now| {
            now.nodes[0].install_args.push("-x".to_owned())
        }),
        ("node:3 is no longer there", |now| drop(now.nodes.remove(2))),
        ("node:9 is new", |now| {
            let node = crate::plan::PlannedNode { uid: NodeUid(9), ..now.nodes[0].clone() };
            now.nodes.push(node);
        }),
        ("the way was 7.4.2-54 → 7.4.6-22, it is 7.4.2-54 → 7.4.6-77", |now| {
            now.hops[0].to = "7.4.6-77".parse().unwrap()
        }),
        ("the turns to 7.4.6-22 were node:1, node:2, node:3, they are node:2", |now| {
            now.hops[0].turns.swap(0, 1)
        }),
        ("what supports 7.4.2-54 → 7.4.6-22", |now| now.hops[0].source = "another page".to_owned()),
        ("would be installed now", |now| now.packages[0].sha256 = Sha256::of(b"other bytes")),
        ("the table of upgrade paths is another one", |now| now.table_digest = Sha256::of(b"newer")),
        ("the advisories are others", |now| now.advisories_digest = Some(Sha256::of(b"newer"))),
        ("cluster: slave_ha_grace_period: `600` → `900`", |now| {
            let Fingerprint(values) = now.configuration.as_mut().unwrap();
            values.insert("cluster: slave_ha_grace_period".to_owned(), "900".to_owned());
        }),
    ];
    for (said, change) in cases {
        let mut now = approved();
        change(&mut now);
        let found = differences(&approved(), &now).join("\n");
        assert!(found.contains(said), "{said}: {found}");
    }
}
