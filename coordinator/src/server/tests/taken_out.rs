//! Rollouts with clusters that the configuration does not have, or not any more.

use std::time::Duration;

use super::fleet::Fleet;
use super::rollouts::WAVES;
use crate::documents::{RolloutClusterState, RolloutState, WaveState};
use crate::store::Store;

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_taken_out_of_the_configuration_fails_and_one_in_flight_goes_on() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    fleet.steps_take(Duration::from_secs(10));
    let waves = "failure_budget = 1\n[[wave]]\nname = \"all\"\nclusters = [\"*\"]\nfailure_budget = 1\n";
    let life = fleet.life().await;
    life.apply(waves).await;
    life.until(|document| document.clusters[0].run_state.as_deref() == Some("running")).await;
    life.kill();
    let life = fleet.life_without(&["a", "b"]).await;
    life.apply(waves).await;
    let document = life.to_rest().await;
    assert_eq!(document.brief.state, RolloutState::DoneWithFailures, "{document:#?}");
    assert_eq!((document.brief.upgraded, document.brief.failed), (2, 1));
    let states: Vec<_> = document.clusters.iter().map(|row| row.state).collect();
    assert_eq!(states[1], RolloutClusterState::Failed, "{document:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_taken_out_of_the_configuration_while_it_soaks_fails() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c"]);
    let waves = WAVES.replace("clusters = [\"b\"]", "clusters = [\"b\"]\nsoak = \"1h\"");
    let life = fleet.life().await;
    life.apply(&waves).await;
    life.until(|document| document.waves[0].state == WaveState::Soaking).await;
    life.kill();
    let life = fleet.life_without(&["b"]).await;
    life.apply(&waves).await;
    let document = life.to_rest().await;
    assert_eq!(document.brief.state, RolloutState::Halted, "{document:#?}");
    assert!(document.halt.unwrap().why.contains("not in the configuration any more"));
}

#[tokio::test(start_paused = true)]
async fn a_wave_without_a_cluster_is_refused_rather_than_passed_over() {
    let fleet = Fleet::new("2026-06-01T12:00:00Z", &["a", "b", "c", "other"]);
    let life = fleet.life().await;
    let canary = "[[wave]]\nname = \"canary\"\nclusters = [\"misspelt\"]\n";
    let text = format!(
        "name = \"q5\"\ntarget = \"7.8.2-34\"\n{canary}[[wave]]\nname = \"rest\"\nclusters = [\"a\"]\n"
    );
    let failure = life.core.apply_rollout(&text, "ann").await.unwrap_err();
    assert_eq!(
        (failure.id.as_str(), failure.message.as_str()),
        ("usage", "rollout q5: no cluster is in wave canary")
    );
    assert!(failure.cause.unwrap().contains("there is no cluster `misspelt` in the configuration"));
    assert!(life.store.rollouts().await.unwrap().is_empty(), "nothing was begun");
    let findings = life.core.check_rollout(&text).await.unwrap().findings;
    assert!(
        findings.iter().any(|finding| finding.saw.contains("wave canary has no cluster")),
        "{findings:?}"
    );
    let failure = life.core.apply_rollout("nme = 1", "ann").await.unwrap_err();
    assert!(failure.message.starts_with("the rollout's file has "), "{failure}");
    assert!(failure.remedy.unwrap().contains("docs/rollouts.md"));
}
