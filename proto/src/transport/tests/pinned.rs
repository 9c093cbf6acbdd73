//! Reaching a coordinator by nothing but the digest of its authority's key.

use super::super::keyring::Keyring;
use super::raw::{Fate, call, called, failure, serve_all};
use super::stand::Authority;
use crate::transport::{Door, Limits, Timeouts, dial_pinned};
use crate::{Caller, Sha256};

const ENROL: &str = "/ratchet.v1.Coordinator/Enrol";

async fn told(port: u16, pin: Sha256) -> String {
    let channel = dial_pinned(&format!("localhost:{port}"), pin, Timeouts::default()).unwrap();
    failure(called(channel, ENROL, Default::default()).await).cause.unwrap_or_default()
}

#[tokio::test]
async fn only_the_authority_with_that_key_is_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let coordinator = ours.issue(dir.path(), "coordinator/ops-1", &["localhost"]);
    let keyring = Keyring::of(&coordinator).unwrap();
    let port = serve_all(Some(keyring), Door::Coordinator, Limits::COORDINATOR).await;
    let channel = dial_pinned(&format!("localhost:{port}"), ours.pin(), Timeouts::default()).unwrap();
    assert_eq!(call(channel, ENROL).await, Fate::Reached(Caller::Anonymous.to_string()));
    assert!(told(port, theirs.pin()).await.contains("UnknownIssuer"));
    assert!(told(port, Sha256::of(b"")).await.contains("UnknownIssuer"));
    // The name is looked at as well.
    let channel = dial_pinned(&format!("127.0.0.1:{port}"), ours.pin(), Timeouts::default()).unwrap();
    assert_eq!(call(channel, ENROL).await, Fate::Cut);
}

/// A node of the fleet has a certificate of the same authority: it must not pose as the coordinator.
#[tokio::test]
async fn an_agent_is_no_coordinator_there_either() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let agent = authority.issue(dir.path(), "agent/db-1", &["localhost"]);
    // What a thief would show: the authority's certificate behind the agent's own.
    let both = [std::fs::read(&agent.cert).unwrap(), std::fs::read(&agent.ca).unwrap()].concat();
    std::fs::write(&agent.cert, both).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(super::super::configs::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain(&agent), key(&agent))
        .unwrap();
    config.alpn_protocols.push(b"h2".to_vec());
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let stream = acceptor.accept(tcp).await;
        std::future::pending::<()>().await;
        drop(stream);
    });
    let text = told(port, authority.pin()).await;
    assert!(text.contains("spiffe://prod/agent/db-1") && text.contains("no coordinator"), "{text}");
}

fn chain(tls: &crate::transport::Tls) -> Vec<rustls_pki_types::CertificateDer<'static>> {
    use rustls_pki_types::pem::PemObject;
    let pem = std::fs::read(&tls.cert).unwrap();
    rustls_pki_types::CertificateDer::pem_slice_iter(&pem).map(Result::unwrap).collect()
}

fn key(tls: &crate::transport::Tls) -> rustls_pki_types::PrivateKeyDer<'static> {
    use rustls_pki_types::pem::PemObject;
    rustls_pki_types::PrivateKeyDer::from_pem_file(&tls.key).unwrap()
}
