//! Certificates of an authority of one's own for a server on loopback.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::installed::give;

/// PEM files of an authority and of what it vouches for.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The server's certificate.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Certificates {
    /// Makes them for these host names and addresses, in a directory of its own.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn write(directory: &Path, names: &[&str]) -> Result<Self> {
        fs::create_dir_all(directory)?;
        give(directory)?;
        let file = |name: &str| directory.join(name);
        let files = Self { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.distinguished_name.push(DnType::CommonName, "test authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
        fs::write(&files.ca, authority.pem())?;
        fs::write(&files.cert, certificate.pem())?;
        fs::write(&files.key, key.serialize_pem())?;
        // The server refuses a key that others can read.
        fs::set_permissions(&files.key, Permissions::from_mode(0o600))?;
        for path in [&files.ca, &files.cert, &files.key] {
            give(path)?;
        }
        Ok(files)
    }
}
