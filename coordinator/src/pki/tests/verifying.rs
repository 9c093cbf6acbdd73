//! Certificates as TLS sees them: chains, what they may be used for, what is revoked.

use std::sync::Arc;

use proto::Role;
use rcgen::{CertificateParams, KeyPair, SanType};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};

use super::*;

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn roots(authority: &Authority) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(authority.certificate())).unwrap();
    Arc::new(roots)
}

fn list(authority: &Authority) -> CertificateRevocationListDer<'static> {
    CertificateRevocationListDer::from_pem_slice(authority.revoked().unwrap().as_bytes()).unwrap()
}

fn at(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(certificate::since_1970(at))
}

/// As a client that shows itself.
fn as_client(authority: &Authority, pem: &str, now: Timestamp) -> Result<(), Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(authority), provider)
        .with_crls([list(authority)])
        .build()
        .unwrap();
    verifier.verify_client_cert(&certificate(pem), &[], at(now)).map(drop)
}

/// As a server that was dialled at a host.
fn as_server(authority: &Authority, pem: &str, host: &str, now: Timestamp) -> Result<(), Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots(authority), provider)
        .with_crls([list(authority)])
        .build()
        .unwrap();
    let host = ServerName::try_from(host.to_owned()).unwrap();
    verifier.verify_server_cert(&certificate(pem), &[], &host, &[], at(now)).map(drop)
}

#[test]
fn every_role_may_dial_and_only_those_that_are_dialled_may_answer() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = founded(&dir.path().join("authority"));
    for role in Role::ALL {
        let answers = matches!(role, Role::Coordinator | Role::Agent);
        let hosts: &[&str] = if answers { &["db-1.internal", "10.0.0.1"] } else { &[] };
        let (signed, _) = authority.issue(&order(role, "one", hosts), noon()).unwrap();
        as_client(&authority, &signed.pem, noon()).unwrap();
        for host in ["db-1.internal", "10.0.0.1"] {
            assert_eq!(as_server(&authority, &signed.pem, host, noon()).is_ok(), answers, "{role} {host}");
        }
        as_server(&authority, &signed.pem, "db-2.internal", noon()).unwrap_err();
        let read = read(&signed.pem).unwrap();
        assert_eq!(read[0].identity.as_ref().unwrap().role, role);
        assert_eq!(read.len(), if role == Role::Coordinator { 2 } else { 1 }, "{role}");
    }
    let coordinator = authority.issue(&order(Role::Coordinator, "two", &["ops"]), noon()).unwrap().0;
    assert_eq!(spki_digest(&coordinator.pem).unwrap(), authority.pin());
    spki_digest(&authority.issue(&order(Role::Agent, "two", &[]), noon()).unwrap().0.pem).unwrap_err();
}

#[test]
fn a_certificate_counts_from_a_little_before_to_its_end_and_not_when_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = founded(&dir.path().join("authority"));
    let (signed, _) = authority.issue(&order(Role::Agent, "db-1", &[]), noon()).unwrap();
    let (other, _) = authority.issue(&order(Role::Agent, "db-2", &[]), noon()).unwrap();
    let minutes = SignedDuration::from_mins;
    as_client(&authority, &signed.pem, noon() - minutes(4)).unwrap();
    as_client(&authority, &signed.pem, noon() - minutes(6)).unwrap_err();
    as_client(&authority, &signed.pem, noon() + DAY * 364).unwrap();
    let over = as_client(&authority, &signed.pem, noon() + DAY * 366).unwrap_err();
    assert!(format!("{over:?}").contains("Expired"), "{over:?}");
    authority.revoke("db-1", "stolen", noon()).unwrap();
    let revoked = as_client(&authority, &signed.pem, noon()).unwrap_err();
    assert_eq!(revoked, Error::InvalidCertificate(CertificateError::Revoked));
    as_client(&authority, &other.pem, noon()).unwrap();
}

#[test]
fn nobody_is_believed_for_another_authority_or_as_one_himself() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = founded(&dir.path().join("authority"));
    let mut other = founded(&dir.path().join("other"));
    let (foreign, _) = other.issue(&order(Role::Coordinator, "ops", &["ops"]), noon()).unwrap();
    as_client(&authority, &foreign.pem, noon()).unwrap_err();
    // Somebody with a certificate signs another one with its key.
    let (signed, key) = authority.issue(&order(Role::Agent, "db-1", &[]), noon()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(&signed.pem, key.pair());
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::URI("spiffe://prod/coordinator/me".try_into().unwrap())];
    let forged = params.signed_by(&KeyPair::generate().unwrap(), &issuer.unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(&authority), provider).build().unwrap();
    verifier.verify_client_cert(forged.der(), &[certificate(&signed.pem)], at(noon())).unwrap_err();
}

#[test]
fn of_a_request_only_the_public_key_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = founded(&dir.path().join("authority"));
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["ops.internal".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::URI("spiffe://prod/coordinator/ops".try_into().unwrap()));
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::Any];
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let asked = params.serialize_request(&key).unwrap();
    let request = CertificateRequest::from_der(asked.der()).unwrap();
    let signed = authority.sign(&order(Role::Agent, "db-1", &["db-1"]), &request, noon()).unwrap();
    let read = read(&signed.pem).unwrap().remove(0);
    assert_eq!(read.identity, Some(signed.issued.identity.clone()));
    assert!(!read.is_authority);
    assert_eq!((read.key, signed.issued.key), (request.digest(), KeyMadeBy::Owner));
    as_server(&authority, &signed.pem, "db-1", noon()).unwrap();
    as_server(&authority, &signed.pem, "ops.internal", noon()).unwrap_err();
}

#[test]
fn a_request_that_its_key_has_not_signed_is_none() {
    let request = CertificateParams::default().serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let der = request.der().to_vec();
    let mut changed = 0;
    for at in (0..der.len()).step_by(7) {
        let mut damaged = der.clone();
        damaged[at] ^= 0x10;
        changed += usize::from(CertificateRequest::from_der(&damaged).is_err());
    }
    // A changed bit in an attribute's text may be another request, but then its signature is wrong.
    assert_eq!(changed, der.len().div_ceil(7));
    for other in [&b""[..], b"junk", &der[..der.len() / 2], &vec![0; 20_000]] {
        assert_eq!(CertificateRequest::from_der(other).unwrap_err().id, "invalid-request");
    }
}
