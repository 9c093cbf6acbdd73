//! What is told is what is listed.

use std::collections::BTreeSet;

use proto::{Epoch, RolloutName};

use super::list::{ALL, Kind};
use super::*;
use crate::notify::ClusterStands;
use crate::rollout::RolloutEnd;

fn everything() -> Metrics {
    let metrics = Metrics::default();
    let steps = [("kind", "install".to_owned()), ("outcome", "completed".to_owned())];
    metrics.steps.get_or_create(&steps).inc();
    metrics.step_seconds.get_or_create(&label("kind", "install")).observe(61.0);
    metrics.turn_seconds.observe(700.0);
    metrics.verdicts.get_or_create(&label("verdict", "done")).inc();
    metrics.epochs.get_or_create(&label("cluster", "orders")).set(4);
    metrics.runs(&[RunState::Halted, RunState::Done, RunState::Done]);
    metrics.leads(Some(Epoch(9)));
    metrics.agents(AgentCounts { reachable: 5, unreachable: 1, unassigned: 2 });
    metrics.clusters(ClusterCounts { healthy: 2, unhealthy: 0, unknown: 1 });
    metrics.rollouts(&[(name(), standing())]);
    metrics.certificate("cert", Some(jiff::Timestamp::UNIX_EPOCH));
    metrics.notice(Told::Delivered);
    metrics.notices_pending(3);
    metrics
}

fn name() -> RolloutName {
    "night".parse().unwrap()
}

fn standing() -> Standing {
    let clusters = [("a".parse().unwrap(), ClusterStands::Failed)].into();
    Standing { clusters, window_open: false, halted: true, ..Standing::default() }
}

fn lines(metrics: &Metrics) -> Vec<String> {
    metrics.text().unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_list_is_told_and_no_other() {
    let lines = lines(&everything());
    let told: BTreeSet<&str> = lines.iter().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let listed: BTreeSet<String> = ALL.iter().map(|row| format!("{} {}", row.name, row.kind)).collect();
    assert_eq!(told, listed.iter().map(String::as_str).collect());
    assert_eq!(lines.last().unwrap(), "# EOF");
    for row in ALL {
        let value = lines.iter().find(|line| line.starts_with(&row.exposed()) && !line.starts_with('#'));
        let value = value.unwrap_or_else(|| panic!("{} has no value", row.name));
        let labels: BTreeSet<&str> = value
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'))
            .map(|(labels, _)| labels.split(',').filter_map(|label| label.split('=').next()).collect())
            .unwrap_or_default();
        let own = |label: &&str| !(row.kind == Kind::Histogram && *label == "le");
        let labels: BTreeSet<&str> = labels.into_iter().filter(own).collect();
        assert_eq!(labels, row.labels.iter().copied().collect(), "{value}");
        assert!(lines.contains(&format!("# HELP {} {}.", row.name, row.help)), "{}", row.name);
    }
}

#[test]
fn values_are_what_was_set() {
    let metrics = everything();
    for line in [
        "ratchet_runs{state=\"done\"} 2",
        "ratchet_runs{state=\"running\"} 0",
        "ratchet_leading 1",
        "ratchet_lead_epoch 9",
        "ratchet_agents{state=\"unreachable\"} 1",
        "ratchet_clusters{health=\"unknown\"} 1",
        "ratchet_window_open{rollout=\"night\"} 0",
        "ratchet_rollout_halted{rollout=\"night\"} 1",
        "ratchet_rollout_clusters{rollout=\"night\",state=\"failed\"} 1",
        "ratchet_notices_total{outcome=\"delivered\"} 1",
        "ratchet_notices_pending 3",
    ] {
        assert!(lines(&metrics).contains(&line.to_owned()), "{line} is not in {:#?}", lines(&metrics));
    }
    metrics.leads(None);
    assert!(lines(&metrics).contains(&"ratchet_leading 0".to_owned()));
    assert!(lines(&metrics).contains(&"ratchet_lead_epoch 9".to_owned()));
}

#[test]
fn nothing_is_told_of_what_is_over_or_cannot_be_told() {
    let metrics = everything();
    metrics.certificate("cert", None);
    metrics.rollouts(&[(name(), Standing { ended: Some(RolloutEnd::Done), ..standing() })]);
    let left = lines(&metrics);
    let of = |word: &str| left.iter().filter(|line| !line.starts_with('#') && line.contains(word)).count();
    assert_eq!((of("certificate"), of("night")), (0, 0), "{left:#?}");
}

#[tokio::test]
async fn only_one_path_answers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(listener, std::sync::Arc::new(everything())));
    let get = |path: &'static str| async move { reqwest::get(format!("http://{at}{path}")).await.unwrap() };
    let answer = get("/metrics").await;
    let content = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(content.starts_with("application/openmetrics-text"), "{content}");
    assert!(answer.text().await.unwrap().ends_with("# EOF\n"));
    assert_eq!(get("/").await.status(), 404);
    serving.abort();
}
