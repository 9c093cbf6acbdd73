//! Certificates of an authority of the stage's own, as an operator would bring them: PEM files.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};

/// Who drives the fleet, and who asks it to.
pub(crate) const COORDINATOR: &str = "coordinator/stage";
pub(crate) const OPERATOR: &str = "operator/stage";

/// Writes an authority, and a certificate for loopback for each of these: `role/name`.
pub(crate) fn write(dir: &Path, whose: &[String]) -> Result<Files> {
    std::fs::create_dir_all(dir)?;
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.distinguished_name.push(DnType::CommonName, "stage authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let files = Files(dir.to_owned());
    std::fs::write(files.ca(), authority.pem())?;
    for who in whose {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        params.subject_alt_names.push(SanType::URI(format!("spiffe://stage/{who}").try_into()?));
        std::fs::write(files.of(who, "cert"), params.signed_by(&key, &authority)?.pem())?;
        std::fs::write(files.of(who, "key"), key.serialize_pem())?;
    }
    Ok(files)
}

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct Files(PathBuf);

impl Files {
    fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    fn of(&self, who: &str, kind: &str) -> PathBuf {
        self.0.join(format!("{}-{kind}.pem", who.replace('/', "-")))
    }

    /// The `[tls]` table of one of them.
    pub(crate) fn table(&self, who: &str) -> String {
        let (ca, cert, key) = (self.ca(), self.of(who, "cert"), self.of(who, "key"));
        format!("[tls]\nca = {ca:?}\ncert = {cert:?}\nkey = {key:?}\n")
    }
}
