use proto::{NodeRole, NodeUid, Sha256, SourceFacts};

use super::{catalogue, version};
use crate::advisories::Advisories;
use crate::catalogue::CatalogueEntry;
use crate::checks::{Finding, Verdict};
use crate::paths::Table;
use crate::plan::{Plan, Planned, Wanted, make_plan, post_advice};
use crate::snapshot::Snapshot;
use crate::snapshot::sample::{healthy, noon};

/// A healthy cluster whose nodes reach the mirror of these packages.
pub(super) fn cluster(installed: &[&str], at_hand: &[&str]) -> Snapshot {
    let mut snapshot = healthy(installed.len() as u32);
    for (index, text) in installed.iter().enumerate() {
        snapshot.install(index as u32 + 1, version(text));
        let source = |entry: &CatalogueEntry| SourceFacts {
            url: entry.package.sources[0].clone(),
            size: proto::Probe::Known(entry.package.size),
        };
        snapshot.facts(index).sources = catalogue(at_hand).iter().map(source).collect();
    }
    snapshot
}

pub(super) fn plan(snapshot: &Snapshot, to: &str, at_hand: &[&str]) -> Planned {
    make(snapshot, to, &catalogue(at_hand), &Table::vendor().unwrap())
}

fn make(snapshot: &Snapshot, to: &str, catalogue: &[CatalogueEntry], table: &Table) -> Planned {
    make_plan(&Wanted {
        snapshot,
        target: version(to),
        catalogue,
        signed: None,
        table,
        advisories: &Advisories::vendor().unwrap(),
        settings: &[],
        accepted: &[],
        hooks: &[],
        now: noon(),
    })
}

pub(super) fn ready(planned: Planned) -> Plan {
    match planned {
        Planned::Plan(plan) => *plan,
        other => panic!("{other:#?}"),
    }
}

fn blocking(planned: Planned) -> Vec<Finding> {
    match planned {
        Planned::Blocked { findings } => {
            findings.into_iter().filter(|finding| finding.verdict.blocks()).collect()
        }
        other => panic!("{other:#?}"),
    }
}

/// `1@7.4.2-54 2@… | …`: the turns of each hop.
pub(super) fn turns(plan: &Plan) -> String {
    let hop = |hop: &crate::plan::PlannedHop| {
        let turns: Vec<String> =
            hop.turns.iter().map(|turn| format!("{}@{}", turn.node.0, turn.from)).collect();
        format!("{} → {}", turns.join(" "), hop.to)
    };
    plan.hops.iter().map(hop).collect::<Vec<_>>().join(" | ")
}

#[test]
fn the_master_goes_first_then_by_uid() {
    let mut snapshot = cluster(&["7.4.2-54"; 3], &["7.4.6-22"]);
    snapshot.every_view(|view| {
        view.master = Some(NodeUid(2));
        view.nodes[0].role = Some(NodeRole::Replica);
        view.nodes[1].role = Some(NodeRole::Master);
    });
    let plan = ready(plan(&snapshot, "7.4.6-22", &["7.4.6-22"]));
    assert_eq!(turns(&plan), "2@7.4.2-54 1@7.4.2-54 3@7.4.2-54 → 7.4.6-22");
    assert_eq!(plan.hops[0].turns[0].role, NodeRole::Master);
    assert_eq!(plan.hops[0].turns[0].package, Sha256::of(b"7.4.6-22"));
    assert_eq!((plan.nodes.len(), plan.packages.len()), (3, 1));
    assert_eq!(plan.nodes[1].agent, "192.0.2.2:7443");
}

#[test]
fn a_half_upgraded_cluster_is_finished() {
    let half = cluster(&["7.4.6-22", "7.4.2-54", "7.4.6-22"], &["7.4.6-22"]);
    let plan = ready(plan(&half, "7.4.6-22", &["7.4.6-22"]));
    assert_eq!(turns(&plan), "2@7.4.2-54 → 7.4.6-22");
    assert_eq!(plan.hops[0].already_there, [NodeUid(1), NodeUid(3)]);
}

#[test]
fn a_cluster_in_the_middle_of_the_first_of_two_hops_is_finished() {
    let at_hand = ["6.0.20-97", "6.4.2-30"];
    let mut half = cluster(&["6.0.20-97", "5.6.0-30", "5.6.0-30"], &at_hand);
    half.every_view(|view| view.databases[0].redis_version = Some("6.0.13".to_owned()));
    let plan = ready(plan(&half, "6.4.2-30", &at_hand));
    assert_eq!(
        turns(&plan),
        "2@5.6.0-30 3@5.6.0-30 → 6.0.20-97 | 1@6.0.20-97 2@6.0.20-97 3@6.0.20-97 → 6.4.2-30"
    );
    assert!(plan.notes.iter().any(|note| note.contains("2 hops")), "{:?}", plan.notes);
}

#[test]
fn a_node_past_the_stop_in_between_waits_for_the_others() {
    let at_hand = ["7.2.4-52", "8.2.0-46"];
    let half = cluster(&["6.0.20-97", "7.4.2-54", "6.0.20-97"], &at_hand);
    let plan = ready(plan(&half, "8.2.0-46", &at_hand));
    assert_eq!(
        turns(&plan),
        "1@6.0.20-97 3@6.0.20-97 → 7.2.4-52 | 1@7.2.4-52 2@7.4.2-54 3@7.2.4-52 → 8.2.0-46"
    );
}

#[test]
fn at_the_target_there_is_nothing_to_do_unless_a_node_is_unseen() {
    let mut there = cluster(&["7.4.6-22"; 3], &[]);
    assert!(matches!(plan(&there, "7.4.6-22", &[]), Planned::NothingToDo { .. }));
    there.every_view(|view| view.shards[0].status = proto::Health::NotOk("DOWN".to_owned()));
    let Planned::NothingToDo { findings, .. } = plan(&there, "7.4.6-22", &[]) else { panic!() };
    assert!(findings.iter().any(|finding| finding.check == "health" && finding.verdict == Verdict::Block));
    there.agents.pop();
    assert!(matches!(plan(&there, "7.4.6-22", &[]), Planned::Blocked { .. }));
}

#[test]
fn a_node_above_the_target_blocks() {
    let findings = blocking(plan(
        &cluster(&["7.4.2-54", "7.8.2-34", "7.4.2-54"], &["7.4.6-22"]),
        "7.4.6-22",
        &["7.4.6-22"],
    ));
    let path = findings.iter().find(|finding| finding.check == "path").unwrap();
    assert_eq!(path.node, Some(NodeUid(2)), "{path:?}");
    assert!(path.saw.contains("no downgrade"), "{path:?}");
}

#[test]
fn a_missing_intermediate_package_is_named() {
    let mut old = cluster(&["5.6.0-30"; 3], &["6.4.2-30"]);
    old.every_view(|view| view.databases[0].redis_version = Some("6.0.13".to_owned()));
    let findings = blocking(plan(&old, "6.4.2-30", &["6.4.2-30"]));
    let path = findings.iter().find(|finding| finding.check == "path").unwrap();
    assert!(path.saw.contains("5.6.0-30 → 6.0.x → 6.4.2-30"), "{path:?}");
    assert!(path.remedy.as_deref().unwrap().contains("ratchet package add"), "{path:?}");
}

#[test]
fn a_package_for_another_system_names_the_node() {
    let mut snapshot = cluster(&["7.4.2-54"; 3], &["7.4.6-22"]);
    let os =
        proto::OperatingSystem { name: "RHEL 9".to_owned(), token: Some(proto::OsToken("rhel9".to_owned())) };
    snapshot.facts(2).os = proto::Probe::Known(os);
    let findings = blocking(plan(&snapshot, "7.4.6-22", &["7.4.6-22"]));
    let package = findings.iter().find(|finding| finding.check == "package").unwrap();
    assert_eq!(package.node, Some(NodeUid(3)));
    assert!(package.saw.contains("rhel9/amd64") && package.saw.contains("jammy/amd64"), "{package:?}");
}

#[test]
fn a_cluster_of_two_platforms_stops_where_packages_for_both_are_at_hand() {
    // 7.4.6 would be the higher stop on the way from 6.2.8, but is at hand for one of the platforms only.
    let at_hand = ["7.2.4-52", "7.4.6-22", "8.2.0-46"];
    let mut snapshot = cluster(&["6.2.8-53"; 3], &at_hand);
    let os =
        proto::OperatingSystem { name: "RHEL 8".to_owned(), token: Some(proto::OsToken("rhel8".to_owned())) };
    snapshot.facts(2).os = proto::Probe::Known(os);
    let mut both = catalogue(&at_hand);
    for mut entry in catalogue(&["7.2.4-52", "8.2.0-46"]) {
        entry.package.os = proto::OsToken("rhel8".to_owned());
        entry.package.sha256 = Sha256::of(format!("rhel8 {}", entry.package.version).as_bytes());
        both.push(entry);
    }
    let table = Table::vendor().unwrap();
    let plan = ready(make(&snapshot, "8.2.0-46", &both, &table));
    assert_eq!(plan.hops.iter().map(|hop| hop.to.to_string()).collect::<Vec<_>>(), ["7.2.4-52", "8.2.0-46"]);
    assert_eq!(plan.packages.len(), 4);
    let package_of =
        |uid: u32| plan.hops[0].turns.iter().find(|turn| turn.node == NodeUid(uid)).unwrap().package;
    assert_eq!(package_of(1), Sha256::of(b"7.2.4-52"));
    assert_eq!(package_of(3), Sha256::of(b"rhel8 7.2.4-52"));
}

#[test]
fn a_database_too_old_for_a_later_hop_is_a_warning_now() {
    let at_hand = ["7.2.4-52", "8.2.0-46"];
    let mut snapshot = cluster(&["6.0.20-97"; 3], &at_hand);
    snapshot.every_view(|view| view.databases[0].redis_version = Some("6.0.13".to_owned()));
    let plan = ready(plan(&snapshot, "8.2.0-46", &at_hand));
    let warning = plan.findings.iter().find(|finding| finding.check == "database-versions").unwrap();
    assert_eq!(warning.verdict, Verdict::Warn, "{warning}");
    assert!(warning.saw.contains("8.2.0-46"), "{warning}");
}

#[test]
fn an_unknown_version_blocks_and_so_does_an_empty_cluster() {
    let mut snapshot = cluster(&["7.4.2-54"; 3], &["7.4.6-22"]);
    snapshot.facts(1).installed = proto::Probe::Unknown("two sources differ".to_owned());
    let findings = blocking(plan(&snapshot, "7.4.6-22", &["7.4.6-22"]));
    assert!(findings.iter().any(|finding| finding.check == "path"), "{findings:?}");
    snapshot.agents.clear();
    let findings = blocking(plan(&snapshot, "7.4.6-22", &["7.4.6-22"]));
    assert!(findings.len() > 5, "{findings:?}");
}

#[test]
fn a_plan_reads_back_and_its_digest_follows_its_content() {
    let plan = ready(plan(&cluster(&["7.4.2-54"; 3], &["7.4.6-22"]), "7.4.6-22", &["7.4.6-22"]));
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["schema"], "ratchet.plan/1");
    let mut other: Plan = serde_json::from_value(json).unwrap();
    assert_eq!(other, plan);
    assert_eq!(other.digest().unwrap(), plan.digest().unwrap());
    other.hops[0].turns.swap(0, 1);
    assert_ne!(other.digest().unwrap(), plan.digest().unwrap());
}

#[test]
fn what_is_left_to_a_person_is_said() {
    let at_hand = ["7.8.2-34"];
    let mut snapshot = cluster(&["7.4.2-54"; 3], &at_hand);
    let plan = ready(plan(&snapshot, "7.8.2-34", &at_hand));
    let table = Table::vendor().unwrap();
    let advice = post_advice(&snapshot, &plan, &table);
    assert!(advice[0].contains("reload"), "{advice:?}");
    let upgrade = "rladmin upgrade db db:1 preserve_roles";
    assert_eq!(advice.iter().filter(|line| line.contains(upgrade)).count(), 1, "{advice:?}");
    snapshot.every_view(|view| view.databases[0].redis_version = Some("7.4.0".to_owned()));
    assert!(!post_advice(&snapshot, &plan, &table).iter().any(|line| line.contains(upgrade)));
}
