//! Whoever asks for something is written down as who they are, not as the process that does it.

use proto::{Caller, pb};
use tonic::Request;

use super::stage::{Stage, begun, paused};
use super::starting::ready;
use crate::run::Event;
use crate::server::service::Service;
use crate::server::{Core, in_process};
use pb::coordinator_server::Coordinator;
use std::sync::Arc;

const ALICE: &str = "spiffe://prod/operator/alice";

fn by_alice<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Caller::Known(ALICE.parse().unwrap()));
    request
}

async fn asked(core: &Core) -> Vec<String> {
    let run = core.store().runs().await.unwrap().remove(0).id;
    let records = core.store().journal(&run, 1).await.unwrap();
    let by = |event: &Event| match event {
        Event::Created { by, .. } | Event::Requested { by, .. } => Some(by.clone()),
        _ => None,
    };
    records.iter().filter_map(|record| by(&record.event)).collect()
}

#[tokio::test]
async fn starting_pausing_and_going_on_have_their_askers_in_the_journal() {
    let (_stage, core, plan_json) = ready().await;
    let core = Arc::new(core);
    let service = Service::new(Arc::clone(&core));
    service.start(by_alice(pb::StartRequest { plan_json, prepare_only: false })).await.unwrap();
    let run = core.store().runs().await.unwrap().remove(0).id.to_string();
    service.pause(by_alice(pb::PauseRequest { run: run.clone() })).await.unwrap();
    service.abort(by_alice(pb::AbortRequest { run: run.clone() })).await.unwrap();
    // Whoever drives takes requests one after the other.
    let mut seen = core.watching(run.parse().unwrap(), 1);
    while asked(&core).await.len() < 3 {
        core.news_while_serving(&mut seen).await.unwrap().unwrap();
    }
    assert_eq!(asked(&core).await, [ALICE; 3]);
}

#[tokio::test]
async fn a_run_that_nobody_drives_is_gone_on_with_by_who_asked() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "orders", "r1").await;
    paused(&store, &lease, "r1").await;
    drop(lease);
    let core = Arc::new(stage.core().await);
    let service = Service::new(Arc::clone(&core));
    service.abort(by_alice(pb::AbortRequest { run: "r1".to_owned() })).await.unwrap();
    assert_eq!(asked(&core).await, ["alice", "alice", ALICE]);
}

#[tokio::test]
async fn halts_and_take_overs_are_by_who_asked() {
    let stage = Stage::new();
    let core = Arc::new(stage.core().await);
    let service = Service::new(Arc::clone(&core));
    let halt = pb::HaltFleetRequest { lift: false, why: "a fire".to_owned() };
    service.halt_fleet(by_alice(halt)).await.unwrap();
    let runs = core.runs().await.unwrap();
    assert_eq!(runs.fleet_halt.unwrap().by, ALICE);
    stage.held("elsewhere", 7);
    let (cluster, consent, despite_install) = ("orders".to_owned(), true, false);
    let take = pb::TakeOverClusterRequest { cluster, consent, despite_install };
    service.take_over_cluster(by_alice(take)).await.unwrap();
    let latest = core.store().latest_driver(&"orders".parse().unwrap()).await.unwrap().unwrap();
    assert!(latest.holder.ends_with(&format!(" for {ALICE}")), "{latest:?}");
    stage.agents[0].with(|state| assert!(state.taken[0].holder.ends_with(ALICE), "{:?}", state.taken));
}

#[tokio::test]
async fn a_package_says_who_added_it() {
    let stage = Stage::new();
    let file = stage.path("redislabs-7.8.2-34-jammy-amd64.tar");
    std::fs::write(&file, b"package").unwrap();
    let core = Arc::new(stage.core().await);
    let service = Service::new(Arc::clone(&core));
    let location = file.to_str().unwrap().to_owned();
    let add = pb::AddPackageRequest { location, ..pb::AddPackageRequest::default() };
    service.add_package(by_alice(add)).await.unwrap();
    let packages = core.list_packages().await.unwrap().packages;
    assert_eq!(packages[0].added_by.as_deref(), Some(ALICE));
}

/// The same process is this machine's own user, whoever that is; nobody at all is nobody.
#[tokio::test]
async fn whoever_is_in_this_process_is_this_processs_user() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    let lease = begun(&store, "orders", "r1").await;
    paused(&store, &lease, "r1").await;
    drop(lease);
    let mut client = proto::transport::coordinator_client(in_process(stage.core().await));
    client.abort(pb::AbortRequest { run: "r1".to_owned() }).await.unwrap();
    let core = stage.core().await;
    assert_eq!(asked(&core).await.pop().unwrap(), crate::identity::person());
    let service = Service::new(Arc::new(core));
    let halt = pb::HaltFleetRequest { lift: false, why: "a fire".to_owned() };
    service.halt_fleet(Request::new(halt)).await.unwrap();
    let told = stage.core().await.runs().await.unwrap().fleet_halt.unwrap();
    assert_eq!(told.by, "somebody without a certificate");
}
