//! Certificates from files.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

use super::address::TransportError;

/// The one protocol that is spoken inside TLS.
const ALPN: &[u8] = b"h2";

/// The certificate files of one side, PEM: `[tls]` in the configuration. They are read whenever something is dialled or
/// listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The authority whose certificates are accepted; the file may hold several.
    pub ca: PathBuf,
    /// This side's certificate, with intermediate ones behind it.
    pub cert: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// Lists of revoked certificates, one for each authority of `ca`; nothing is revoked if `None`.
    pub crl: Option<PathBuf>,
    /// Who the owners of certificates are that carry no identity: by a DNS name of theirs. For authorities that cannot put
    /// URIs into certificates.
    pub names: BTreeMap<String, crate::Identity>,
}

/// Everything that is wrong with the certificate files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// The mistakes, one at least.
    pub mistakes: Vec<TlsMistake>,
}

/// What is wrong with one certificate file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsMistake {
    /// The key of `[tls]` that names the file.
    pub key: &'static str,
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl fmt::Display for TlsMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, file, reason, remedy } = self;
        write!(f, "`[tls] {key}`, {}: {reason}; {remedy}", file.display())
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate files cannot be used")?;
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for TlsError {}

/// The contents of the files, each known to hold what it must.
pub(super) struct Material {
    ca: Vec<u8>,
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Tls {
    /// Reads the three files and sees that each holds what it must, without using them.
    ///
    /// # Errors
    /// All mistakes of all files at once.
    pub fn check(&self) -> Result<(), TlsError> {
        self.read().map(|_| ())
    }

    pub(super) fn read(&self) -> Result<Material, TlsError> {
        let ca = read("ca", &self.ca, certificates);
        let cert = read("cert", &self.cert, certificates);
        let key = read("key", &self.key, private_key);
        match (ca, cert, key) {
            (Ok(ca), Ok(cert), Ok(key)) => Ok(Material { ca, cert, key }),
            (ca, cert, key) => {
                Err(TlsError { mistakes: [ca.err(), cert.err(), key.err()].into_iter().flatten().collect() })
            }
        }
    }
}

impl Material {
    pub(super) fn client(self, server_name: &str) -> ClientTlsConfig {
        ClientTlsConfig::new()
            .domain_name(server_name)
            .ca_certificate(Certificate::from_pem(self.ca))
            .identity(Identity::from_pem(self.cert, self.key))
    }

    /// A client without a certificate of the authority is refused.
    pub(super) fn server(self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .client_ca_root(Certificate::from_pem(self.ca))
            .client_auth_optional(false)
            .identity(Identity::from_pem(self.cert, self.key))
    }

    /// The same as [`Self::server`], for connections that are accepted by ourselves.
    pub(super) fn accepting(self, tls: &Tls) -> Result<Arc<ServerConfig>, TransportError> {
        self.server_config().map(Arc::new).map_err(refused(tls))
    }

    /// The same as [`Self::client`], for connections that are made by ourselves.
    pub(super) fn connecting(self, tls: &Tls) -> Result<Arc<ClientConfig>, TransportError> {
        self.client_config().map(Arc::new).map_err(refused(tls))
    }

    fn server_config(self) -> Result<ServerConfig, Refused> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = Arc::new(self.roots()?);
        let clients = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        let (chain, key) = self.identity()?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)?;
        config.alpn_protocols.push(ALPN.into());
        Ok(config)
    }

    fn client_config(self) -> Result<ClientConfig, Refused> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = self.roots()?;
        let (chain, key) = self.identity()?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        config.alpn_protocols.push(ALPN.into());
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, Refused> {
        let mut roots = RootCertStore::empty();
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&self.ca).collect::<Result<_, _>>()?;
        roots.add_parsable_certificates(certificates);
        Ok(roots)
    }

    fn identity(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Refused> {
        let chain = CertificateDer::pem_slice_iter(&self.cert).collect::<Result<_, _>>()?;
        Ok((chain, PrivateKeyDer::from_pem_slice(&self.key)?))
    }
}

/// Why TLS does not take files that were read.
type Refused = Box<dyn std::error::Error + Send + Sync>;

fn refused(tls: &Tls) -> impl FnOnce(Refused) -> TransportError {
    let tls = tls.clone();
    move |source| TransportError::Config { tls, source }
}

/// What is wrong with a file's contents, and what to do about it.
type Wrong = (String, &'static str);

fn read(key: &'static str, file: &Path, look: fn(&[u8]) -> Result<(), Wrong>) -> Result<Vec<u8>, TlsMistake> {
    let mistake = |(reason, remedy): Wrong| TlsMistake { key, file: file.to_owned(), reason, remedy };
    let remedy = "give the path of a file that this program's user can read";
    let pem = fs::read(file).map_err(|error| mistake((format!("it cannot be read: {error}"), remedy)))?;
    look(&pem).map_err(mistake)?;
    Ok(pem)
}

fn certificates(pem: &[u8]) -> Result<(), Wrong> {
    let remedy = "give a PEM file with at least one whole `BEGIN CERTIFICATE` block";
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| (format!("it is not PEM: {error}"), remedy))?;
    if found.is_empty() { Err(("there is no certificate in it".to_owned(), remedy)) } else { Ok(()) }
}

fn private_key(pem: &[u8]) -> Result<(), Wrong> {
    let remedy = "give a PEM file with an unencrypted `BEGIN PRIVATE KEY` block";
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(_) => Ok(()),
        Err(rustls_pki_types::pem::Error::NoItemsFound) => {
            Err(("there is no private key in it".to_owned(), remedy))
        }
        Err(error) => Err((format!("it is not PEM: {error}"), remedy)),
    }
}
