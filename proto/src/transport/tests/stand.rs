//! An authority, and an agent that answers one question.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use crate::transport::{Security, Timeouts, Tls, agent_client, agent_server, dial, server_builder};
use crate::wire::{failure_of, status_of};
use crate::{Failure, NodeFacts, NodeUid, ProgramFailure, pb, sample};

/// Who issues certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes the three files of one side.
    pub(super) fn issue(&self, dir: &Path, name: &str, hosts: &[&str]) -> Tls {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let cert = CertificateParams::new(hosts).unwrap().signed_by(&key, &self.0).unwrap();
        Tls {
            ca: written(dir, &format!("{name}-ca.pem"), &self.0.pem()),
            cert: written(dir, &format!("{name}.pem"), &cert.pem()),
            key: written(dir, &format!("{name}-key.pem"), &key.serialize_pem()),
            crl: None,
            names: Default::default(),
        }
    }
}

fn written(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, content).unwrap();
    path
}

/// The facts of a node of the largest cluster that is planned for.
pub(super) fn large_facts() -> NodeFacts {
    let mut facts = sample::healthy_facts(NodeUid(1), 35, jiff::Timestamp::UNIX_EPOCH);
    if let crate::Probe::Known(view) = &mut facts.view {
        let shard = view.shards[0].clone();
        view.shards = (0..50_000)
            .map(|n| crate::ShardRow {
                id: format!("redis:{n}"),
                slots: "0-1023 ".repeat(12),
                ..shard.clone()
            })
            .collect();
    }
    facts
}

/// A failure that no header could hold as it is.
pub(super) fn large_failure() -> Failure {
    let tail = (0..20_000).map(|line| format!("ligne très longue {line}")).collect();
    let program =
        ProgramFailure { argv: vec!["rladmin".to_owned()], status: "exit status: 1".to_owned(), tail };
    Failure { program: Some(program), ..Failure::operator("held", "é".repeat(100_000), "ask the holder") }
}

/// Answers `Observe` with large facts and everything else with a large failure.
pub(super) struct StandIn;

type Answer<T> = Result<Response<T>, Status>;

fn refused<T>() -> Answer<T> {
    Err(status_of(&large_failure(), Code::FailedPrecondition))
}

#[tonic::async_trait]
impl pb::agent_server::Agent for StandIn {
    async fn set_catalogue(
        &self,
        _: Request<pb::SetCatalogueRequest>,
    ) -> Result<Response<pb::SetCatalogueReply>, Status> {
        Err(Status::unimplemented("a signed catalogue"))
    }

    async fn observe(&self, _: Request<pb::ObserveRequest>) -> Answer<pb::NodeFacts> {
        Ok(Response::new((&large_facts()).into()))
    }

    async fn claim(&self, _: Request<pb::ClaimRequest>) -> Answer<pb::ClaimReply> {
        refused()
    }

    async fn set_halt(&self, _: Request<pb::SetHaltRequest>) -> Answer<pb::SetHaltReply> {
        refused()
    }

    async fn take_over(&self, _: Request<pb::TakeOverRequest>) -> Answer<pb::TakeOverReply> {
        refused()
    }

    async fn histories(&self, _: Request<pb::HistoriesRequest>) -> Answer<pb::HistoriesReply> {
        refused()
    }

    async fn release(&self, _: Request<pb::ReleaseRequest>) -> Answer<pb::ReleaseReply> {
        refused()
    }

    type ExecuteStream = tokio_stream::Empty<Result<pb::StepEvent, Status>>;

    async fn execute(&self, _: Request<pb::ExecuteRequest>) -> Answer<Self::ExecuteStream> {
        Ok(Response::new(tokio_stream::empty()))
    }

    async fn cancel(&self, _: Request<pb::CancelRequest>) -> Answer<pb::CancelReply> {
        refused()
    }

    async fn run_hooks(&self, _: Request<pb::RunHooksRequest>) -> Answer<pb::RunHooksReply> {
        refused()
    }
}

/// Serves on a free port of the loopback interface until the runtime ends.
pub(super) async fn serve(security: &Security) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = server_builder(security).unwrap().add_service(agent_server(StandIn));
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// Dials by name and asks.
pub(super) async fn ask(address: &str, security: &Security) -> Result<NodeFacts, Failure> {
    observe(dial(address, security, Timeouts::default()).unwrap()).await
}

pub(super) async fn observe(channel: Channel) -> Result<NodeFacts, Failure> {
    let answer = agent_client(channel).observe(pb::ObserveRequest::default()).await.map_err(failure_of)?;
    Ok(NodeFacts::try_from(answer.into_inner()).unwrap())
}
