//! Servers come up, can be broken, and leave nothing behind.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use pg::{Pair, Server};

#[tokio::test]
async fn what_a_pair_has_acknowledged_is_on_the_promoted_standby() {
    if !pg::available("what_a_pair_has_acknowledged_is_on_the_promoted_standby") {
        return;
    }
    let mut pair = Pair::start().await.unwrap();
    pair.create("fleet").unwrap();
    pair.primary().sql("fleet", "CREATE TABLE told (word TEXT); INSERT INTO told VALUES ('kept')").unwrap();
    assert!(
        pair.standby().sql("fleet", "INSERT INTO told VALUES ('no')").is_err(),
        "a standby takes no writes"
    );
    pair.kill_primary();
    assert!(pair.primary().sql("fleet", "SELECT 1").is_err());
    pair.promote_standby().unwrap();
    pair.standby().sql("fleet", "UPDATE told SET word = 'kept and changed'").unwrap();
}

#[tokio::test]
async fn a_frozen_server_goes_on_and_a_dropped_one_is_gone() {
    if !pg::available("a_frozen_server_goes_on_and_a_dropped_one_is_gone") {
        return;
    }
    let server = Server::start_with_tls().await.unwrap();
    server.pause();
    server.resume();
    server.create("fleet").unwrap();
    let (port, place) = (server.port(), server.socket().to_owned());
    drop(server);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!place.exists());
}
