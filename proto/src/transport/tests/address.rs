//! Plain never leaves the machine, and addresses are what they look like.

use crate::Role;
use crate::transport::address::Address;
use crate::transport::{Security, Timeouts, Tls, check_listen, dial};

fn tls_from_nowhere() -> Security {
    Security::Tls(Tls {
        ca: "/nowhere/ca".into(),
        cert: "/nowhere/cert".into(),
        key: "/nowhere/key".into(),
        crl: None,
        names: Default::default(),
    })
}

#[test]
fn a_plain_listener_is_for_loopback_only() {
    for good in ["127.0.0.1:0", "127.8.8.8:7443", "[::1]:7443", "[::ffff:127.0.0.1]:7443"] {
        check_listen(good.parse().unwrap(), &Security::InsecureLoopback).unwrap();
    }
    for bad in ["0.0.0.0:7443", "[::]:7443", "10.0.0.1:7443", "[fd00::1]:7443", "[::ffff:10.0.0.1]:7443"] {
        let error = check_listen(bad.parse().unwrap(), &Security::InsecureLoopback).unwrap_err().to_string();
        assert!(error.contains("insecure_loopback") && error.contains("[tls]"), "{error}");
        check_listen(bad.parse().unwrap(), &tls_from_nowhere()).unwrap();
    }
}

#[tokio::test]
async fn plain_is_dialled_on_loopback_only() {
    let plain = |address| dial(address, Role::Agent, &Security::InsecureLoopback, Timeouts::default());
    for good in ["127.0.0.1:7443", "localhost:7443", "LOCALHOST:1", "[::1]:7443"] {
        plain(good).unwrap();
    }
    for bad in [
        "10.0.0.1:7443",
        "localhost.evil.example:7443",
        "127.0.0.1.example:7443",
        "[fd00::1]:7443",
        "0.0.0.0:1",
    ] {
        let error = plain(bad).unwrap_err().to_string();
        assert!(
            error.contains(bad) && error.contains("insecure_loopback") && error.contains("[tls]"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused_with_the_reason() {
    let bad = [
        "",
        ":",
        "localhost",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:+7443",
        "localhost:07443",
        ":7443",
        "http://localhost:7443",
        "a b:1",
        "user@localhost:7443",
        "localhost/x:7443",
        "::1:7443",
        "[::1:7443",
        "[localhost]:7443",
        "[]:1",
        "localhost:7443/x",
        "é:1",
    ];
    for address in bad {
        let error = dial(address, Role::Agent, &Security::InsecureLoopback, Timeouts::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("`{address}` is not an address")), "{address}: {error}");
        assert!(error.contains("HOST:PORT"), "{error}");
    }
}

#[test]
fn the_server_name_has_no_brackets() {
    let address = Address::parse("[fd00::1]:7443").unwrap();
    assert_eq!((address.host.as_str(), address.port), ("fd00::1", 7443));
    assert_eq!(address.authority(), "[fd00::1]:7443");
    assert_eq!(Address::parse("redis-1.internal:7443").unwrap().authority(), "redis-1.internal:7443");
}
