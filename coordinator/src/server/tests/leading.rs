//! Several coordinators on one store: one leads, the others stand by.

use std::sync::Arc;

use proto::pb::coordinator_client::CoordinatorClient;
use proto::transport::{Security, Timeouts, coordinator_client, dial};
use proto::wire::failure_of;
use proto::{Epoch, pb};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::drivers::told;
use super::stage::{Stage, begun, id};
use crate::documents::{HaltDocument, LeaderDocument, RunState};
use crate::server::{Core, serve_on};
use crate::store::{Acquire, Store};

/// A coordinator that serves, and the way to it.
struct Served {
    stop: CancellationToken,
    serving: JoinHandle<()>,
    address: String,
}

impl Served {
    async fn new(stage: &Stage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let incoming = proto::transport::incoming(listener, &Security::InsecureLoopback).unwrap();
        let core = Arc::new(stage.core().await.serving(Some(address.clone())));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serving = tokio::spawn(async move {
            let stopped = async move { stopped.cancelled().await };
            serve_on(core, incoming, stopped).await.unwrap();
        });
        Self { stop, serving, address }
    }

    fn client(&self) -> CoordinatorClient<Channel> {
        let channel =
            dial(&self.address, proto::Role::Coordinator, &Security::InsecureLoopback, Timeouts::default())
                .unwrap();
        coordinator_client(channel)
    }

    async fn leader(&self) -> LeaderDocument {
        let document = self.client().leader(pb::LeaderRequest {}).await.unwrap().into_inner();
        serde_json::from_str(&document.json).unwrap()
    }

    /// Waits until it leads.
    async fn until_it_leads(&self) -> LeaderDocument {
        loop {
            let leader = self.leader().await;
            if leader.leads {
                return leader;
            }
        }
    }

    async fn stopped(self) {
        self.stop.cancel();
        self.serving.await.unwrap();
    }
}

/// Waits until a coordinator leads.
async fn led(core: &Core) -> Epoch {
    core.leadership.until_it_leads().await
}

#[tokio::test]
async fn one_leads_and_the_other_takes_over_when_it_is_stopped() {
    let stage = Stage::new();
    let first = Served::new(&stage).await;
    let epoch = first.until_it_leads().await.epoch.unwrap();
    let second = Served::new(&stage).await;
    let seen = second.leader().await;
    assert!(!seen.leads);
    assert_eq!((seen.epoch, seen.address.as_deref()), (Some(epoch), Some(first.address.as_str())));
    first.stopped().await;
    let after = second.until_it_leads().await;
    assert!(after.epoch.unwrap() > epoch);
    assert_eq!(after.address.as_deref(), Some(second.address.as_str()));
    assert!(after.since.is_some());
}

#[tokio::test]
async fn whoever_stands_by_answers_reads_and_passes_writes_on() {
    let stage = Stage::new();
    stage.agents.iter().for_each(|agent| agent.let_steps_end(false));
    drop(begun(&stage.store("ratchet.db").await, "orders", "r1").await);
    let leader = Served::new(&stage).await;
    leader.until_it_leads().await;
    stage.agents[0].until_ordered().await;
    let standby = Served::new(&stage).await;
    let run = pb::ShowRequest { run: "r1".to_owned(), events: false, agents: false };
    standby.client().show(run).await.unwrap();
    let halt = pb::HaltFleetRequest { lift: false, why: "stop".to_owned() };
    let document = standby.client().halt_fleet(halt.clone()).await.unwrap().into_inner();
    let document: HaltDocument = serde_json::from_str(&document.json).unwrap();
    assert_eq!((document.told, document.runs.len()), (3, 1));
    // The inventory is the leader's: whoever stands by has seen nothing itself.
    let inventory = standby.client().inventory(pb::InventoryRequest {}).await.unwrap().into_inner();
    assert!(inventory.json.contains("\"name\":\"orders\""), "{}", inventory.json);
    leader.stopped().await;
    standby.until_it_leads().await;
    standby.client().halt_fleet(halt).await.unwrap();
}

#[tokio::test]
async fn what_was_passed_on_once_is_not_passed_on_again_and_nobody_is_waited_for_for_ever() {
    let (alone, led) = (Stage::new(), Stage::new());
    let store = led.store("ratchet.db").await;
    let _lead = store.lead("bob@ops2", Some("127.0.0.1:9"), Acquire::IfFree).await.unwrap();
    let without = alone.core().await.serving(Some("127.0.0.1:9".to_owned()));
    let standby = led.core().await.serving(Some("127.0.0.1:10".to_owned()));
    let same_address = led.core().await.serving(Some("127.0.0.1:9".to_owned()));
    assert_eq!(standby.leader_elsewhere(false).await.unwrap().unwrap().address, "127.0.0.1:9");
    let (nobody, again, itself) = tokio::join!(
        without.leader_elsewhere(false),
        standby.leader_elsewhere(true),
        same_address.leader_elsewhere(false),
    );
    assert_eq!(nobody.unwrap_err().id, "no-leader");
    for failure in [again.unwrap_err(), itself.unwrap_err()] {
        assert_eq!(failure.id, "no-leader");
        assert!(failure.cause.unwrap().contains("advertise"), "it says what is wrong");
    }
    assert!(alone.core().await.leader_elsewhere(false).await.unwrap().is_none(), "a command does it itself");
}

#[tokio::test]
async fn a_leader_that_answers_nobody_is_named() {
    let stage = Stage::new();
    let _lead = stage.store("ratchet.db").await.lead("bob@ops2", None, Acquire::IfFree).await.unwrap();
    let failure = stage.core().await.serving(None).leader_elsewhere(false).await.unwrap_err();
    assert_eq!(failure.id, "led-elsewhere");
    assert!(failure.message.contains("bob@ops2"), "{failure}");
}

#[tokio::test]
async fn a_leader_that_is_deposed_stops_its_drivers_and_leads_again_when_the_seat_is_free() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    stage.agents.iter().for_each(|agent| agent.let_steps_end(false));
    let core = Arc::new(stage.core().await.serving(None));
    let _leading = tokio::spawn(Arc::clone(&core).lead_in_turn(core.closing.clone()));
    let epoch = led(&core).await;
    stage.agents[0].until_ordered().await;
    let lead = store.lead("bob@ops2", None, Acquire::Seize { above: epoch }).await.unwrap();
    core.leadership.until_over().await;
    while core.drivers.is_at_work(&id("r1")) {
        tokio::task::yield_now().await;
    }
    assert!(store.driver(&"orders".parse().unwrap()).await.unwrap().is_none(), "its lease is given back");
    drop(lead);
    assert!(led(&core).await > epoch);
    while !core.drivers.is_at_work(&id("r1")) {
        tokio::task::yield_now().await;
    }
    core.closing.cancel();
}

/// Whoever cannot ask the store must take it that another leads by now; it is no reason to stop before the lease is over.
#[tokio::test]
async fn a_leader_whose_store_is_out_of_reach_for_long_leads_no_more() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let core = Arc::new(stage.core().await.serving(None));
    let _leading = tokio::spawn(Arc::clone(&core).lead_in_turn(core.closing.clone()));
    let epoch = led(&core).await;
    let cut_off = tokio::time::Instant::now();
    store.sql("ALTER TABLE epoch RENAME TO out_of_reach").await;
    core.leadership.until_over().await;
    let took = cut_off.elapsed().as_secs_f64();
    assert!((4.0..15.0).contains(&took), "{took} s");
    store.sql("ALTER TABLE out_of_reach RENAME TO epoch").await;
    assert!(led(&core).await > epoch);
    core.closing.cancel();
}

/// Dead in the middle of its work, as by SIGKILL: its runtime and everything in it is gone.
#[tokio::test]
async fn when_the_leader_dies_the_other_goes_on_with_its_runs_and_watchers_see_no_end() {
    let stage = Arc::new(Stage::new());
    stage.agents.iter().for_each(|agent| agent.with(|state| state.works = true));
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    stage.agents.iter().for_each(|agent| agent.let_steps_end(false));
    let dying = Runtime::new().unwrap();
    let on = Arc::clone(&stage);
    dying.spawn(async move {
        let core = Arc::new(on.core().await.serving(None));
        let stop = core.closing.clone();
        core.lead_in_turn(stop).await;
    });
    stage.agents[2].until_ordered().await;
    let core = Arc::new(stage.core().await.serving(None));
    let watcher = Arc::clone(&core);
    let watching = tokio::spawn(async move { told(&watcher, &mut watcher.watching(id("r1"), 1)).await });
    dying.shutdown_background();
    stage.agents.iter().for_each(|agent| agent.let_steps_end(true));
    let _leading = tokio::spawn(Arc::clone(&core).lead_in_turn(core.closing.clone()));
    let (news, failure) = watching.await.unwrap();
    assert!(failure.is_none(), "{failure:?}");
    let run = &news.last().unwrap().run;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    let epochs = store.journal(&id("r1"), 1).await.unwrap().into_iter().map(|record| record.epoch);
    assert_eq!(epochs.max(), Some(Epoch(3)), "one more driver, and no more");
    core.closing.cancel();
}

/// A driver that an agent of another store's driver refuses would be refused again and again.
#[tokio::test]
async fn a_run_that_is_stuck_waits_for_a_person() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    stage.agents[1].with(|state| state.highest = Epoch(7));
    let core = stage.core().await.serving(None);
    core.go_on_with_interrupted().await;
    let (_, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    assert_eq!(failure.unwrap().id, "superseded");
    let written = store.journal(&id("r1"), 1).await.unwrap().len();
    core.go_on_with_interrupted().await;
    assert_eq!(store.journal(&id("r1"), 1).await.unwrap().len(), written, "it was taken up again");
}

#[tokio::test]
async fn a_coordinator_that_is_being_stopped_sends_watchers_on() {
    let stage = Stage::new();
    let _lease = begun(&stage.store("ratchet.db").await, "orders", "r1").await;
    let core = stage.core().await.serving(None);
    core.closing.cancel();
    let failure = core.news_while_serving(&mut core.watching(id("r1"), 1)).await.unwrap_err();
    assert_eq!((failure.id.as_str(), failure.kind), ("unreachable", proto::FailureKind::Retry));
    let standing = failure_of(tonic::Status::unavailable("gone"));
    assert_eq!(failure.id, standing.id, "whoever follows cannot tell it from a coordinator that is gone");
}
