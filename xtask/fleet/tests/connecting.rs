//! Agents that open the connection themselves: they say who they are, are asked over that connection, and come back.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::collections::BTreeSet;

use fleet::{Fleet, FleetSpec};
use proto::transport::agent_client;
use proto::wire::Observe;
use proto::{NodeFacts, NodeUid, pb};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// An agent's first line.
async fn hello(stream: &mut TcpStream) -> Value {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    serde_json::from_str(line.strip_prefix("RATCHET-AGENT/1 ").unwrap()).unwrap()
}

async fn facts(stream: TcpStream) -> NodeFacts {
    let mut once = Some(stream);
    let connector = tower::service_fn(move |_: tonic::transport::Uri| {
        let stream = once.take();
        let gone = || std::io::Error::from(std::io::ErrorKind::NotConnected);
        async move { stream.map(hyper_util::rt::TokioIo::new).ok_or_else(gone) }
    });
    let endpoint = tonic::transport::Endpoint::from_static("http://agent");
    let channel = endpoint.connect_with_connector(connector).await.unwrap();
    let request = pb::ObserveRequest::from(&Observe::default());
    agent_client(channel).observe(request).await.unwrap().into_inner().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_agent_says_who_it_is_is_asked_and_comes_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut fleet = Fleet::made(&FleetSpec::new(1, 3));
    fleet.connect(&[listener.local_addr().unwrap().to_string()]);
    for round in 0..2 {
        let mut seen = BTreeSet::new();
        while seen.len() < 3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let hello = hello(&mut stream).await;
            stream.write_all(b"OK\n").await.unwrap();
            let name = hello["name"].as_str().unwrap().to_owned();
            let facts = facts(stream).await;
            assert_eq!(hello["memory"], facts.memory.as_str(), "round {round}");
            let uid: u32 = name.strip_prefix("c0000-n").unwrap().parse().unwrap();
            assert_eq!(facts.node_uid.known(), Some(&NodeUid(uid)));
            seen.insert(name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_sent_away_tries_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut fleet = Fleet::made(&FleetSpec::new(1, 1));
    fleet.connect(&[listener.local_addr().unwrap().to_string()]);
    for _ in 0..3 {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(hello(&mut stream).await["name"], "c0000-n1");
        stream.write_all(b"NO {\"failure\":{}}\n").await.unwrap();
    }
}
