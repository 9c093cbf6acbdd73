//! Who is believed: the real service behind real certificates.

use std::sync::Arc;
use std::time::Duration;

use proto::pb::coordinator_client::CoordinatorClient;
use proto::transport::{
    Hello, OfferError, Security, Timeouts, Tls, coordinator_client, dial, incoming, offer,
};
use proto::wire::failure_of;
use proto::{Failure, Role, pb};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::certificates::{Authority, table};
use super::stage::{Stage, begun};
use crate::server::serve_on;

const PATIENCE: Duration = Duration::from_secs(60);

/// Coordinators on one store, each with a certificate of its own.
struct Fleet {
    stage: Stage,
    authority: Authority,
    stop: CancellationToken,
}

impl Fleet {
    fn new() -> Self {
        let stage = Stage::new();
        let authority = Authority::new(&stage.path(""));
        Self { stage, authority, stop: CancellationToken::new() }
    }

    /// Serves under a name, and gives the address.
    async fn serve(&mut self, name: &str) -> String {
        let own = self.authority.issue(&format!("coordinator/{name}"));
        self.stage.more = table(&own);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let incoming = incoming(listener, &Security::Tls(own)).unwrap();
        let core = Arc::new(self.stage.core().await.serving(Some(address.clone())));
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let stopped = async move { stop.cancelled().await };
            serve_on(core, incoming, stopped).await.unwrap();
        });
        address
    }

    async fn leader(&mut self) -> String {
        let address = self.serve("one").await;
        let mut client = self.client(&address, "operator/ann");
        loop {
            // It may be asked too often: that is told, too.
            let said = client.leader(pb::LeaderRequest {}).await;
            if said.is_ok_and(|said| said.into_inner().json.contains("\"leads\":true")) {
                return address;
            }
        }
    }

    fn client(&self, address: &str, who: &str) -> CoordinatorClient<Channel> {
        let security = Security::Tls(self.authority.issue(who));
        coordinator_client(dial(address, Role::Coordinator, &security, Timeouts::default()).unwrap())
    }
}

fn refused<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Failure {
    failure_of(answer.unwrap_err())
}

fn halt() -> pb::HaltFleetRequest {
    pb::HaltFleetRequest { lift: false, why: "stop".to_owned() }
}

#[tokio::test]
async fn a_stolen_agents_certificate_reads_no_journal_and_changes_nothing() {
    let mut fleet = Fleet::new();
    fleet.stage.agents.iter().for_each(|agent| agent.let_steps_end(false));
    drop(begun(&fleet.stage.store("ratchet.db").await, "orders", "r1").await);
    let address = fleet.leader().await;
    let mut thief = fleet.client(&address, "agent/db-1");
    let run = || "r1".to_owned();
    let refusals = [
        refused(thief.show(pb::ShowRequest { run: run(), events: true, agents: true }).await),
        refused(thief.report(pb::ReportRequest { run: run(), ..Default::default() }).await),
        refused(thief.watch(pb::WatchRequest { run: run(), from_seq: 1 }).await),
        refused(thief.export_run(pb::ExportRunRequest { run: run() }).await),
        refused(thief.status(pb::StatusRequest { clusters: Vec::new() }).await),
        refused(thief.halt_fleet(halt()).await),
        refused(thief.abort(pb::AbortRequest { run: run() }).await),
    ];
    for failure in refusals {
        assert_eq!(failure.id, "not-allowed", "{failure:?}");
        assert!(failure.message.contains("spiffe://prod/agent/db-1"), "{failure:?}");
    }
    let mut viewer = fleet.client(&address, "viewer/vic");
    viewer.show(pb::ShowRequest { run: run(), events: true, agents: false }).await.unwrap();
    assert_eq!(refused(viewer.halt_fleet(halt()).await).id, "not-allowed");
    fleet.stop.cancel();
}

/// Whoever leads judges who has asked, and not who has passed it on.
#[tokio::test]
async fn what_a_standby_passes_on_is_done_in_the_name_of_who_asked() {
    let mut fleet = Fleet::new();
    let leader = fleet.leader().await;
    let standby = fleet.serve("two").await;
    fleet.client(&standby, "operator/ann").halt_fleet(halt()).await.unwrap();
    assert_eq!(refused(fleet.client(&standby, "viewer/vic").halt_fleet(halt()).await).id, "not-allowed");
    // A coordinator asks for nobody but others.
    let failure = refused(fleet.client(&leader, "coordinator/two").halt_fleet(halt()).await);
    assert_eq!(failure.id, "not-allowed");
    assert!(failure.remedy.unwrap().contains("operator"), "it says what to do");
    fleet.stop.cancel();
}

async fn arrive(address: &str, tls: Tls, name: &str) -> Result<(), OfferError> {
    let hello =
        Hello { name: name.parse().unwrap(), memory: "m1".parse().unwrap(), version: "0.1.0".to_owned() };
    offer(address, &Security::Tls(tls), &hello, PATIENCE).await.map(drop)
}

#[tokio::test]
async fn an_agent_arrives_under_the_name_in_its_certificate_and_no_other() {
    let mut fleet = Fleet::new();
    let address = fleet.leader().await;
    let own = fleet.authority.issue("agent/db-1");
    match arrive(&address, own.clone(), "db-2").await {
        Err(OfferError::Refused(why)) => {
            assert_eq!((why.failure.id.as_str(), why.leader), ("wrong-name", None));
            assert!(why.failure.cause.unwrap().contains("spiffe://prod/agent/db-1"));
        }
        other => panic!("{other:?}"),
    }
    arrive(&address, own, "db-1").await.unwrap();
    // Nor does anybody else arrive as an agent.
    let operator = fleet.authority.issue("operator/db-1");
    assert!(matches!(arrive(&address, operator, "db-1").await, Err(OfferError::Transport(_))));
    fleet.stop.cancel();
}

#[tokio::test]
async fn status_says_which_certificate_expires_soon() {
    let mut stage = Stage::new();
    let authority = Authority::new(&stage.path(""));
    stage.more = table(&authority.issue("coordinator/one"));
    assert_eq!(stage.core().await.status(&[]).await.unwrap().warnings, Vec::<String>::new());
    stage.more = table(&authority.issue_until("coordinator/one", 2026));
    let said = stage.core().await.status(&[]).await.unwrap().warnings;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("coordinator-one-cert.pem") && said[0].contains("ratchet pki renew"),
        "{said:?}"
    );
}
