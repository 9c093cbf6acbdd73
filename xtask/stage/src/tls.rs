//! Certificates of an authority of the stage's own, as an operator would bring them: PEM files.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Writes an authority, and a certificate for loopback that is good for both sides.
pub(crate) fn write(dir: &Path) -> Result<Files> {
    std::fs::create_dir_all(dir)?;
    let files = Files { ca: dir.join("ca.pem"), cert: dir.join("cert.pem"), key: dir.join("key.pem") };
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.distinguished_name.push(DnType::CommonName, "stage authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    std::fs::write(&files.ca, authority.pem())?;
    std::fs::write(&files.cert, certificate.pem())?;
    std::fs::write(&files.key, key.serialize_pem())?;
    Ok(files)
}

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    ca: PathBuf,
    cert: PathBuf,
    key: PathBuf,
}

impl Files {
    /// The `[tls]` table of either configuration.
    pub(crate) fn table(&self) -> String {
        format!("[tls]\nca = {:?}\ncert = {:?}\nkey = {:?}\n", self.ca, self.cert, self.key)
    }
}
