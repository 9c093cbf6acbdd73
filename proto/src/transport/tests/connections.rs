//! Who gets through and who does not.

use std::error::Error;
use std::time::Duration;

use super::stand::{Authority, StandIn, ask, large_facts, large_failure, observe, serve};
use crate::transport::{
    Security, Timeouts, agent_client, agent_server, dial, in_process, plain_server_builder,
};
use crate::wire::{UNREACHABLE, failure_of};
use crate::{FailureKind, Role, pb};

#[tokio::test]
async fn both_sides_of_one_authority_talk_by_name_and_by_address() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = Security::Tls(authority.issue(dir.path(), "agent/db-1", &["localhost", "127.0.0.1"]));
    let coordinator = Security::Tls(authority.issue(dir.path(), "coordinator/ops-1", &["coordinator"]));
    let port = serve(&agent).await.port();
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(ask(&format!("{host}:{port}"), &coordinator).await, Ok(large_facts()));
    }
}

/// Neither side accepts the other; what the caller sees is that nobody answered.
#[tokio::test]
async fn another_authority_is_refused_by_either_side() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let agent = ours.issue(dir.path(), "agent/db-1", &["localhost"]);
    let stranger = theirs.issue(dir.path(), "coordinator/stranger", &["localhost"]);
    let address = format!("localhost:{}", serve(&Security::Tls(agent.clone())).await.port());
    // The stranger does not trust the agent; then it does, but the agent does not trust the stranger.
    let trusting = crate::transport::Tls { ca: agent.ca, ..stranger.clone() };
    for tls in [stranger, trusting] {
        let failure = ask(&address, &Security::Tls(tls)).await.unwrap_err();
        assert_eq!((failure.kind, failure.id.as_str()), (FailureKind::Retry, UNREACHABLE), "{failure:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = Security::Tls(authority.issue(dir.path(), "agent/db-1", &["redis-1.internal"]));
    let coordinator = Security::Tls(authority.issue(dir.path(), "coordinator/ops-1", &[]));
    let address = format!("localhost:{}", serve(&agent).await.port());
    let failure = ask(&address, &coordinator).await.unwrap_err();
    assert_eq!(failure.id, UNREACHABLE);
    assert!(failure.cause.unwrap().contains("certificate"));
}

#[tokio::test]
async fn plain_and_tls_do_not_mix() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = Security::Tls(authority.issue(dir.path(), "agent/db-1", &["localhost"]));
    let tls = Security::Tls(authority.issue(dir.path(), "coordinator/ops-1", &[]));
    let plain = Security::InsecureLoopback;
    let (behind_tls, in_plain) = (serve(&agent).await.port(), serve(&plain).await.port());
    assert_eq!(ask(&format!("localhost:{in_plain}"), &plain).await, Ok(large_facts()));
    for (port, security) in [(behind_tls, &plain), (in_plain, &tls)] {
        let failure = ask(&format!("localhost:{port}"), security).await.unwrap_err();
        assert_eq!((failure.kind, failure.id.as_str()), (FailureKind::Retry, UNREACHABLE), "{failure:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_with_the_cause() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let failure = ask(&address, &Security::InsecureLoopback).await.unwrap_err();
    assert_eq!((failure.kind, failure.id.as_str()), (FailureKind::Retry, UNREACHABLE));
    assert!(failure.cause.unwrap().contains("refused"));
}

/// Somebody accepts and never says a word: the wait ends by itself (promise P12).
#[tokio::test]
async fn a_peer_that_swallows_everything_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let short = Duration::from_millis(50);
    let timeouts = Timeouts { keepalive_interval: short, keepalive_timeout: short, ..Timeouts::default() };
    let channel = dial(&address, Role::Agent, &Security::InsecureLoopback, timeouts).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(20), observe(channel)).await;
    let failure = answer.expect("the wait has no end").unwrap_err();
    assert_eq!((failure.kind, failure.id.as_str()), (FailureKind::Retry, UNREACHABLE), "{failure:?}");
    drop(listener);
}

#[tokio::test]
async fn a_large_failure_survives_the_trailers() {
    let address = serve(&Security::InsecureLoopback).await.to_string();
    let channel = dial(&address, Role::Agent, &Security::InsecureLoopback, Timeouts::default()).unwrap();
    let status = agent_client(channel).claim(pb::ClaimRequest::default()).await.unwrap_err();
    assert!(status.source().is_none());
    let failure = failure_of(status);
    assert_eq!((failure.kind, failure.id.as_str()), (FailureKind::Operator, "held"));
    assert_eq!(failure.program.unwrap().tail.last(), large_failure().program.unwrap().tail.last());
}

#[tokio::test]
async fn in_process_is_the_same_without_a_socket() {
    let (channel, incoming) = in_process();
    let router = plain_server_builder(Timeouts::default()).add_service(agent_server(StandIn));
    let server = tokio::spawn(router.serve_with_incoming(incoming));
    assert_eq!(observe(channel.clone()).await, Ok(large_facts()));
    drop(channel);
    // The server ends when nobody can call it any more.
    server.await.unwrap().unwrap();
}
