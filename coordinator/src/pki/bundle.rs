//! Bundles: everything that one machine or person needs, in one directory, ready to be copied there.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use proto::Failure;
use zeroize::Zeroizing;

use super::files::{Mode, already_there, place};
use super::{Authority, Key, Signed};

/// Where the files are to lie on their machine unless told otherwise.
pub const DEFAULT_INSTALL_DIR: &str = "/etc/ratchet/pki";

/// A bundle that is to be written.
#[derive(Debug)]
pub struct Bundle<'a> {
    /// The certificate.
    pub signed: &'a Signed,
    /// Its key.
    pub key: &'a Key,
    /// The directory in which it gets a directory of its own, by its name.
    pub out: &'a Path,
    /// Where its files will lie on their machine.
    pub install_dir: &'a Path,
}

impl Bundle<'_> {
    /// Where it comes to lie.
    pub fn path(&self) -> PathBuf {
        self.out.join(self.signed.issued.identity.name.as_str())
    }

    /// Sees whether there is room for a bundle of a name, before a certificate is made for it.
    ///
    /// # Errors
    /// Something else is there.
    pub fn fits(out: &Path, name: &str, replaces: bool) -> Result<(), Failure> {
        let path = out.join(name);
        // Nothing but a bundle is ever replaced.
        let free = !path.exists() || replaces && path.join("tls.toml").exists();
        if free { Ok(()) } else { Err(already_there(&path)) }
    }

    /// Writes it: all of it, or nothing.
    ///
    /// # Errors
    /// It is there and must not be replaced, or it cannot be written.
    pub fn write(&self, authority: &Authority, replaces: bool) -> Result<PathBuf, Failure> {
        let path = self.path();
        Self::fits(self.out, self.signed.issued.identity.name.as_str(), replaces)?;
        let key: Zeroizing<String> = self.key.pem();
        let (revoked, tls) = (authority.revoked()?, tls_table(self.install_dir));
        let files = [
            ("ca.pem", authority.certificate(), Mode::Public),
            ("crl.pem", &revoked, Mode::Public),
            ("cert.pem", &self.signed.pem, Mode::Public),
            ("key.pem", &key, Mode::Private),
            ("tls.toml", &tls, Mode::Public),
        ];
        place(&path, &files, replaces)?;
        Ok(path)
    }
}

/// What goes into agent.toml or ratchet.toml.
fn tls_table(dir: &Path) -> String {
    let mut table = String::from("[tls]\n");
    for (name, file) in [("ca", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem"), ("crl", "crl.pem")] {
        let path = toml::Value::String(dir.join(file).display().to_string());
        // Writing to a text cannot fail.
        let _written = writeln!(table, "{name} = {path}");
    }
    table
}
