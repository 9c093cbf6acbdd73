//! Agents that dial: who is let in, what strangers and the slow cost, and that a storm of them passes.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Channel;

use super::super::incoming::{Opening, open};
use super::super::keyring::Keyring;
use super::stand::{Authority, StandIn, ask, large_facts, observe};
use crate::Failure;
use crate::transport::{
    Arrived, Door, Gone, Hello, Incoming, Limits, OfferError, Security, Timeouts, Unwelcome, agent_server,
    offer, plain_server_builder,
};

const PATIENCE: Duration = Duration::from_secs(30);

fn hello(name: &str, memory: &str) -> Hello {
    Hello { name: name.parse().unwrap(), memory: memory.parse().unwrap(), version: "0.1.0".to_owned() }
}

/// A coordinator's port. Its clients reach a stand-in, so that it can be seen that they reach something.
async fn port(security: &Security) -> (String, tokio::sync::mpsc::Receiver<Arrived>) {
    port_within(security, PATIENCE).await
}

async fn port_within(
    security: &Security,
    greeting: Duration,
) -> (String, tokio::sync::mpsc::Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let keyring = match security {
        Security::InsecureLoopback => None,
        Security::Tls(tls) => Some(Keyring::of(tls).unwrap()),
    };
    let opening = Opening { greeting, ..Opening::of(Door::Coordinator, Limits::COORDINATOR) };
    let Incoming { clients, agents } = open(listener, keyring, opening).unwrap();
    let server = plain_server_builder(Timeouts::default()).add_service(agent_server(StandIn));
    tokio::spawn(server.serve_with_incoming(clients));
    (address, agents)
}

/// An agent that dials, and serves until its connection is gone.
async fn dialling(address: &str, security: &Security, hello: Hello) -> Result<(), OfferError> {
    let mut connection = offer(address, security, &hello, PATIENCE).await?;
    let gone = connection.gone();
    let only = tokio_stream::StreamExt::chain(
        tokio_stream::once(Ok::<_, std::io::Error>(connection)),
        tokio_stream::pending(),
    );
    let server = plain_server_builder(Timeouts::default()).add_service(agent_server(StandIn));
    server.serve_with_incoming_shutdown(only, gone.wait()).await.unwrap();
    Ok(())
}

async fn let_in(agents: &mut tokio::sync::mpsc::Receiver<Arrived>) -> (Hello, Channel, Gone) {
    let arrived = tokio::time::timeout(PATIENCE, agents.recv()).await.unwrap().unwrap();
    let hello = arrived.hello.clone();
    let (channel, gone) = arrived.welcome(Timeouts::default()).await.unwrap();
    (hello, channel, gone)
}

#[tokio::test]
async fn an_agent_that_dials_is_asked_over_its_own_connection() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let coordinator = Security::Tls(authority.issue(dir.path(), "coordinator/ops-1", &["localhost"]));
    let agent = Security::Tls(authority.issue(dir.path(), "agent/db-1", &[]));
    for (ours, theirs) in [(&coordinator, &agent), (&Security::InsecureLoopback, &Security::InsecureLoopback)]
    {
        let (address, mut agents) = port(ours).await;
        let (to, security) = (address.clone(), theirs.clone());
        let served = tokio::spawn(async move { dialling(&to, &security, hello("db-1", "m1")).await });
        let (said, channel, gone) = let_in(&mut agents).await;
        assert_eq!(said, hello("db-1", "m1"));
        assert_eq!(observe(channel.clone()).await, Ok(large_facts()));
        drop(channel);
        tokio::time::timeout(PATIENCE, gone.wait()).await.unwrap();
        tokio::time::timeout(PATIENCE, served).await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_lost_agent_is_noticed_and_its_channel_never_dials() {
    let (address, mut agents) = port(&Security::InsecureLoopback).await;
    let agent = tokio::spawn(async move {
        offer(&address, &Security::InsecureLoopback, &hello("db-1", "m1"), PATIENCE).await.unwrap()
    });
    let (_, channel, gone) = let_in(&mut agents).await;
    drop(agent.await.unwrap());
    tokio::time::timeout(PATIENCE, gone.wait()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(observe(channel.clone()).await.unwrap_err().id, crate::wire::UNREACHABLE);
    }
}

#[tokio::test]
async fn a_refused_agent_is_told_why_and_where_to_go() {
    let (address, mut agents) = port(&Security::InsecureLoopback).await;
    let offered = tokio::spawn(async move {
        offer(&address, &Security::InsecureLoopback, &hello("db-1", "m1"), PATIENCE).await
    });
    let failure = Failure::retry("not-leader", "another coordinator leads").because("x".repeat(10_000));
    let leader = Some("10.0.0.2:7444".to_owned());
    let arrived = agents.recv().await.unwrap();
    arrived.refuse(&Unwelcome { failure, leader: leader.clone() }).await.unwrap();
    match offered.await.unwrap() {
        Err(OfferError::Refused(why)) => {
            assert_eq!((why.failure.id.as_str(), why.leader), ("not-leader", leader));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_agent_of_another_authority_is_let_in_and_none_goes_to_another() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let coordinator = ours.issue(dir.path(), "coordinator/ops-1", &["localhost"]);
    let (address, mut agents) = port(&Security::Tls(coordinator.clone())).await;
    let stranger = theirs.issue(dir.path(), "agent/db-1", &[]);
    let trusting = crate::transport::Tls { ca: coordinator.ca.clone(), ..stranger.clone() };
    for security in [Security::Tls(stranger), Security::Tls(trusting), Security::InsecureLoopback] {
        let refused = offer(&address, &security, &hello("db-1", "m1"), PATIENCE).await;
        assert!(matches!(refused, Err(OfferError::Unreachable(_))), "{refused:?}");
    }
    assert!(agents.try_recv().is_err(), "nobody got as far as a name");
    let elsewhere = Security::Tls(ours.issue(dir.path(), "coordinator/other", &["elsewhere"]));
    let (address, _agents) = port(&elsewhere).await;
    let agent = Security::Tls(ours.issue(dir.path(), "agent/db-1", &[]));
    let refused = offer(&address, &agent, &hello("db-1", "m1"), PATIENCE).await;
    assert!(matches!(refused, Err(OfferError::Unreachable(_))), "the name is looked at: {refused:?}");
}

/// Whatever is sent, the port goes on serving, and the one who sent it is cut off.
#[tokio::test]
async fn garbage_is_cut_off() {
    let (address, mut agents) = port(&Security::InsecureLoopback).await;
    let name = r#"{"name":"db-1","memory":"m1","version":"1"}"#;
    let cases: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"RATCHET-AGENT/2 {}\n".to_vec(),
        b"RATCHET-AGENT/1 {}\n".to_vec(),
        b"RATCHET-AGENT/1 \xff\xfe\n".to_vec(),
        br#"RATCHET-AGENT/1 {"name":"../x","memory":"m1","version":"1"}"#.iter().chain(b"\n").copied().collect(),
        format!("RATCHET-AGENT/1 {}\n", name.replace(":\"1\"", &format!(":\"{}\"", "v".repeat(65)))).into_bytes(),
        format!("RATCHET-AGENT/1 {name}\nPRI * HTTP/2.0").into_bytes(),
        [b"RATCHET-AGENT/1 ".to_vec(), vec![b'['; 100_000]].concat(),
        vec![0; 64],
    ];
    for bytes in cases {
        let mut stream = TcpStream::connect(address.replace("localhost", "127.0.0.1")).await.unwrap();
        let _sent = stream.write_all(&bytes).await;
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "kept open: {}", String::from_utf8_lossy(&bytes));
        assert_eq!(answer, b"", "{}", String::from_utf8_lossy(&bytes));
    }
    assert!(agents.try_recv().is_err(), "none of them is an agent");
    assert_eq!(ask(&address, &Security::InsecureLoopback).await, Ok(large_facts()));
}

/// Byte by byte is slow, but it is the same line.
#[tokio::test]
async fn a_line_may_come_in_pieces() {
    let (address, mut agents) = port(&Security::InsecureLoopback).await;
    let mut stream = TcpStream::connect(address.replace("localhost", "127.0.0.1")).await.unwrap();
    for byte in b"RATCHET-AGENT/1 {\"name\":\"db-1\",\"memory\":\"m1\",\"version\":\"1\"}\n" {
        stream.write_all(&[*byte]).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert_eq!(agents.recv().await.unwrap().hello.name.as_str(), "db-1");
}

/// Who says nothing is closed by the clock, and keeps nobody else out meanwhile.
#[tokio::test]
async fn the_silent_are_closed() {
    let (address, _agents) = port_within(&Security::InsecureLoopback, Duration::from_millis(500)).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address.replace("localhost", "127.0.0.1")).await.unwrap());
    }
    assert_eq!(ask(&address, &Security::InsecureLoopback).await, Ok(large_facts()));
    for mut stream in silent {
        let mut byte = [0];
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await.expect("never closed");
        assert!(matches!(read, Ok(0) | Err(_)));
    }
}

/// Several hundred at once, with TLS: all are in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_agents_passes() {
    const AGENTS: usize = 300;
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let coordinator = Security::Tls(authority.issue(dir.path(), "coordinator/ops-1", &["localhost"]));
    let agent = Security::Tls(authority.issue(dir.path(), "agent/db", &[]));
    let (address, mut agents) = port(&coordinator).await;
    for number in 0..AGENTS {
        let (address, agent) = (address.clone(), agent.clone());
        tokio::spawn(async move { dialling(&address, &agent, hello(&format!("db-{number}"), "m1")).await });
    }
    let mut names = std::collections::BTreeSet::new();
    let mut channels = Vec::new();
    while names.len() < AGENTS {
        let (hello, channel, _) = let_in(&mut agents).await;
        names.insert(hello.name);
        channels.push(channel);
    }
    assert_eq!(observe(channels.remove(AGENTS / 2)).await, Ok(large_facts()));
}
