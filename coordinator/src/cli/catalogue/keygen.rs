//! `ratchet catalogue keygen --secret FILE --public FILE`.

use std::path::PathBuf;

use minisign::{KeyPair, PError};
use proto::Failure;

use super::files;
use super::password::{self, Password};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::{CatalogueKeyDocument, Document};

/// Only its owner may read it.
const SECRET: u32 = 0o600;

/// Arguments of `catalogue keygen`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file for the secret key; it must not exist
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    /// The file for the public key; it must not exist
    #[arg(long, value_name = "FILE")]
    public: PathBuf,
    #[command(flatten)]
    password: Password,
    /// Leave the secret key without a password: for a key that lives in a vault of its own
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let pair = if self.no_password {
            KeyPair::generate_unencrypted_keypair()
        } else {
            let word = self.password.read()?.ok_or_else(password::none)?;
            KeyPair::generate_encrypted_keypair(Some(word.to_string()))
        };
        let pair = pair.map_err(|error| unmade(&error))?;
        let secret = pair.sk.to_box(None).map_err(|error| unmade(&error))?.into_string();
        let public = pair.pk.to_box().map_err(|error| unmade(&error))?.into_string();
        files::create(&self.secret, &zeroize::Zeroizing::new(secret), SECRET)?;
        files::create(&self.public, &public, 0o644)?;
        let document = CatalogueKeyDocument {
            schema: CatalogueKeyDocument::SCHEMA.to_owned(),
            public_key: pair.pk.to_base64(),
            public_file: self.public.display().to_string(),
            secret_file: self.secret.display().to_string(),
        };
        files::answer(context, &document, render::catalogue_key)?;
        Ok(Exit::Done)
    }
}

fn unmade(error: &PError) -> Failure {
    Failure::bug("no key could be made").because(error.to_string())
}
