//! Certificate files that cannot be used: what, why and what to do, all at once.

use std::fs;

use super::stand::{Authority, expired, written};
use crate::Role;
use crate::transport::{Security, Timeouts, Tls, TransportError, check_own, dial};

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
    let error = check_own(&Security::Tls(tls), &Role::ALL).unwrap_err();
    assert!(matches!(error, TransportError::Tls(_)));
}

#[test]
fn a_truncated_or_empty_key_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let good = Authority::new().issue(dir.path(), "agent/a", &["localhost"]);
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
    let a = authority.issue(dir.path(), "agent/a", &["localhost"]);
    let b = authority.issue(dir.path(), "agent/b", &["localhost"]);
    let mixed = Security::Tls(Tls { key: b.key, ..a });
    let server = check_own(&mixed, &Role::ALL).unwrap_err();
    let client = dial("localhost:1", Role::Coordinator, &mixed, Timeouts::default()).map(drop).unwrap_err();
    for error in [server, client] {
        assert!(error.to_string().contains("`key` belongs to `cert`"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

/// One's own certificate: whose it is, for what, and until when, is told before anything is dialled or listened on.
#[test]
fn ones_own_certificate_must_have_a_fitting_identity_and_be_good() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let told =
        |tls: Tls, roles: &[Role]| check_own(&Security::Tls(tls), roles).map_err(|error| error.to_string());
    let nobody = authority.issue_as(dir.path(), "", &["db-1.internal"], |_| {});
    let text = told(nobody.clone(), &[Role::Agent]).unwrap_err();
    assert!(
        text.contains("`[tls] cert`") && text.contains("[tls.names]") && text.contains("db-1.internal"),
        "{text}"
    );
    let names = [("db-1.internal".to_owned(), "spiffe://prod/agent/db-1".parse().unwrap())].into();
    told(Tls { names, ..nobody }, &[Role::Agent]).unwrap();
    let operator = authority.issue(dir.path(), "operator/ann", &[]);
    told(operator.clone(), &[Role::Viewer, Role::Operator]).unwrap();
    let text = told(operator, &[Role::Coordinator]).unwrap_err();
    assert!(text.contains("spiffe://prod/operator/ann") && text.contains("ratchet pki issue"), "{text}");
    let old = authority.issue_as(dir.path(), "spiffe://prod/agent/a", &[], expired);
    let text = told(old, &[Role::Agent]).unwrap_err();
    assert!(text.contains("expired at 2021-01-01") && text.contains("ratchet pki renew"), "{text}");
}

#[test]
fn a_list_of_revoked_certificates_must_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let tls = authority.issue(dir.path(), "agent/a", &[]);
    for (name, content) in [("empty", ""), ("other", &fs::read_to_string(&tls.ca).unwrap()[..])] {
        let crl = Some(written(dir.path(), name, content));
        let error = Tls { crl, ..tls.clone() }.check().unwrap_err();
        assert_eq!((error.mistakes.len(), error.mistakes[0].key), (1, "crl"), "{error}");
    }
    let crl = Some(written(dir.path(), "crl.pem", &authority.revoking(&[])));
    Tls { crl, ..tls }.check().unwrap();
}
