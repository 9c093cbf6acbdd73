//! An upgrade while strangers hold as many half-open connections to every agent as its port takes, and more.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::net::SocketAddr;

use common::{TO, installs, only_run, ratchet, set, small, upgrade, versions};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// More than an agent's port has places for greetings.
const STRANGERS: usize = 300;

/// Connects, says nothing, and comes again whenever it is sent away.
async fn stranger(agent: SocketAddr) {
    loop {
        let Ok(mut silent) = TcpStream::connect(agent).await else { continue };
        let _sent_away = silent.read(&mut [0]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_strangers_at_every_agent_delays_no_upgrade() {
    let mut spec = small();
    spec.mutual_tls = true;
    let stage = set(spec).await;
    let mut flood = JoinSet::new();
    for agent in stage.nodes().filter_map(|uid| stage.agent_address(uid)) {
        (0..STRANGERS).for_each(|_| drop(flood.spawn(stranger(agent))));
    }
    let said = tokio::task::block_in_place(|| upgrade(&stage));
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(flood.len(), 3 * STRANGERS, "they were there to the end");
    flood.abort_all();
    assert_eq!((versions(&stage), installs(&stage)), (vec![TO.to_owned(); 3], vec![1; 3]));
    let shown = ratchet(&stage, &["-o", "json", "show", &only_run(&stage), "--events"]).json();
    let events = shown["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["kind"] == "witnessed"), "the events have kinds: {events:?}");
    let again: Vec<_> = events.iter().filter(|event| event["kind"] == "retrying").collect();
    assert!(again.is_empty(), "nobody was out of reach: {again:?}");
}
