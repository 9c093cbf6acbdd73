//! Somebody has an agent's key and certificate. What they can do is what that one agent can.

use std::time::Duration;

use super::super::keyring::Keyring;
use super::raw::{Fate, call, client, serve_all};
use super::stand::Authority;
use crate::access::TABLE;
use crate::transport::{
    Arrived, Door, Hello, Incoming, Limits, Security, Timeouts, Tls, TransportError, dial, incoming, offer,
};
use crate::{Failure, Role};

const PATIENCE: Duration = Duration::from_secs(30);

struct Fleet {
    dir: tempfile::TempDir,
    authority: Authority,
    stolen: Tls,
}

fn fleet() -> Fleet {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let stolen = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    Fleet { dir, authority, stolen }
}

#[tokio::test]
async fn it_commands_no_other_agent() {
    let Fleet { dir, authority, stolen } = fleet();
    let other = authority.issue(dir.path(), "agent/db-2", &["localhost"]);
    let port = serve_all(Some(Keyring::of(&other).unwrap()), Door::Agent, Limits::AGENT).await;
    let calls: Vec<_> = TABLE.iter().filter(|row| row.call.starts_with("/ratchet.v1.Agent/")).collect();
    assert!(calls.len() >= 10);
    for row in calls {
        let said = call(client(port, &stolen, Some(&stolen)), row.call).await;
        assert_eq!(said, Fate::Denied("not-allowed".to_owned()), "{}", row.call);
    }
    // Nor does the program itself let it try.
    let own = dial("localhost:1", Role::Agent, &Security::Tls(stolen), Timeouts::default());
    assert!(matches!(own.map(drop), Err(TransportError::Tls(_))));
}

/// Runs, journals, reports, the fleet: nothing of it is for agents.
#[tokio::test]
async fn it_reads_and_changes_nothing_at_the_coordinator() {
    let Fleet { dir, authority, stolen } = fleet();
    let coordinator = authority.issue(dir.path(), "coordinator/ops-1", &["localhost"]);
    let keyring = Keyring::of(&coordinator).unwrap();
    let port = serve_all(Some(keyring), Door::Coordinator, Limits::COORDINATOR).await;
    let own = ["/ratchet.v1.Coordinator/Enrol", "/ratchet.v1.Coordinator/RenewCertificate"];
    for row in TABLE.iter().filter(|row| row.call.starts_with("/ratchet.v1.Coordinator/")) {
        let said = call(client(port, &stolen, Some(&stolen)), row.call).await;
        match own.contains(&row.call) {
            true => assert_eq!(said, Fate::Reached("spiffe://prod/agent/db-1".to_owned()), "{}", row.call),
            false => assert_eq!(said, Fate::Denied("not-allowed".to_owned()), "{}", row.call),
        }
    }
}

/// Who poses as a coordinator, so that agents dial or are dialled by them, is believed by nobody.
#[tokio::test]
async fn it_is_no_coordinator_to_those_who_dial() {
    let Fleet { dir, authority, stolen } = fleet();
    // With the agent's door: a coordinator's own program would refuse to open its door with it.
    let port = serve_all(Some(Keyring::of(&stolen).unwrap()), Door::Agent, Limits::AGENT).await;
    let victim = authority.issue(dir.path(), "agent/db-2", &[]);
    let address = format!("localhost:{port}");
    let offered = offer(&address, &Security::Tls(victim), &hello("db-2"), PATIENCE).await;
    let text = crate_chain(&offered.unwrap_err());
    assert!(text.contains("spiffe://prod/agent/db-1") && text.contains("coordinator"), "{text}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    incoming(listener, &Security::Tls(stolen)).unwrap_err();
}

fn crate_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(error) = below {
        text = format!("{text}: {error}");
        below = error.source();
    }
    text
}

fn hello(name: &str) -> Hello {
    Hello { name: name.parse().unwrap(), memory: "m1".parse().unwrap(), version: "0.1.0".to_owned() }
}

async fn arrived(fleet: &Fleet, tls: &Tls, name: &str) -> Result<(), Failure> {
    let coordinator = fleet.authority.issue(fleet.dir.path(), "coordinator/ops-1", &["localhost"]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let Incoming { clients: _clients, mut agents } = incoming(listener, &Security::Tls(coordinator)).unwrap();
    let (security, said) = (Security::Tls(tls.clone()), hello(name));
    let offering = tokio::spawn(async move { offer(&address, &security, &said, PATIENCE).await });
    let arrived: Arrived = tokio::time::timeout(PATIENCE, agents.recv()).await.unwrap().unwrap();
    offering.abort();
    arrived.is_who_it_says()
}

#[tokio::test]
async fn it_arrives_under_its_own_name_only() {
    let fleet = fleet();
    arrived(&fleet, &fleet.stolen, "db-1").await.unwrap();
    let failure = arrived(&fleet, &fleet.stolen, "db-2").await.unwrap_err();
    assert_eq!(failure.id, "wrong-name");
    assert!(failure.cause.unwrap().contains("spiffe://prod/agent/db-1"));
}
