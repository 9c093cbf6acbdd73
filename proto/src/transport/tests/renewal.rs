//! Certificates that change while connections are open: renewed, revoked, expired, spoiled.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tonic::transport::Channel;

use super::super::address::Address;
use super::super::connection::Connection;
use super::super::keyring::Keyring;
use super::super::reach::Goal;
use super::raw::{Fate, call, called, client, failure, serve_all};
use super::stand::{Authority, written};
use crate::transport::{Door, Limits, Tls, peer_expiries};
use crate::{Clock, Role};

const OBSERVE: &str = "/ratchet.v1.Agent/Observe";
const PATIENCE: Duration = Duration::from_secs(30);
/// So short that nobody waits for it, and so long that it is not the test that is measured.
const SOON: Duration = Duration::from_millis(20);

fn ops() -> Fate {
    Fate::Reached("spiffe://prod/coordinator/ops-1".to_owned())
}

fn copy(from: &Tls, to: &Tls) {
    for (from, to) in [(&from.cert, &to.cert), (&from.key, &to.key)] {
        fs::copy(from, to).unwrap();
    }
}

fn keyring(tls: &Tls, clock: &Clock) -> Arc<Keyring> {
    Keyring::open(tls, clock.clone(), SOON).unwrap()
}

async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let met = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, met).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// A connection over which nothing is said: whoever waits on it sees its end.
async fn reach(port: u16, keyring: &Arc<Keyring>) -> std::io::Result<Connection> {
    let address = Address::parse(&format!("localhost:{port}")).unwrap();
    Goal::new(address, Arc::clone(keyring), Role::Agent).unwrap().reach().await
}

async fn ended(mut connection: Connection) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    // As far as the gate's port is concerned this is a client.
    connection
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        .await
        .unwrap();
    let mut bytes = [0; 1024];
    let read = async {
        loop {
            match connection.read(&mut bytes).await {
                Ok(0) => return "closed by the other side".to_owned(),
                Ok(_) => {}
                Err(error) => return error.to_string(),
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("it stays open")
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart_and_open_connections_stay() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    let ops = authority.issue(dir.path(), "coordinator/ops-1", &[]);
    let port = serve_all(Some(keyring(&agent, &Clock::system())), Door::Agent, Limits::AGENT).await;
    let open = client(port, &agent, Some(&ops));
    assert_eq!(call(open.clone(), OBSERVE).await, self::ops());
    // The new one is known by another name.
    copy(&authority.issue(dir.path(), "agent/db-2", &["localhost"]), &agent);
    let dialling = keyring(&ops, &Clock::system());
    until("the new certificate is shown", async || {
        let met = reach(port, &dialling).await.unwrap();
        let identity = met.who().caller().to_string();
        identity == "spiffe://prod/agent/db-2"
    })
    .await;
    assert_eq!(call(open, OBSERVE).await, self::ops());
}

/// Whoever dials shows what is in the files by then, through a channel from before, too.
#[tokio::test]
async fn who_dials_shows_the_renewed_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    let ops = authority.issue(dir.path(), "coordinator/ops-1", &[]);
    let port = serve_all(Some(keyring(&agent, &Clock::system())), Door::Agent, Limits::AGENT).await;
    let dialling = keyring(&ops, &Clock::system());
    let address = Address::parse(&format!("localhost:{port}")).unwrap();
    let goal = Goal::new(address, dialling, Role::Agent).unwrap();
    copy(&authority.issue(dir.path(), "coordinator/ops-2", &[]), &ops);
    let channel = over(goal.reach().await.unwrap()).await;
    assert_eq!(call(channel, OBSERVE).await, Fate::Reached("spiffe://prod/coordinator/ops-2".to_owned()));
}

async fn over(connection: Connection) -> Channel {
    let only = std::sync::Mutex::new(Some(connection));
    let connector = tower::service_fn(move |_: tonic::transport::Uri| {
        let taken = only.lock().unwrap().take().map(hyper_util::rt::TokioIo::new);
        std::future::ready(taken.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected)))
    });
    let endpoint = tonic::transport::Endpoint::from_static("http://agent");
    endpoint.connect_with_connector(connector).await.unwrap()
}

#[tokio::test]
async fn files_that_cannot_be_used_are_kept_out() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    let ops = authority.issue(dir.path(), "coordinator/ops-1", &[]);
    let keyring = keyring(&agent, &Clock::system());
    let port = serve_all(Some(Arc::clone(&keyring)), Door::Agent, Limits::AGENT).await;
    let other = authority.issue(dir.path(), "agent/db-2", &["localhost"]);
    let good = [&agent.ca, &agent.cert, &agent.key].map(|file| fs::read(file).unwrap());
    let spoilt: [(&std::path::Path, Vec<u8>); 5] = [
        (&agent.cert, fs::read(&other.cert).unwrap()), // of another key
        (&agent.cert, good[1][..good[1].len() / 2].to_vec()),
        (&agent.key, Vec::new()),
        (&agent.ca, b"nothing".to_vec()),
        (&agent.cert, fs::read(authority.issue_as(dir.path(), "", &["x"], |_| {}).cert).unwrap()),
    ];
    for (file, content) in spoilt {
        fs::write(file, content).unwrap();
        keyring.look();
        assert_eq!(call(client(port, &ops, Some(&ops)), OBSERVE).await, self::ops(), "{}", file.display());
        for (file, content) in [&agent.ca, &agent.cert, &agent.key].into_iter().zip(&good) {
            fs::write(file, content).unwrap();
        }
        keyring.look();
    }
}

#[tokio::test]
async fn a_peer_that_is_revoked_is_cut_off_on_either_side() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let crl = |name: &str| Some(written(dir.path(), name, &authority.revoking(&[])));
    let agent = Tls { crl: crl("agent.crl"), ..authority.issue(dir.path(), "agent/db-1", &["localhost"]) };
    let ops = Tls { crl: crl("ops.crl"), ..authority.issue(dir.path(), "coordinator/ops-1", &[]) };
    let port = serve_all(Some(keyring(&agent, &Clock::system())), Door::Agent, Limits::AGENT).await;
    let dialling = keyring(&ops, &Clock::system());
    let (one, two) = (reach(port, &dialling).await.unwrap(), client(port, &ops, Some(&ops)));
    assert_eq!(call(two.clone(), OBSERVE).await, self::ops());
    // The agent learns that the coordinator's certificate was stolen …
    fs::write(agent.crl.as_ref().unwrap(), authority.revoking(&["spiffe://prod/coordinator/ops-1"])).unwrap();
    assert!(!ended(one).await.is_empty());
    until("the revoked one is refused", async || call(two.clone(), OBSERVE).await == Fate::Cut).await;
    let text = failure(called(client(port, &ops, Some(&ops)), OBSERVE, Default::default()).await);
    assert!(text.cause.unwrap().contains("CertificateRevoked"));
    // … and takes it back; then the coordinator learns the same of the agent.
    fs::write(agent.crl.as_ref().unwrap(), authority.revoking(&[])).unwrap();
    until("it is accepted again", async || call(two.clone(), OBSERVE).await == self::ops()).await;
    let three = reach(port, &dialling).await.unwrap();
    fs::write(ops.crl.as_ref().unwrap(), authority.revoking(&["spiffe://prod/agent/db-1"])).unwrap();
    assert!(ended(three).await.contains("was revoked"));
    let text = reach(port, &dialling).await.unwrap_err().to_string();
    assert!(text.contains("revoked") && text.contains("ops.crl"), "{text}");
}

/// Of an authority without a list nobody can tell.
#[tokio::test]
async fn a_list_of_another_authority_lets_nobody_in() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let crl = Some(written(dir.path(), "crl.pem", &theirs.revoking(&[])));
    let agent = ours.issue(dir.path(), "agent/db-1", &["localhost"]);
    let port = serve_all(Some(keyring(&agent, &Clock::system())), Door::Agent, Limits::AGENT).await;
    let ops = Tls { crl, ..ours.issue(dir.path(), "coordinator/ops-1", &[]) };
    let text = reach(port, &keyring(&ops, &Clock::system())).await.unwrap_err().to_string();
    assert!(text.contains("no list of its authority") && text.contains("crl.pem"), "{text}");
}

#[tokio::test]
async fn an_authority_that_is_not_accepted_any_more_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (Authority::new(), Authority::new());
    let agent = old.issue(dir.path(), "agent/db-1", &["localhost"]);
    let ops = old.issue(dir.path(), "coordinator/ops-1", &[]);
    let keyring_of_agent = keyring(&agent, &Clock::system());
    let port = serve_all(Some(keyring_of_agent), Door::Agent, Limits::AGENT).await;
    let connection = reach(port, &keyring(&ops, &Clock::system())).await.unwrap();
    let next = new.issue(dir.path(), "agent/db-1", &["localhost"]);
    // Both at first, so that nothing is cut in between; then the new one alone.
    fs::write(&agent.ca, [fs::read(&agent.ca).unwrap(), fs::read(&next.ca).unwrap()].concat()).unwrap();
    copy(&next, &agent);
    let both = client(port, &next, Some(&new.issue(dir.path(), "coordinator/ops-1", &[])));
    until("the new authority is accepted", async || call(both.clone(), OBSERVE).await == self::ops()).await;
    fs::copy(&next.ca, &agent.ca).unwrap();
    assert!(!ended(connection).await.is_empty());
    assert_eq!(call(both, OBSERVE).await, self::ops());
}

/// A clock that is set, for the one who looks at certificates.
fn clock() -> (Arc<AtomicI64>, Clock) {
    let at = Arc::new(AtomicI64::new(Timestamp::now().as_second()));
    let shown = Arc::clone(&at);
    let clock = Clock::from_fn(Arc::new(move || {
        Timestamp::from_second(shown.load(Ordering::SeqCst)).unwrap_or_default()
    }));
    (at, clock)
}

#[tokio::test]
async fn an_open_connection_ends_with_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    let ops = authority.issue_as(dir.path(), "spiffe://prod/coordinator/ops-1", &[], |params| {
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    });
    let (at, clock) = clock();
    // Looks at the files too seldom for this test: each request is looked at by itself.
    let keyring_of_agent = Keyring::open(&agent, clock.clone(), Duration::from_secs(3600)).unwrap();
    let port = serve_all(Some(Arc::clone(&keyring_of_agent)), Door::Agent, Limits::AGENT).await;
    let open = client(port, &agent, Some(&ops));
    assert_eq!(call(open.clone(), OBSERVE).await, self::ops());
    let silent = reach(port, &keyring(&ops, &Clock::system())).await.unwrap();
    at.store("2040-01-02T00:00:00Z".parse::<Timestamp>().unwrap().as_second(), Ordering::SeqCst);
    let refused = failure(called(open.clone(), OBSERVE, Default::default()).await);
    assert_eq!(refused.id, "certificate-expired");
    assert!(refused.remedy.unwrap().contains("ratchet pki renew"));
    keyring_of_agent.look();
    assert!(!ended(silent).await.is_empty());
}

/// From either side: which certificate it is, since when, and what to do.
#[tokio::test]
async fn an_expired_certificate_is_told_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (at, clock) = clock();
    let agent = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    let brief = |params: &mut rcgen::CertificateParams| params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    let ops = authority.issue_as(dir.path(), "spiffe://prod/coordinator/ops-1", &[], brief);
    at.store("2040-01-02T00:00:00Z".parse::<Timestamp>().unwrap().as_second(), Ordering::SeqCst);
    let port = serve_all(Some(keyring(&agent, &clock)), Door::Agent, Limits::AGENT).await;
    // The dialling side's clock goes another way: it learns it from the other side only.
    let connection = reach(port, &keyring(&ops, &Clock::system())).await.unwrap();
    let text = ended(connection).await;
    assert!(text.contains(ops.cert.to_str().unwrap()) && text.contains("2040-01-01"), "{text}");
    assert!(text.contains("ratchet pki renew"), "{text}");
    // It has a good clock: it does not even try.
    let (late, clock) = self::clock();
    let dialling = Keyring::open(&ops, clock, SOON).unwrap();
    late.store("2041-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_second(), Ordering::SeqCst);
    let text = reach(port, &dialling).await.unwrap_err().to_string();
    assert!(text.contains("expired at 2040-01-01") && text.contains("[tls] cert"), "{text}");
    // The other side's has expired.
    let old = authority.issue_as(dir.path(), "spiffe://prod/agent/old", &["localhost"], brief);
    let port = serve_all(Some(keyring(&old, &Clock::system())), Door::Agent, Limits::AGENT).await;
    let fresh = authority.issue(dir.path(), "coordinator/ops-2", &[]);
    let dialling = Keyring::open(&fresh, Clock::system(), SOON).unwrap();
    reach(port, &dialling).await.unwrap();
    let (late, clock) = self::clock();
    let dialling = Keyring::open(&fresh, clock, SOON).unwrap();
    late.store("2041-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_second(), Ordering::SeqCst);
    let text = reach(port, &dialling).await.unwrap_err().to_string();
    assert!(text.contains("other side has expired") && text.contains("ratchet pki renew"), "{text}");
}

#[tokio::test]
async fn who_is_connected_and_until_when_can_be_told() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    let ops = authority.issue(dir.path(), "coordinator/ops-1", &[]);
    let port = serve_all(Some(Keyring::of(&agent).unwrap()), Door::Agent, Limits::AGENT).await;
    let security = crate::transport::Security::Tls(ops.clone());
    assert_eq!(peer_expiries(&security), []);
    let connection = reach(port, &Keyring::of(&ops).unwrap()).await.unwrap();
    let told = peer_expiries(&security);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].reached, format!("localhost:{port}"));
    assert_eq!(told[0].identity.to_string(), "spiffe://prod/agent/db-1");
    assert!(told[0].until > Timestamp::now());
    drop(connection);
    assert_eq!(peer_expiries(&security), []);
}

/// Certificates without an identity, of an authority that can do no better.
#[tokio::test]
async fn a_name_in_the_configuration_stands_for_an_identity() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let names: std::collections::BTreeMap<_, _> = [
        ("localhost".to_owned(), "spiffe://prod/agent/db-1".parse().unwrap()),
        ("ops-1.internal".to_owned(), "spiffe://prod/coordinator/ops-1".parse().unwrap()),
    ]
    .into();
    let plain = |host: &str| {
        let tls = authority.issue_as(dir.path(), "", &[host], |_| {});
        Tls { names: names.clone(), ..tls }
    };
    let (agent, ops, other) = (plain("localhost"), plain("ops-1.internal"), plain("ops-2.internal"));
    let port = serve_all(Some(Keyring::of(&agent).unwrap()), Door::Agent, Limits::AGENT).await;
    assert_eq!(call(client(port, &agent, Some(&ops)), OBSERVE).await, self::ops());
    let refused = failure(called(client(port, &agent, Some(&other)), OBSERVE, Default::default()).await);
    assert!(refused.cause.unwrap().contains("ops-2.internal"));
    reach(port, &Keyring::of(&ops).unwrap()).await.unwrap();
}
