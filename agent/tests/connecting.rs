//! The real program, with an outbound connection only: it is asked, it comes back, and it finds who leads.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use common::*;
use proto::transport::{Arrived, Incoming, Security, Timeouts, Unwelcome, incoming};
use proto::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use tokio::net::{TcpListener, TcpSocket};

/// A coordinator's port, as far as agents are concerned.
struct Port {
    address: SocketAddr,
    incoming: Incoming,
}

impl Port {
    fn open(address: &str) -> Self {
        Self::try_open(address).unwrap()
    }

    /// On the port of one that was just closed: its listener may have a moment to live.
    async fn reopen(address: &str) -> Self {
        let opened = async {
            loop {
                match Self::try_open(address) {
                    Ok(port) => return port,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, opened).await.expect("the port stays in use")
    }

    fn try_open(address: &str) -> std::io::Result<Self> {
        Self::secured(address, &Security::InsecureLoopback)
    }

    fn secured(address: &str, security: &Security) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address.parse().unwrap())?;
        let listener: TcpListener = socket.listen(64)?;
        let address = listener.local_addr().unwrap();
        Ok(Self { address, incoming: incoming(listener, security).unwrap() })
    }

    async fn arrived(&mut self) -> Arrived {
        tokio::time::timeout(PATIENCE, self.incoming.agents.recv()).await.expect("nobody came").unwrap()
    }

    async fn driver(&mut self, epoch: u64) -> Driver {
        let (channel, _) = self.arrived().await.welcome(Timeouts::default()).await.unwrap();
        Driver::over(channel, "r1", epoch)
    }
}

fn dialling(coordinators: &[SocketAddr], more: &str) -> Place {
    let place = Place::new();
    let list: Vec<String> = coordinators.iter().map(|address| format!("'{address}'")).collect();
    place.configure_with(&format!("insecure_loopback = true\nconnect = [{}]\n{more}", list.join(", ")), "");
    place
}

// On threads: whoever waits for the agent's end must not keep its coordinator from answering.
#[tokio::test(flavor = "multi_thread")]
async fn steps_are_done_over_a_connection_that_the_agent_made() {
    let mut port = Port::open("127.0.0.1:0");
    let place = dialling(&[port.address], "name = 'db-1'");
    let package = place.package(&format!("echo {NEW} > \"$ROOT/version\"; echo 'Installation complete.'"));
    let agent = Agent::start(&place);
    let arrived = port.arrived().await;
    assert_eq!(
        (arrived.hello.name.as_str(), arrived.hello.version.as_str()),
        ("db-1", env!("CARGO_PKG_VERSION"))
    );
    let memory = arrived.hello.memory.clone();
    let (channel, gone) = arrived.welcome(Timeouts::default()).await.unwrap();
    let mut driver = Driver::over(channel, "r1", 1);
    assert_eq!(driver.observe().await.memory, memory);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    assert_eq!(installed(driver.outcome("install", &spec).await).exit, Exit::Code(0));
    assert!(agent.terminate().success(), "it stops in order");
    tokio::time::timeout(PATIENCE, gone.wait()).await.unwrap();
}

#[tokio::test]
async fn a_coordinator_that_comes_back_is_found_again() {
    let mut port = Port::open("127.0.0.1:0");
    let address = port.address.to_string();
    let place = dialling(&[port.address], "");
    let agent = Agent::start(&place);
    let mut driver = port.driver(1).await;
    driver.claim().await.unwrap();
    for _ in 0..2 {
        drop((port, driver));
        port = Port::reopen(&address).await;
        driver = port.driver(1).await;
        assert_eq!(driver.observe().await.highest_epoch, Epoch(1));
    }
    drop(agent);
}

#[tokio::test]
async fn who_leads_is_followed_and_found_anew() {
    let (mut standby, mut leader) = (Port::open("127.0.0.1:0"), Port::open("127.0.0.1:0"));
    // The leader is not in the list: it is named.
    let place = dialling(&[standby.address], "");
    let _agent = Agent::start(&place);
    let elsewhere = |leader: &Port| Unwelcome {
        failure: Failure::retry("not-leader", "another coordinator leads"),
        leader: Some(leader.address.to_string()),
    };
    standby.arrived().await.refuse(&elsewhere(&leader)).await.unwrap();
    let mut driver = leader.driver(1).await;
    driver.observe().await;
    // It goes away: whoever named it is asked again, and leads by now.
    drop((leader, driver));
    standby.driver(1).await.observe().await;
}

/// The files of one side, signed by an authority, as keys of `[tls]`.
fn issue(dir: &Path, authority: &CertifiedIssuer<'_, KeyPair>, name: &str, who: &str) -> transport::Tls {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::URI(format!("spiffe://prod/{who}").try_into().unwrap()));
    let cert = params.signed_by(&key, authority).unwrap();
    let written = |kind: &str, text: String| {
        let path = dir.join(format!("{name}-{kind}.pem"));
        fs::write(&path, text).unwrap();
        path
    };
    transport::Tls {
        ca: written("ca", authority.pem()),
        cert: written("cert", cert.pem()),
        key: written("key", key.serialize_pem()),
        crl: None,
        names: Default::default(),
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn table(tls: &transport::Tls) -> String {
    let file = |path: &Path| path.display().to_string();
    format!("[tls]\nca = '{}'\ncert = '{}'\nkey = '{}'", file(&tls.ca), file(&tls.cert), file(&tls.key))
}

/// The name in the certificate is the agent's, without a word in its configuration.
#[tokio::test]
async fn over_tls_each_side_shows_a_certificate() {
    let authority = authority();
    let place = Place::new();
    let coordinator = issue(place.dir.path(), &authority, "coordinator", "coordinator/ops-1");
    let mut port = Port::secured("127.0.0.1:0", &Security::Tls(coordinator)).unwrap();
    let agent = issue(place.dir.path(), &authority, "agent", "agent/db-1");
    place.configure_with(&format!("connect = 'localhost:{}'", port.address.port()), &table(&agent));
    let _agent = Agent::start(&place);
    let arrived = port.arrived().await;
    assert_eq!(arrived.hello.name.as_str(), "db-1");
    arrived.is_who_it_says().unwrap();
    let (channel, _) = arrived.welcome(Timeouts::default()).await.unwrap();
    let mut driver = Driver::over(channel, "r1", 1);
    driver.claim().await.unwrap();
    completed(driver.outcome("check", &StepSpec::Check).await);
}

/// The real program behind its own port: it obeys a coordinator, and nobody with another agent's certificate.
#[tokio::test]
async fn an_agents_own_port_obeys_coordinators_only() {
    let authority = authority();
    let place = Place::new();
    let dir = place.dir.path().to_owned();
    place.configure_with("listen = '127.0.0.1:0'", &table(&issue(&dir, &authority, "agent", "agent/db-1")));
    let agent = Agent::start(&place);
    let port = agent.address.rsplit_once(':').unwrap().1.to_owned();
    let dial = |who: &str, whom| {
        let security = Security::Tls(issue(&dir, &authority, &who.replace('/', "-"), who));
        transport::dial(&format!("localhost:{port}"), whom, &security, Timeouts::default())
    };
    let mut driver = Driver::over(dial("coordinator/ops-1", Role::Agent).unwrap(), "r1", 1);
    driver.claim().await.unwrap();
    // One that keeps the rules does not even try, and one that takes it for a coordinator is told who it is.
    dial("agent/db-2", Role::Agent).unwrap_err();
    let mistaken = transport::coordinator_client(dial("agent/db-2", Role::Coordinator).unwrap())
        .leader(pb::LeaderRequest {})
        .await
        .unwrap_err();
    let failure = wire::failure_of(mistaken);
    assert!(failure.cause.unwrap().contains("spiffe://prod/agent/db-1"));
}

/// At the start, and not by a log that nobody reads.
#[test]
fn a_certificate_that_is_no_agents_is_told_at_the_start() {
    let place = Place::new();
    let tls = issue(place.dir.path(), &authority(), "operator", "operator/ann");
    place.configure_with("listen = '127.0.0.1:0'", &table(&tls));
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_ratchet-agent"))
        .arg("--config")
        .arg(place.path("agent.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("spiffe://prod/operator/ann") && said.contains("`[tls] cert`"), "{said}");
}

/// Its own listener goes on beside the connection.
#[tokio::test]
async fn an_agent_may_do_both() {
    let mut port = Port::open("127.0.0.1:0");
    let place = dialling(&[port.address], "listen = '127.0.0.1:0'");
    let agent = Agent::start(&place);
    let memory = port.driver(1).await.observe().await.memory;
    assert_eq!(agent.driver(1).observe().await.memory, memory);
}
