//! Rollouts whose clusters are taken out of the configuration while they are under way.

use std::time::Duration;

use super::fleet::Fleet;
use super::rollouts::WAVES;
use crate::documents::{RolloutClusterState, RolloutState, WaveState};

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
