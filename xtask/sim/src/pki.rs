//! Certificates of an authority of one's own, as an operator would bring them: PEM files.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// An authority, and one certificate that is good for both sides.
#[derive(Clone, Debug)]
pub struct Pki {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The certificate.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why there are no certificates.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// They cannot be made.
    #[error("certificates cannot be made")]
    Make(#[from] rcgen::Error),
    /// They cannot be written.
    #[error("certificates cannot be written; check that their directory is writable and has room")]
    Write(#[from] io::Error),
}

impl Pki {
    /// Makes them for these host names and addresses, in a directory.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn write(dir: &Path, names: &[String]) -> Result<Self, PkiError> {
        std::fs::create_dir_all(dir)?;
        let files = Self { ca: dir.join("ca.pem"), cert: dir.join("cert.pem"), key: dir.join("key.pem") };
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.distinguished_name.push(DnType::CommonName, "test authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
        std::fs::write(&files.ca, authority.pem())?;
        std::fs::write(&files.cert, certificate.pem())?;
        std::fs::write(&files.key, key.serialize_pem())?;
        Ok(files)
    }

    /// The same files below another directory, as a machine has them that they were copied to.
    #[must_use]
    pub fn below(&self, dir: &Path) -> Self {
        let moved = |path: &PathBuf| path.file_name().map_or(dir.to_owned(), |name| dir.join(name));
        Self { ca: moved(&self.ca), cert: moved(&self.cert), key: moved(&self.key) }
    }

    /// The `[tls]` table of an agent's or a coordinator's configuration.
    pub fn table(&self) -> String {
        format!("[tls]\nca = {:?}\ncert = {:?}\nkey = {:?}\n", self.ca, self.cert, self.key)
    }
}
