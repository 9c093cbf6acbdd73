//! Certificates of an authority of one's own, as an operator would bring them: PEM files.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};

/// An authority, and one side's certificate.
#[derive(Clone, Debug)]
pub struct Pki {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The certificate.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What both sides show.
#[derive(Clone, Debug)]
pub struct Sides {
    /// All agents.
    pub agents: Pki,
    /// The coordinator.
    pub coordinator: Pki,
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
    /// Makes those of both sides, for these host names and addresses, in a directory.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn write(dir: &Path, names: &[String]) -> Result<Sides, PkiError> {
        std::fs::create_dir_all(dir)?;
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.distinguished_name.push(DnType::CommonName, "test authority");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        std::fs::write(dir.join("ca.pem"), authority.pem())?;
        let side = |role: &str| Self::issue(dir, role, names, &authority);
        Ok(Sides { agents: side("agent")?, coordinator: side("coordinator")? })
    }

    fn issue(
        dir: &Path,
        role: &str,
        names: &[String],
        authority: &CertifiedIssuer<'_, KeyPair>,
    ) -> Result<Self, PkiError> {
        let file = |kind: &str| dir.join(format!("{role}-{kind}.pem"));
        let files = Self { ca: dir.join("ca.pem"), cert: file("cert"), key: file("key") };
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.subject_alt_names.push(SanType::URI(format!("spiffe://lab/{role}/lab").try_into()?));
        std::fs::write(&files.cert, params.signed_by(&key, authority)?.pem())?;
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
