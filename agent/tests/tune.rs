//! Settings of the cluster: changed, read back, and left alone where they are as wanted (hazard A15).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::*;
use proto::*;

/// `rladmin` with a setting that takes what it is given; `$ROOT/tunes` has all calls.
const TUNABLE: &str = r#"case "$*" in
'info cluster') echo "slave_ha_grace_period: $(cat "$ROOT/grace")"; echo 'parallel_shards_upgrade: all' ;;
'tune cluster '*) echo "$*" >> "$ROOT/tunes"; echo "$4" > "$ROOT/grace"; echo 'Finished successfully' ;;
*) exit 1 ;;
esac"#;

async fn place(rladmin: &str) -> (Place, Agent, Driver) {
    let place = Place::new();
    place.program("rladmin", rladmin);
    fs::write(place.path("root/grace"), "600").unwrap();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    (place, agent, driver)
}

fn grace(value: u64) -> StepSpec {
    StepSpec::Tune { setting: Setting::ReplicaHaGracePeriod, value }
}

#[tokio::test]
async fn a_setting_is_changed_once_read_back_and_seen_in_the_facts() {
    let (place, _agent, mut driver) = place(TUNABLE).await;
    assert_eq!(driver.observe().await.settings[&Setting::ReplicaHaGracePeriod], Probe::Known(600));
    assert_eq!(completed(driver.outcome("one", &grace(3600)).await), StepReport::Tune { now: 3600 });
    assert_eq!(completed(driver.outcome("two", &grace(3600)).await), StepReport::Tune { now: 3600 });
    let tunes = fs::read_to_string(place.path("root/tunes")).unwrap();
    assert_eq!(tunes, "tune cluster slave_ha_grace_period 3600\n", "the second was done already");
    let settings = driver.observe().await.settings;
    assert_eq!(settings[&Setting::ReplicaHaGracePeriod], Probe::Known(3600));
    assert!(matches!(settings[&Setting::ParallelShardsUpgrade], Probe::Unknown(_)), "`all` is no number");
    assert_eq!(driver.cancel("two").await.unwrap_err().id, "not-running");
}

#[tokio::test]
async fn what_was_not_taken_refused_or_cannot_be_read_has_failed() {
    for (rladmin, id) in [
        (TUNABLE.replace("echo \"$4\" > \"$ROOT/grace\"", "true"), "setting-not-taken"),
        (
            TUNABLE.replace("echo 'Finished", "echo 'ERROR: no' >&2; exit 1; echo 'Finished"),
            "product-no-answer",
        ),
        (TUNABLE.replace("$(cat \"$ROOT/grace\")", "all"), "unreadable"),
        (TUNABLE.replace("'info cluster')", "'info clusters')"), "product-no-answer"),
    ] {
        let (_place, _agent, mut driver) = place(&rladmin).await;
        let failure = failed(driver.outcome("tune", &grace(3600)).await);
        assert_eq!(failure.id, id, "{failure:?}");
        assert!(failure.remedy.is_some(), "{failure:?}");
    }
}
