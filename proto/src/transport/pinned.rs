//! Dialling a coordinator of which nothing is known but the digest of its authority's key.

use std::io;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Timeouts;
use super::address::{Address, TransportError};
use super::dial::with_limits;
use crate::{Identity, Role, Sha256};

/// The one protocol that is spoken inside TLS.
const ALPN: &[u8] = b"h2";

/// A channel to the coordinator at `HOST:PORT`, without a certificate of one's own. It is believed if it shows, behind its
/// certificate, that of an authority whose public key (`SubjectPublicKeyInfo`) has this digest, and if its own certificate
/// comes from that authority, names the host and says that it is a coordinator.
///
/// Must be called inside a tokio runtime.
///
/// # Errors
/// An address that is none. Whether anybody answers is for the calls to see.
pub fn dial_pinned(address: &str, authority: Sha256, timeouts: Timeouts) -> Result<Channel, TransportError> {
    let parsed = Address::parse(address)?;
    let wrong = |reason| TransportError::Address { address: address.to_owned(), reason };
    let name = ServerName::try_from(parsed.host.clone())
        .map_err(|_| wrong("its host is neither a name nor an IP address"))?;
    let endpoint = Endpoint::from_shared(format!("http://{}", parsed.authority()))
        .map_err(|_| wrong("it cannot be part of a URI"))?;
    let tls = TlsConnector::from(Arc::new(config(authority).map_err(|_| wrong("TLS cannot be set up"))?));
    let connector = tower::service_fn(move |_: Uri| {
        let (tls, name, parsed) = (tls.clone(), name.clone(), parsed.clone());
        async move {
            let tcp = TcpStream::connect((parsed.host.as_str(), parsed.port)).await?;
            tcp.set_nodelay(true)?;
            Ok::<_, io::Error>(TokioIo::new(tls.connect(name, tcp).await?))
        }
    });
    Ok(with_limits(endpoint, timeouts).connect_with_connector_lazy(connector))
}

fn config(authority: Sha256) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let pinned = Pinned { authority, provider: Arc::clone(&provider) };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    config.alpn_protocols.push(ALPN.into());
    Ok(config)
}

/// Believes one authority, by its key alone.
#[derive(Debug)]
struct Pinned {
    authority: Sha256,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let authority = intermediates.iter().find(|shown| is_of(shown, self.authority));
        let authority = authority.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
                .build()
                .map_err(|error| Error::General(error.to_string()))?;
        let verified = verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)?;
        match is_coordinator(end_entity) {
            true => Ok(verified),
            false => Err(Error::General("its certificate does not say that it is a coordinator".to_owned())),
        }
    }

    /// TLS 1.3 only, and no other version is offered.
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn is_of(certificate: &CertificateDer<'_>, authority: Sha256) -> bool {
    let parsed = X509Certificate::from_der(certificate);
    parsed.is_ok_and(|(_, parsed)| parsed.is_ca() && Sha256::of(parsed.public_key().raw) == authority)
}

fn is_coordinator(certificate: &CertificateDer<'_>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return false };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|name| match name {
        GeneralName::URI(uri) => {
            uri.parse::<Identity>().is_ok_and(|identity| identity.role == Role::Coordinator)
        }
        _ => false,
    })
}
