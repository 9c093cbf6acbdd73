//! Dialling a coordinator without a certificate, by the digest of its authority's key alone: to be enrolled.

use std::io;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Uri};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::address::{Address, TransportError};
use super::configs::{ALPN, VERSIONS, provider};
use super::dial::{endpoint, with_limits};
use super::holder::holder;
use super::reach::{chain, connect, server_name};
use super::{Stream, Timeouts};
use crate::{Role, Sha256};

/// A channel to the coordinator at `HOST:PORT`, whose certificate must come from the authority with this SHA-256 of its
/// public key (the DER of its SubjectPublicKeyInfo). The coordinator shows its authority's certificate behind its own. No
/// certificate is shown to it.
///
/// Must be called inside a tokio runtime.
///
/// # Errors
/// An address that is none, or TLS that cannot be set up.
pub fn dial_pinned(address: &str, authority: Sha256, timeouts: Timeouts) -> Result<Channel, TransportError> {
    let parsed = Address::parse(address)?;
    let name = server_name(&parsed)?;
    let config = Arc::new(config(authority).map_err(TransportError::Setup)?);
    let endpoint = with_limits(endpoint(&parsed, address)?, timeouts);
    Ok(endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
        let (parsed, name, config) = (parsed.clone(), name.clone(), Arc::clone(&config));
        async move { reach(&parsed, name, config).await.map(TokioIo::new) }
    })))
}

async fn reach(
    address: &Address,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
) -> io::Result<super::Connection> {
    let tcp = connect(address).await?;
    let peer_address = tcp.peer_addr().ok();
    let tls = TlsConnector::from(config).connect(name, tcp).await?;
    let place = address.authority();
    let refused = |why: String| {
        io::Error::new(io::ErrorKind::PermissionDenied, format!("the certificate of {place} {why}"))
    };
    let holder = holder(&chain(tls.get_ref().1.peer_certificates()), &std::collections::BTreeMap::new())
        .map_err(|error| refused(format!("does not say whose it is: {error}")))?;
    if holder.identity.role != Role::Coordinator {
        return Err(refused(format!("is that of {}, which is no coordinator", holder.identity)));
    }
    let peer = super::peer::Peer::new(super::peer::Who::Anonymous, peer_address, 0);
    Ok(super::Connection::new(Stream::Tls(Box::new(tls.into())), peer))
}

fn config(authority: Sha256) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(authority)))
        .with_no_client_auth();
    config.alpn_protocols.push(ALPN.into());
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Accepts what the authority has signed whose public key has this digest.
#[derive(Debug)]
struct Pinned(Sha256);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let pinned = intermediates.iter().find(|shown| key_digest(shown) == Some(self.0));
        let pinned = pinned.ok_or(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(pinned.clone().into_owned())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn key_digest(certificate: &CertificateDer<'_>) -> Option<Sha256> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    Some(Sha256::of(certificate.public_key().raw))
}
