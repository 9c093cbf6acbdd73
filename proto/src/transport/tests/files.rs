//! Certificate files that cannot be used: what, why and what to do, all at once.

use std::fs;

use super::stand::Authority;
use crate::transport::{Security, Timeouts, Tls, TransportError, dial, server_builder};

#[test]
fn every_mistake_is_told_with_file_reason_and_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let tls = Tls {
        ca: dir.path().join("missing.pem"),
        cert: dir.path().join("garbled.pem"),
        key: dir.path().join("wrong.pem"),
        crl: None,
        names: Default::default(),
    };
    fs::write(&tls.cert, "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n").unwrap();
    fs::write(&tls.key, "no key here\n").unwrap();
    let error = tls.check().unwrap_err();
    let keys: Vec<_> = error.mistakes.iter().map(|mistake| mistake.key).collect();
    assert_eq!(keys, ["ca", "cert", "key"]);
    let text = error.to_string();
    for file in [&tls.ca, &tls.cert, &tls.key] {
        assert!(text.contains(file.to_str().unwrap()), "{text}");
    }
    assert!(text.contains("`[tls] ca`") && text.contains("No such file"), "{text}");
    assert!(text.contains("it is not PEM"), "{text}");
    assert!(text.contains("no private key in it") && text.contains("BEGIN PRIVATE KEY"), "{text}");
    let error = server_builder(&Security::Tls(tls)).unwrap_err();
    assert!(matches!(error, TransportError::Tls(_)));
}

#[test]
fn a_truncated_or_empty_key_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let good = Authority::new().issue(dir.path(), "a", &["localhost"]);
    let whole = fs::read_to_string(&good.key).unwrap();
    for content in ["", &whole[..whole.len() / 2], "\0\u{fffd}"] {
        fs::write(&good.key, content).unwrap();
        let error = good.check().unwrap_err();
        assert_eq!(error.mistakes.len(), 1, "{content:?}: {error}");
        assert_eq!(error.mistakes[0].key, "key");
    }
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_by_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let a = authority.issue(dir.path(), "a", &["localhost"]);
    let b = authority.issue(dir.path(), "b", &["localhost"]);
    let mixed = Security::Tls(Tls { key: b.key, ..a });
    let server = server_builder(&mixed).map(|_| ()).unwrap_err();
    let client = dial("localhost:1", &mixed, Timeouts::default()).map(|_| ()).unwrap_err();
    for error in [server, client] {
        assert!(error.to_string().contains("`key` belongs to `cert`"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}
