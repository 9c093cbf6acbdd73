//! The fleet as it was seen last.

use std::sync::Arc;

use proto::Epoch;
use tokio_util::sync::CancellationToken;

use super::stage::{Stage, begun, name};
use crate::server::{Core, inventory};
use crate::store::Lead;

#[tokio::test]
async fn a_cluster_has_a_row_that_says_what_was_seen_and_nothing_more() {
    let stage = Stage::new();
    let _lease = begun(&stage.store("ratchet.db").await, "orders", "r1").await;
    let core = stage.core().await;
    assert!(core.inventory.seen(&name("orders")).is_none());
    let document = core.inventory_document().await.unwrap();
    let row = &document.clusters[0];
    assert_eq!((row.name.as_str(), row.healthy, row.run.as_deref()), ("orders", Some(true), Some("r1")));
    assert_eq!((row.nodes, row.reachable, row.master), (3, 3, Some(1)));
    assert!(row.version.is_some() && row.seen_at.is_some());
    stage.agents[2].with(|state| state.answers = false);
    let document = core.inventory_document().await.unwrap();
    let row = &document.clusters[0];
    assert_eq!((row.healthy, row.reachable, row.master), (Some(false), 2, None));
    assert!(row.problems.iter().any(|problem| problem.contains("n3:1")), "{:?}", row.problems);
}

#[tokio::test]
async fn a_cluster_that_was_not_seen_is_neither_healthy_nor_ill() {
    let stage = Stage::new();
    let core = stage.core().await.serving(None);
    let document = core.inventory_document().await.unwrap();
    assert_eq!((document.clusters[0].healthy, document.clusters[0].seen_at), (None, None));
}

#[tokio::test]
async fn the_duty_looks_again_and_ends_when_leading_is_over() {
    let mut stage = Stage::new();
    stage.more = "[inventory]\nfast = \"1ms\"\nevery = \"1ms\"\n".to_owned();
    let core: Arc<Core> = Arc::new(stage.core().await.serving(None));
    let (over, lead) = (CancellationToken::new(), Arc::new(Lead::new(Epoch(1), ())));
    let duty = tokio::spawn(inventory::duty(Arc::clone(&core), lead, over.clone()));
    let seen = async |healthy: bool| {
        while core.inventory.seen(&name("orders")).is_none_or(|row| row.healthy != healthy) {
            tokio::task::yield_now().await;
        }
    };
    seen(true).await;
    stage.agents[2].with(|state| state.answers = false);
    seen(false).await;
    over.cancel();
    duty.await.unwrap();
}
