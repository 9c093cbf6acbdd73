//! An authority, and an agent that answers one question.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType, IsCa,
    KeyIdMethod, KeyPair, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use tokio::net::TcpListener;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use crate::transport::{
    Door, Limits, Security, Timeouts, Tls, agent_client, agent_server, dial, incoming_at,
    plain_server_builder,
};
use crate::wire::{failure_of, status_of};
use crate::{Failure, NodeFacts, NodeUid, ProgramFailure, Role, pb, sample};

/// The fleet that everybody is of unless something else is said.
pub(super) const FLEET: &str = "prod";

/// Who issues certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Of two authorities each has its own name, as in real life.
        let name = crate::Sha256::of(key.public_key_raw()).short();
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// Writes the three files of one side, `role/name` of the fleet.
    pub(super) fn issue(&self, dir: &Path, who: &str, hosts: &[&str]) -> Tls {
        self.issue_as(dir, &format!("spiffe://{FLEET}/{who}"), hosts, |_| {})
    }

    /// The same for a whole identity (none if empty), with something changed.
    pub(super) fn issue_as(
        &self,
        dir: &Path,
        identity: &str,
        hosts: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Tls {
        let key = KeyPair::generate().unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        if !identity.is_empty() {
            params.subject_alt_names.push(SanType::URI(identity.try_into().unwrap()));
        }
        params.serial_number = Some(serial(identity));
        change(&mut params);
        let cert = params.signed_by(&key, &self.0).unwrap();
        let name = crate::Sha256::of(key.public_key_raw()).short();
        Tls {
            ca: written(dir, &format!("{name}-ca.pem"), &self.0.pem()),
            cert: written(dir, &format!("{name}.pem"), &cert.pem()),
            key: written(dir, &format!("{name}-key.pem"), &key.serialize_pem()),
            crl: None,
            names: Default::default(),
        }
    }

    /// A list that revokes whoever was issued these identities.
    pub(super) fn revoking(&self, identities: &[&str]) -> String {
        let revoked = |identity: &&str| RevokedCertParams {
            serial_number: serial(identity),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2045, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: identities.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.0).unwrap().pem().unwrap()
    }

    /// The digest by which it can be pinned.
    pub(super) fn pin(&self) -> crate::Sha256 {
        use x509_parser::prelude::FromDer;
        let (_, parsed) = x509_parser::prelude::X509Certificate::from_der(self.0.der()).unwrap();
        crate::Sha256::of(parsed.public_key().raw)
    }
}

/// Made out of the identity, so that it can be revoked by it.
fn serial(identity: &str) -> SerialNumber {
    SerialNumber::from_slice(&crate::Sha256::of(identity.as_bytes()).as_bytes()[..15])
}

/// A certificate that was good until yesterday.
pub(super) fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
}

pub(super) fn written(dir: &Path, name: &str, content: &str) -> PathBuf {
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

/// An agent that serves on a free port of the loopback interface until the runtime ends.
pub(super) async fn serve(security: &Security) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = incoming_at(listener, security, Door::Agent, Limits::AGENT).unwrap();
    let router = plain_server_builder(Timeouts::default()).add_service(agent_server(StandIn));
    tokio::spawn(router.serve_with_incoming(incoming.clients));
    address
}

/// Dials an agent by name and asks, as a coordinator does.
pub(super) async fn ask(address: &str, security: &Security) -> Result<NodeFacts, Failure> {
    observe(dial(address, Role::Agent, security, Timeouts::default()).unwrap()).await
}

pub(super) async fn observe(channel: Channel) -> Result<NodeFacts, Failure> {
    let answer = agent_client(channel).observe(pb::ObserveRequest::default()).await.map_err(failure_of)?;
    Ok(NodeFacts::try_from(answer.into_inner()).unwrap())
}
