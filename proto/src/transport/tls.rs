//! Certificates from files.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::holder::{Holder, holder};
use crate::Sha256;

/// The certificate files of one side, PEM: `[tls]` in the configuration. They are read anew while programs run; see
/// `docs/certificates.md`.
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
    /// Who the owners of certificates are that carry no identity: by a DNS name of theirs, in small letters. For
    /// authorities that cannot put URIs into certificates.
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

/// The bytes of the files as they were at one moment.
pub(super) struct Contents {
    ca: Vec<u8>,
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    crl: Option<Vec<u8>>,
}

/// What the files hold.
pub(super) struct Material {
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    /// `None` where no file is named: then nothing is revoked.
    pub(super) crls: Option<Vec<CertificateRevocationListDer<'static>>>,
    /// Who this side is.
    pub(super) own: Holder,
}

impl Tls {
    /// Reads the files and sees that each holds what it must, without using them.
    ///
    /// # Errors
    /// All mistakes of all files at once.
    pub fn check(&self) -> Result<(), TlsError> {
        self.contents()?.material(self, Timestamp::now()).map(|_| ())
    }

    /// Reads the files.
    pub(super) fn contents(&self) -> Result<Contents, TlsError> {
        let (ca, cert) = (read("ca", &self.ca), read("cert", &self.cert));
        let key = read("key", &self.key).map(Zeroizing::new);
        let crl = self.crl.as_ref().map(|file| read("crl", file)).transpose();
        match (ca, cert, key, crl) {
            (Ok(ca), Ok(cert), Ok(key), Ok(crl)) => Ok(Contents { ca, cert, key, crl }),
            (ca, cert, key, crl) => {
                // What could be read may be wrong, too: all at once.
                let wrong = [
                    ca.and_then(|pem| roots(self, &pem).map(drop)).err(),
                    cert.and_then(|pem| chain(self, &pem).map(drop)).err(),
                    key.and_then(|pem| private_key(self, &pem).map(drop)).err(),
                    crl.and_then(|pem| crls(self, pem.as_deref()).map(drop)).err(),
                ];
                Err(TlsError { mistakes: wrong.into_iter().flatten().collect() })
            }
        }
    }
}

impl Contents {
    /// Tells whether two contents are the same without keeping either.
    pub(super) fn digest(&self) -> Sha256 {
        let mut all = Zeroizing::new(Vec::new());
        for part in [&self.ca, &self.cert, &*self.key, self.crl.as_ref().unwrap_or(&Vec::new())] {
            all.extend_from_slice(&part.len().to_be_bytes());
            all.extend_from_slice(part);
        }
        Sha256::of(&all)
    }

    /// What they hold; this side's own certificate must be good at the moment given.
    pub(super) fn material(&self, tls: &Tls, now: Timestamp) -> Result<Material, TlsError> {
        let (ca, cert) = (roots(tls, &self.ca), chain(tls, &self.cert));
        let (key, crl) = (private_key(tls, &self.key), crls(tls, self.crl.as_deref()));
        let own = cert.as_ref().map_err(Clone::clone).and_then(|chain| own(tls, chain, now));
        match (ca, cert, key, crl, own) {
            (Ok(roots), Ok(chain), Ok(key), Ok(crls), Ok(own)) => {
                Ok(Material { roots, chain, key, crls, own })
            }
            (ca, _, key, crl, own) => {
                let wrong = [ca.err(), own.err(), key.err(), crl.err()];
                Err(TlsError { mistakes: wrong.into_iter().flatten().collect() })
            }
        }
    }
}

fn read(key: &'static str, file: &Path) -> Result<Vec<u8>, TlsMistake> {
    let remedy = "give the path of a file that this program's user can read";
    fs::read(file).map_err(|error| TlsMistake {
        key,
        file: file.to_owned(),
        reason: format!("it cannot be read: {error}"),
        remedy,
    })
}

fn certificates(
    key: &'static str,
    file: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsMistake> {
    let remedy = "give a PEM file with at least one whole `BEGIN CERTIFICATE` block";
    let wrong = |reason: String| TlsMistake { key, file: file.to_owned(), reason, remedy };
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(format!("it is not PEM: {error}")))?;
    if found.is_empty() { Err(wrong("there is no certificate in it".to_owned())) } else { Ok(found) }
}

fn roots(tls: &Tls, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsMistake> {
    certificates("ca", &tls.ca, pem)
}

fn chain(tls: &Tls, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsMistake> {
    certificates("cert", &tls.cert, pem)
}

/// Who the certificate says that this side is. One that is expired is told here, where something can be done about it.
fn own(tls: &Tls, chain: &[CertificateDer<'_>], now: Timestamp) -> Result<Holder, TlsMistake> {
    let wrong = |reason: String, remedy| TlsMistake { key: "cert", file: tls.cert.clone(), reason, remedy };
    let own = holder(chain, &tls.names).map_err(|error| wrong(error.to_string(), ISSUE))?;
    if own.not_after < now {
        return Err(wrong(format!("it expired at {}", own.not_after), RENEW));
    }
    if own.not_before > now {
        let remedy = "set this machine's clock, or wait until then";
        return Err(wrong(format!("it is good from {} on only", own.not_before), remedy));
    }
    Ok(own)
}

/// What to do about one's own certificate without an identity.
const ISSUE: &str = "have one issued that has one: `ratchet pki issue ROLE NAME`; of an authority that cannot put URIs \
                     into certificates, name a DNS name of it in [tls.names]";

/// What to do about one's own certificate that has expired.
pub(super) const RENEW: &str = "renew it: `ratchet pki renew NAME`, or by the authority that issued it";

fn private_key(tls: &Tls, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsMistake> {
    let remedy = "give a PEM file with an unencrypted `BEGIN PRIVATE KEY` block";
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        let reason = match error {
            rustls_pki_types::pem::Error::NoItemsFound => "there is no private key in it".to_owned(),
            // What is wrong inside could be told only with parts of it.
            _ => "it is not PEM".to_owned(),
        };
        TlsMistake { key: "key", file: tls.key.clone(), reason, remedy }
    })
}

fn crls(
    tls: &Tls,
    pem: Option<&[u8]>,
) -> Result<Option<Vec<CertificateRevocationListDer<'static>>>, TlsMistake> {
    let (Some(file), Some(pem)) = (&tls.crl, pem) else { return Ok(None) };
    let remedy =
        "give a PEM file with a `BEGIN X509 CRL` block of each authority of `ca`, or remove the key `crl`";
    let wrong = |reason: String| TlsMistake { key: "crl", file: file.clone(), reason, remedy };
    let found = CertificateRevocationListDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(format!("it is not PEM: {error}")))?;
    if found.is_empty() {
        return Err(wrong("there is no list of revoked certificates in it".to_owned()));
    }
    Ok(Some(found))
}
