//! Whether a certificate that was sent is one's own. Nothing of an answer is kept before that.

use std::sync::Arc;

use jiff::Timestamp;
use proto::{Identity, PeerName, Role, Sha256};
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::EnrolError;

/// What a certificate must be.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    /// SHA-256 of its public key.
    pub(super) key: Sha256,
    /// Whose it must be.
    pub(super) owner: Owner<'a>,
    /// Who may have signed it, PEM.
    pub(super) authorities: &'a str,
    /// The one of them that it must be, if only one is believed.
    pub(super) pin: Option<Sha256>,
    pub(super) now: Timestamp,
}

/// Whose a certificate must be.
#[derive(Debug)]
pub(super) enum Owner<'a> {
    /// The agent of a name, of whichever fleet the pinned authority is.
    Named(&'a PeerName),
    /// The very same as before.
    Same(&'a Identity),
}

/// Certificates out of a PEM text.
pub(super) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("it is not PEM: {error}")),
    }
}

/// Whose a certificate is.
pub(super) fn identity(certificate: &X509Certificate<'_>) -> Option<Identity> {
    let names = certificate.subject_alternative_name().ok()??;
    let mut found = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => uri.parse().ok(),
        _ => None,
    });
    found.next().filter(|_| found.next().is_none())
}

/// Whether a list of revoked certificates is one: a broken one would keep the agent from starting.
pub(super) fn check_revoked(pem: &str) -> Result<(), EnrolError> {
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(pem.as_bytes()).collect();
    match lists {
        Ok(lists) if !lists.is_empty() => Ok(()),
        Ok(_) => Err(EnrolError::answer("there is no list of revoked certificates in what it says is one")),
        Err(error) => {
            Err(EnrolError::answer(format!("its list of revoked certificates is not PEM: {error}")))
        }
    }
}

impl Expected<'_> {
    /// Checks a certificate, with intermediate ones behind it.
    pub(super) fn check(&self, pem: &str) -> Result<(), EnrolError> {
        let chain = certificates(pem).map_err(|why| EnrolError::answer(format!("its certificate: {why}")))?;
        let Some((own, behind)) = chain.split_first() else {
            return Err(EnrolError::answer("no certificate"));
        };
        let (_, read) = X509Certificate::from_der(own).map_err(EnrolError::answer)?;
        if Sha256::of(read.public_key().raw) != self.key {
            return Err(EnrolError::answer("its certificate is for another key"));
        }
        match identity(&read) {
            Some(identity) if self.is_own(&identity) => {}
            Some(other) => return Err(EnrolError::answer(format!("its certificate is that of {other}"))),
            None => return Err(EnrolError::answer("its certificate does not say whose it is")),
        }
        self.verify(own, behind)
    }

    fn is_own(&self, identity: &Identity) -> bool {
        match self.owner {
            Owner::Named(name) => identity.role == Role::Agent && identity.name == *name,
            Owner::Same(same) => identity == same,
        }
    }

    /// As those will do who are shown it.
    fn verify(&self, own: &CertificateDer<'_>, behind: &[CertificateDer<'static>]) -> Result<(), EnrolError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates(self.authorities).map_err(EnrolError::answer)? {
            if self.pin.is_none_or(|pin| is_of(&authority, pin)) {
                roots.add(authority).map_err(EnrolError::answer)?;
            }
        }
        if roots.is_empty() {
            return Err(EnrolError::answer("it does not name the authority that the token is for"));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let since = u64::try_from(self.now.as_second()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(since));
        let verified = verifier.map_err(EnrolError::answer)?.verify_client_cert(own, behind, now);
        verified
            .map(drop)
            .map_err(|error| EnrolError::answer(format!("its certificate does not hold: {error}")))
    }
}

fn is_of(authority: &CertificateDer<'_>, pin: Sha256) -> bool {
    let read = X509Certificate::from_der(authority);
    read.is_ok_and(|(_, read)| read.is_ca() && Sha256::of(read.public_key().raw) == pin)
}
