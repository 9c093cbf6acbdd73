//! Certificates of a fleet: an authority of its own, and for each agent a certificate that names its address, made when
//! somebody connects.

use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use proto::transport::Tls;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The one protocol that is spoken inside TLS.
const ALPN: &[u8] = b"h2";
/// Sessions that an agent remembers.
const SESSIONS: usize = 4;

/// An authority that signs for the agents of a process. They share a key: making thousands takes long.
pub struct Certificates {
    issuer: Issuer<'static, KeyPair>,
    key: KeyPair,
    roots: Arc<RootCertStore>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

impl Certificates {
    /// Makes an authority in a directory, and what a coordinator at this address shows; what an operator shows lies beside it,
    /// with `operator` for `coordinator` in the names of its files.
    ///
    /// # Errors
    /// They cannot be made or written.
    pub fn write(dir: &Path, coordinator: IpAddr) -> Result<Tls> {
        let authority = KeyPair::generate()?;
        fs::write(dir.join("ca-key.pem"), authority.serialize_pem())?;
        fs::write(dir.join("ca.pem"), params().self_signed(&authority)?.pem())?;
        let issuer = Issuer::new(params(), authority);
        issue(dir, &issuer, "operator", coordinator)?;
        issue(dir, &issuer, "coordinator", coordinator)
    }

    /// The authority that was made in a directory.
    ///
    /// # Errors
    /// There is none.
    pub fn read(dir: &Path) -> Result<Self> {
        let authority = KeyPair::from_pem(&fs::read_to_string(dir.join("ca-key.pem"))?)?;
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(dir.join("ca.pem"))?)?;
        Ok(Self {
            issuer: Issuer::new(params(), authority),
            key: KeyPair::generate()?,
            roots: Arc::new(roots),
        })
    }

    /// For whoever listens at an address: clients must show a certificate of the authority.
    ///
    /// # Errors
    /// The certificate cannot be made.
    pub fn acceptor(&self, address: IpAddr) -> Result<TlsAcceptor> {
        let roots = Arc::clone(&self.roots);
        let clients = WebPkiClientVerifier::builder_with_provider(roots, provider()).build()?;
        let (chain, key) = self.identity(&address.to_string())?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)?;
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        config.alpn_protocols.push(ALPN.into());
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// For an agent that dials by itself.
    ///
    /// # Errors
    /// The certificate cannot be made.
    pub(crate) fn connector(&self, agent: &str) -> Result<TlsConnector> {
        let (chain, key) = self.identity(agent)?;
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_client_auth_cert(chain, key)?;
        config.alpn_protocols.push(ALPN.into());
        Ok(TlsConnector::from(Arc::new(config)))
    }

    fn identity(&self, name: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.subject_alt_names.push(identity("agent", name)?);
        let certificate = params.signed_by(&self.key, &self.issuer)?;
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        Ok((vec![certificate.der().clone()], key.into()))
    }
}

/// Who somebody of this fleet is.
fn identity(role: &str, name: &str) -> Result<SanType> {
    Ok(SanType::URI(format!("spiffe://fleet/{role}/{name}").try_into()?))
}

fn issue(dir: &Path, issuer: &Issuer<'_, KeyPair>, role: &str, address: IpAddr) -> Result<Tls> {
    let files = files(dir, role);
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([address.to_string()])?;
    params.subject_alt_names.push(identity(role, role)?);
    fs::write(&files.cert, params.signed_by(&key, issuer)?.pem())?;
    fs::write(&files.key, key.serialize_pem())?;
    Ok(files)
}

fn files(dir: &Path, role: &str) -> Tls {
    Tls {
        ca: dir.join("ca.pem"),
        cert: dir.join(format!("{role}.pem")),
        key: dir.join(format!("{role}-key.pem")),
        crl: None,
        names: Default::default(),
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The authority: the same in every process.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}
