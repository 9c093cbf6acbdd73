//! Metrics of a store as it stands.

use proto::Failure;

use super::drivers::told;
use super::stage::{Stage, append, begun, id, paused};
use crate::run::{Event, Halt};
use crate::server::measuring::Sight;
use crate::store::{Shelf, Store};

fn has(core: &crate::server::Core, line: &str) -> bool {
    core.metrics().text().unwrap().lines().any(|told| told == line)
}

#[tokio::test]
async fn runs_are_counted_by_how_they_stand_and_a_driver_counts_what_it_writes() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "billing", "r-paused").await;
    paused(&store, &lease, "r-paused").await;
    let lease = begun(&store, "users", "r-halted").await;
    let failure = Failure::operator("gate-shut", "the gate stayed shut", "repair");
    append(&store, &lease, "r-halted", Event::Halted(Box::new(Halt { node: None, step: None, failure })))
        .await;
    drop(lease);
    let _driven = begun(&store, "stock", "r-driven").await;
    drop(begun(&store, "orders", "r-left").await);
    store.put(Shelf::Notice, "k", "{}").await.unwrap();
    let (core, mut sight) = (stage.core().await, Sight::default());
    core.measure(&mut sight).await.unwrap();
    for state in ["paused", "halted", "running", "interrupted"] {
        assert!(has(&core, &format!("ratchet_runs{{state=\"{state}\"}} 1")), "{state}");
    }
    assert!(has(&core, "ratchet_notices_pending 1"));
    core.go_on_with_interrupted().await;
    told(&core, &mut core.watching(id("r-left"), 1)).await;
    core.measure(&mut sight).await.unwrap();
    let text = core.metrics().text().unwrap();
    for line in [
        "ratchet_runs{state=\"blocked\"} 1",
        "ratchet_run_verdicts_total{verdict=\"blocked\"}",
        "ratchet_epoch{cluster=\"orders\"} 2",
        "ratchet_steps_total{kind=\"fetch\",outcome=\"failed\"}",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
