//! A node enrols: the agent's own program part, the real coordinator, TLS between them, and somebody in the middle.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::time::Duration;

use agent::durable::Disk;
use agent::enrolling::{EnrolError, Home, Node};
use coordinator::config::Config;
use coordinator::pki::{Authority, Bundle, Order, Register, found};
use coordinator::server::{Core, in_process};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use proto::pb;
use proto::transport::{self, Door, Limits, Security, Tls, coordinator_client};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Channel;
use tower::Service;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Passes every call on to the coordinator in this process: the end of TLS.
#[derive(Clone)]
struct Through(Channel);

impl NamedService for Through {
    const NAME: &'static str = "ratchet.v1.Coordinator";
}

impl Service<tonic::codegen::http::Request<Body>> for Through {
    type Response = tonic::codegen::http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::codegen::http::Request<Body>) -> Self::Future {
        let mut channel = self.0.clone();
        Box::pin(async move {
            futures::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
            Ok(channel.call(request).await.unwrap())
        })
    }
}

/// A coordinator with an authority of its own, behind TLS on a port of this machine.
struct Stage {
    dir: tempfile::TempDir,
    channel: Channel,
    port: u16,
}

impl Stage {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = dir.path().join("authority");
        let text = format!(
            "insecure_loopback = true\nstore = \"sqlite://{}\"\n[enrolment]\nauthority = \"{}\"\n",
            dir.path().join("ratchet.db").display(),
            authority.display()
        );
        let certificate = issued(&authority, &dir.path().join("out"));
        let config = Config::parse(&text, Path::new("ratchet.toml")).unwrap();
        let channel = in_process(Core::open(config).await.unwrap());
        let port = serve(&certificate, channel.clone()).await;
        Self { dir, channel, port }
    }

    async fn token(&self, pattern: &str, confirm: bool) -> String {
        let asked = pb::CreateTokenRequest { pattern: pattern.to_owned(), valid_seconds: 600, confirm };
        let answer = coordinator_client(self.channel.clone()).create_token(asked).await.unwrap().into_inner();
        let document: serde_json::Value = serde_json::from_str(&answer.json).unwrap();
        document["token"].as_str().unwrap().to_owned()
    }

    fn node(&self, token: &str, name: &str) -> Node {
        Node {
            coordinator: format!("localhost:{}", self.port),
            token: token.parse().unwrap(),
            name: name.parse().unwrap(),
            hosts: vec![name.to_owned()],
            home: Home::at(&self.out(name), Disk::real()),
            wait: Duration::ZERO,
        }
    }

    fn out(&self, name: &str) -> PathBuf {
        self.dir.path().join("nodes").join(name)
    }

    fn register(&self) -> Register {
        Register::read(&self.dir.path().join("authority")).unwrap()
    }
}

/// Makes an authority in a directory, and a coordinator's bundle. Gives the bundle's directory.
fn issued(authority: &Path, out: &Path) -> PathBuf {
    let now = Timestamp::now();
    found(authority, &"prod".parse().unwrap(), DAY * 30, now).unwrap();
    let mut authority = Authority::open(authority, now).unwrap();
    let order = Order {
        identity: "spiffe://prod/coordinator/ops".parse().unwrap(),
        hosts: vec!["localhost".parse().unwrap()],
        valid: DAY,
        follows: false,
    };
    let (signed, key) = authority.issue(&order, now).unwrap();
    let bundle = Bundle { signed: &signed, key: &key, out, install_dir: Path::new("/etc/ratchet/pki") };
    bundle.write(&authority, false).unwrap()
}

/// Serves with a coordinator's bundle at a real port, whatever is behind the channel.
async fn serve(bundle: &Path, channel: Channel) -> u16 {
    serve_at(Door::Coordinator, bundle, channel).await
}

async fn serve_at(door: Door, bundle: &Path, channel: Channel) -> u16 {
    let tls = Tls {
        ca: bundle.join("ca.pem"),
        cert: bundle.join("cert.pem"),
        key: bundle.join("key.pem"),
        crl: None,
        names: BTreeMap::new(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let incoming = transport::incoming_at(listener, &Security::Tls(tls), door, Limits::COORDINATOR).unwrap();
    let server = tonic::transport::Server::builder().add_service(Through(channel));
    tokio::spawn(server.serve_with_incoming(incoming.clients));
    port
}

async fn enroll(node: &Node) -> (Result<(), EnrolError>, Vec<String>) {
    let mut told = Vec::new();
    let done = node.enroll(Timestamp::now, &mut |line: &str| told.push(line.to_owned())).await;
    (done, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_token_gets_what_it_needs_and_its_key_stays_with_it() {
    let stage = Stage::new().await;
    let node = stage.node(&stage.token("db-*", false).await, "db-1");
    let (done, told) = enroll(&node).await;
    done.unwrap();
    let out = stage.out("db-1");
    let key = fs::read_to_string(out.join("key.pem")).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY"), "it is there");
    assert_eq!(fs::metadata(out.join("key.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    for name in ["ca.pem", "cert.pem", "crl.pem"] {
        assert!(fs::read_to_string(out.join(name)).unwrap().starts_with("-----BEGIN "), "{name}");
    }
    assert!(told[0].starts_with("the key of db-1 is "), "{told:?}");
    assert_eq!(stage.register().certificates[1].identity.to_string(), "spiffe://prod/agent/db-1");
    let (again, _) = enroll(&node).await;
    assert!(matches!(again, Err(EnrolError::Enrolled(_))), "{again:?}");
    assert_eq!(fs::read_to_string(out.join("key.pem")).unwrap(), key);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_not_decided_about_goes_on_with_the_same_key() {
    let stage = Stage::new().await;
    let node = stage.node(&stage.token("db-1", true).await, "db-1");
    let (first, told) = enroll(&node).await;
    assert!(matches!(first, Err(EnrolError::Waited(_))), "{first:?}");
    assert!(!stage.out("db-1").join("cert.pem").exists());
    let accept = pb::DecideEnrolmentRequest { subject: "db-1".into(), accept: true, certificate: None };
    coordinator_client(stage.channel.clone()).decide_enrolment(accept).await.unwrap();
    let (second, again) = enroll(&node).await;
    second.unwrap();
    assert_eq!(told[0], again[0], "the same key");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_is_for_one_node() {
    let stage = Stage::new().await;
    let token = stage.token("*", false).await;
    let (one, two) = (stage.node(&token, "db-1"), stage.node(&token, "db-2"));
    let ((one, _), (two, _)) = tokio::join!(enroll(&one), enroll(&two));
    assert_eq!(usize::from(one.is_ok()) + usize::from(two.is_ok()), 1, "{one:?} {two:?}");
    let lost = one.and(two).unwrap_err();
    assert!(lost.full().contains("the token"), "{}", lost.full());
    assert_eq!(stage.register().certificates.len(), 2, "the coordinator's and one node's");
}

/// Somebody with another authority stands where the coordinator should be, and passes everything on.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_in_the_middle_learns_the_secret() {
    let stage = Stage::new().await;
    let token = stage.token("db-1", false).await;
    let elsewhere = issued(&stage.dir.path().join("theirs"), &stage.dir.path().join("theirs-out"));
    let mut port = serve(&elsewhere, stage.channel.clone()).await;
    let middle = Node { coordinator: format!("localhost:{port}"), ..stage.node(&token, "db-1") };
    let (refused, _) = enroll(&middle).await;
    assert!(refused.unwrap_err().full().contains("does not show the authority"), "it says why");
    // The right authority, but an agent's certificate: stolen, and shown with the authority's behind it.
    let (now, bundle) = (Timestamp::now(), stage.dir.path().join("out"));
    let mut authority = Authority::open(&stage.dir.path().join("authority"), now).unwrap();
    let identity = "spiffe://prod/agent/stolen".parse().unwrap();
    let hosts = vec!["localhost".parse().unwrap()];
    let (signed, key) = authority.issue(&Order { identity, hosts, valid: DAY, follows: false }, now).unwrap();
    let stolen = Bundle { signed: &signed, key: &key, out: &bundle, install_dir: &bundle };
    let stolen = stolen.write(&authority, false).unwrap();
    fs::write(stolen.join("cert.pem"), format!("{}{}", signed.pem, authority.certificate())).unwrap();
    drop(authority);
    port = serve_at(Door::Agent, &stolen, stage.channel.clone()).await;
    let middle = Node { coordinator: format!("localhost:{port}"), ..stage.node(&token, "db-1") };
    let (refused, _) = enroll(&middle).await;
    let why = refused.unwrap_err().full();
    assert!(why.contains("no coordinator"), "{why}");
    // Nobody has used the token.
    enroll(&stage.node(&token, "db-1")).await.0.unwrap();
}
