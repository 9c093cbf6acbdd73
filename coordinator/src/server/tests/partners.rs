//! Clusters that replicate with each other are never in flight together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fleet::{Fleet, Life, span};
use super::stage::name;
use crate::documents::RolloutState;
use crate::rollout::PartnerSight;

const WAVE: &str = "at_once = 2\n[[wave]]\nname = \"all\"\nclusters = [\"*\"]\nat_once = 2\n";

/// A rollout of `b` alone, which says this of partners; its run is in flight.
async fn with_b_in_flight(fleet: &Fleet, partners: &str) -> Life {
    fleet.steps_take(Duration::from_secs(10));
    let life = fleet.life().await;
    life.apply(&format!("{partners}[[wave]]\nname = \"all\"\nclusters = [\"b\"]\n")).await;
    life.until(|document| document.clusters[0].run_state.is_some()).await;
    life
}

#[tokio::test(start_paused = true)]
async fn partners_are_never_in_flight_together() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.steps_take(Duration::from_secs(3));
    let life = fleet.life().await;
    life.apply(
        "at_once = 3\npartners = [[\"a\", \"c\"]]\n[[wave]]\nname = \"all\"\nclusters = [\"*\"]\nat_once = 3\n",
    )
    .await;
    assert_eq!(life.to_rest().await.brief.state, RolloutState::Done);
    let runs = life.runs().await;
    let spans: BTreeMap<String, _> =
        runs.iter().map(|(cluster, _, records)| (cluster.to_string(), span(records))).collect();
    let (a, c) = (spans["a"], spans["c"]);
    assert!(a.1 <= c.0 || c.1 <= a.0, "{spans:?}");
}

/// Nobody has told whether they replicate, and nobody has said who does: fail closed (promise P5).
#[tokio::test(start_paused = true)]
async fn clusters_that_tell_nothing_go_one_at_a_time_unless_the_file_says_who_replicates() {
    for (partners, together) in [("", false), ("partners = []\n", true)] {
        let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b"]);
        fleet.tells_no_partners();
        fleet.steps_take(Duration::from_secs(3));
        let life = fleet.life().await;
        let check = format!("name = \"q4\"\ntarget = \"7.8.2-34\"\n{partners}{WAVE}");
        let unclear = life.core.check_rollout(&check).await.unwrap().unclear;
        assert_eq!(unclear.is_empty(), together, "{unclear:?}");
        life.apply(&format!("{partners}{WAVE}")).await;
        assert_eq!(life.to_rest().await.brief.state, RolloutState::Done);
        let runs = life.runs().await;
        let [(.., one), (.., other)] = &runs[..] else { panic!("{runs:#?}") };
        let (one, other) = (span(one), span(other));
        assert_eq!(one.0 < other.1 && other.0 < one.1, together, "{partners:?}: {one:?} {other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_started_by_hand_waits_for_its_partner_too() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    let life = with_b_in_flight(&fleet, "").await;
    let alone = PartnerSight { own: Some("a.local".to_owned()), ..PartnerSight::default() };
    life.core.no_partner_in_flight(&name("a"), &alone).await.unwrap();
    // What agents of the fleet say the name of their cluster is.
    let with = ["cluster.local".to_owned()].into();
    let partner = PartnerSight { with, ..alone };
    let failure = life.core.no_partner_in_flight(&name("a"), &partner).await.unwrap_err();
    assert_eq!(failure.id, "partner-in-flight", "{failure}");
    assert!(failure.to_string().contains("of b is not over"), "{failure}");
    life.to_rest().await;
    life.core.no_partner_in_flight(&name("a"), &partner).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_started_by_hand_waits_for_the_partner_that_a_rollout_names() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    let life = with_b_in_flight(&fleet, "partners = [[\"a\", \"b\"]]\n").await;
    let unknown = Some("no credential".to_owned());
    let untold = PartnerSight { unknown, ..PartnerSight::default() };
    let failure = life.core.no_partner_in_flight(&name("a"), &untold).await.unwrap_err();
    assert_eq!(failure.id, "partner-in-flight", "{failure}");
    // Who starts one by hand may do so although its agents cannot tell whether it replicates.
    life.core.no_partner_in_flight(&name("c"), &untold).await.unwrap();
    life.ask("abort").await;
    life.to_rest().await;
    life.core.no_partner_in_flight(&name("a"), &untold).await.unwrap();
}
