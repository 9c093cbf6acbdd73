//! What TLS works with, made of certificate files: version 1.3 only, aws-lc-rs only, and nothing is resumed.

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::tls::Material;
use crate::Clock;

/// The one protocol that is spoken inside TLS.
pub(super) const ALPN: &[u8] = b"h2";
/// The one version.
pub(super) const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// Why TLS does not take files that were read.
pub(super) type Refused = Box<dyn std::error::Error + Send + Sync>;

/// Both roles of one side, and how it looks at certificates that are shown to it.
pub(super) struct Configs {
    /// For a port on which everybody must show a certificate.
    pub(super) strict: Arc<ServerConfig>,
    /// For a port at which those without one may ask for one.
    pub(super) open: Arc<ServerConfig>,
    /// For dialling.
    pub(super) client: Arc<ClientConfig>,
    /// Judges those who dial.
    pub(super) clients: Arc<dyn ClientCertVerifier>,
    /// Judges those who are dialled.
    pub(super) servers: Arc<WebPkiServerVerifier>,
}

impl Configs {
    pub(super) fn of(material: &Material, clock: &Clock) -> Result<Self, Refused> {
        let clients = clients(material, false)?;
        let servers = servers(material)?;
        let time: Arc<dyn TimeProvider> = Arc::new(ByClock(clock.clone()));
        Ok(Self {
            strict: server(material, Arc::clone(&clients), material.chain.clone(), &time)?,
            open: server(material, self::clients(material, true)?, with_authority(material), &time)?,
            client: client(material, Arc::clone(&servers), &time)?,
            clients,
            servers,
        })
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// What time certificates are judged by.
#[derive(Debug)]
struct ByClock(Clock);

impl TimeProvider for ByClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix_time(self.0.now()))
    }
}

/// A moment as certificates have it.
pub(super) fn unix_time(at: jiff::Timestamp) -> UnixTime {
    let since = u64::try_from(at.as_second()).unwrap_or(0);
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(since))
}

fn roots(material: &Material) -> Result<Arc<RootCertStore>, Refused> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(material.roots.iter().cloned());
    if added == 0 { Err("no certificate of `ca` can be an authority's".into()) } else { Ok(Arc::new(roots)) }
}

/// Of an authority without a list nobody can tell what it has revoked: such certificates are refused.
fn clients(material: &Material, optional: bool) -> Result<Arc<dyn ClientCertVerifier>, Refused> {
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots(material)?, provider());
    if let Some(crls) = &material.crls {
        builder = builder.with_crls(crls.iter().cloned()).only_check_end_entity_revocation();
    }
    if optional {
        builder = builder.allow_unauthenticated();
    }
    Ok(builder.build()?)
}

fn servers(material: &Material) -> Result<Arc<WebPkiServerVerifier>, Refused> {
    let mut builder = WebPkiServerVerifier::builder_with_provider(roots(material)?, provider());
    if let Some(crls) = &material.crls {
        builder = builder.with_crls(crls.iter().cloned()).only_check_end_entity_revocation();
    }
    Ok(builder.build()?)
}

/// Who has no certificate yet knows the authority by its key's digest only: it is shown the authority's certificate.
fn with_authority(material: &Material) -> Vec<CertificateDer<'static>> {
    let mut chain = material.chain.clone();
    let issuer = chain.last().and_then(|last| issuer(last, &material.roots));
    chain.extend(issuer.filter(|issuer| !material.chain.contains(issuer)));
    chain
}

fn issuer(
    certificate: &CertificateDer<'_>,
    roots: &[CertificateDer<'static>],
) -> Option<CertificateDer<'static>> {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let signed = roots.iter().find(|root| {
        X509Certificate::from_der(root).is_ok_and(|(_, root)| root.subject() == certificate.issuer())
    });
    signed.cloned()
}

/// A session that is resumed would be that of a certificate nobody looks at again: there are none.
fn server(
    material: &Material,
    clients: Arc<dyn ClientCertVerifier>,
    chain: Vec<CertificateDer<'static>>,
    time: &Arc<dyn TimeProvider>,
) -> Result<Arc<ServerConfig>, Refused> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::clone(time))
        .with_protocol_versions(VERSIONS)?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, material.key.clone_key())?;
    config.alpn_protocols.push(ALPN.into());
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn client(
    material: &Material,
    servers: Arc<WebPkiServerVerifier>,
    time: &Arc<dyn TimeProvider>,
) -> Result<Arc<ClientConfig>, Refused> {
    let mut config = ClientConfig::builder_with_details(provider(), Arc::clone(time))
        .with_protocol_versions(VERSIONS)?
        .with_webpki_verifier(servers)
        .with_client_auth_cert(material.chain.clone(), material.key.clone_key())?;
    config.alpn_protocols.push(ALPN.into());
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
