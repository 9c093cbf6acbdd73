//! Whom the agent believes to be the product's REST API. Its certificate is self-signed unless the operator replaced it,
//! and is the cluster's, not this machine's: names in it are not looked at.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::RestError;

/// No file of certificates is longer; one that is was named by mistake.
const LONGEST: u64 = 1 << 20;

/// TLS with trust in the certificates of a file. Blocks.
///
/// # Errors
/// When the file holds none, or TLS cannot be set up.
pub(super) fn tls(file: &Path) -> Result<ClientConfig, RestError> {
    let unusable = |reason| RestError::Certificate { file: file.to_owned(), reason };
    let given = certificates(file).map_err(unusable)?;
    config(given).map_err(|error| unusable(format!("TLS cannot be set up: {error}")))
}

/// TLS with trust in nobody, for a client that needs none: nothing is read from the disk.
///
/// # Errors
/// When TLS cannot be set up.
pub(super) fn nobody() -> Result<ClientConfig, String> {
    config(Vec::new()).map_err(|error| format!("TLS cannot be set up: {error}"))
}

fn config(given: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trust = Trust::new(given, &provider);
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(trust)).with_no_client_auth())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("it cannot be read: {error}");
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut pem = Vec::new();
    File::open(path).map_err(unreadable)?.take(LONGEST + 1).read_to_end(&mut pem).map_err(unreadable)?;
    if pem.len() as u64 > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes"));
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("it is not PEM: {error}")),
    }
}

/// Trust in the very certificates that were given, and in what those of them that are authorities have signed.
#[derive(Debug)]
pub(super) struct Trust {
    exactly: Vec<CertificateDer<'static>>,
    authorities: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    pub(super) fn new(given: Vec<CertificateDer<'static>>, provider: &CryptoProvider) -> Self {
        let mut authorities = RootCertStore::empty();
        // A server's own certificate makes nobody else trustworthy.
        authorities.add_parsable_certificates(given.iter().filter(|der| is_authority(der)).cloned());
        Self { exactly: given, authorities, algorithms: provider.signature_verification_algorithms }
    }
}

fn is_authority(der: &CertificateDer<'_>) -> bool {
    x509_parser::parse_x509_certificate(der).is_ok_and(|(_, certificate)| certificate.is_ca())
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Whoever holds its key is whom the operator meant, also after its last day: that is for a check to tell.
        if self.exactly.iter().any(|trusted| trusted == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        if self.authorities.is_empty() {
            return Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
        }
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.authorities,
            intermediates,
            now,
            algorithms,
        )?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
