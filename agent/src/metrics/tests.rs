//! What an agent tells of itself.

use std::collections::BTreeSet;

use proto::Failure;

use super::*;

#[test]
fn every_metric_of_the_list_is_told_and_no_other() {
    let metrics = Metrics::default();
    let failed = StepOutcome::Failed(Failure::retry("x", "it failed"));
    metrics.step(StepKind::Install, &failed, 61.5);
    metrics.held(true, Epoch(7), &BTreeMap::from([(StepKind::Fetch, 1)]));
    metrics.halted(true);
    metrics.certificate("cert", Some(Timestamp::UNIX_EPOCH));
    let text = metrics.text().unwrap();
    let told: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let family = |name: &str| name.trim_end_matches("_total").trim_end_matches("_info").to_owned();
    let listed: BTreeSet<String> = ALL.iter().map(|row| format!("{} {}", family(row.0), row.1)).collect();
    assert_eq!(told, listed.iter().map(String::as_str).collect());
    for line in [
        "ratchet_agent_steps_total{kind=\"install\",outcome=\"failed\"} 1",
        "ratchet_agent_step_seconds_sum{kind=\"install\"} 61.5",
        "ratchet_agent_step_running{kind=\"fetch\"} 1",
        "ratchet_agent_step_running{kind=\"install\"} 0",
        "ratchet_agent_claimed 1",
        "ratchet_agent_epoch 7",
        "ratchet_agent_halted{} 1",
        "ratchet_agent_certificate_expiry_seconds{file=\"cert\"} 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_is_not_known_is_not_told() {
    let metrics = Metrics::default();
    metrics.certificate("cert", Some(Timestamp::UNIX_EPOCH));
    metrics.certificate("cert", None);
    let text = metrics.text().unwrap();
    let values: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(!values.iter().any(|line| line.contains("certificate") || line.contains("halted")), "{values:?}");
}
