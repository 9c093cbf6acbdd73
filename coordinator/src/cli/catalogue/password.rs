//! The password of a secret key: from a file or from the environment, never from the arguments, which everybody on the
//! machine can read.

use std::path::{Path, PathBuf};

use proto::Failure;
use zeroize::Zeroizing;

use super::files;

/// Where the password is if no file is named.
const VARIABLE: &str = "RATCHET_CATALOGUE_PASSWORD";

/// How a secret key is protected.
#[derive(Debug, clap::Args)]
pub struct Password {
    /// A file with the key's password in its first line; else it is taken from RATCHET_CATALOGUE_PASSWORD
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Password {
    /// The password, if there is one.
    pub(super) fn read(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        match &self.password_file {
            Some(path) => first_line(path).map(Some),
            None => Ok(std::env::var(VARIABLE).ok().filter(|word| !word.is_empty()).map(Zeroizing::new)),
        }
    }
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(files::read(path)?);
    let word = text.lines().next().unwrap_or_default();
    if word.is_empty() {
        let message = format!("{} has no password in its first line", path.display());
        return Err(Failure::operator("usage", message, "write the password there"));
    }
    Ok(Zeroizing::new(word.to_owned()))
}

/// Neither a file nor the environment says it.
pub(super) fn none() -> Failure {
    let remedy =
        format!("name --password-file FILE or set {VARIABLE}; a key without one is made with --no-password");
    Failure::operator("usage", "the secret key's password is not given", remedy)
}
