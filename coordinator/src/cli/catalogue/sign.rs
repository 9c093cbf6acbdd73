//! `ratchet catalogue sign FILE --secret KEY`.

use std::io::Cursor;
use std::path::PathBuf;

use data_encoding::BASE64;
use jiff::Timestamp;
use minisign::{PError, PublicKey, SecretKey, SecretKeyBox};
use proto::{Failure, OwnerKey, SignedCatalogue};
use zeroize::Zeroizing;

use super::files;
use super::password::{self, Password};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::documents::CatalogueDocument;
use crate::tables::signature_of;

/// Arguments of `catalogue sign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue; its signature is written beside it, with .minisig after its name
    file: PathBuf,
    /// The file with the secret key
    #[arg(long, value_name = "FILE")]
    secret: PathBuf,
    #[command(flatten)]
    password: Password,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let text = files::read(&self.file)?;
        let catalogue = files::parsed(&text, &self.file)?;
        if catalogue.expires <= Timestamp::now() {
            let message = format!("{} expired at {}", self.file.display(), catalogue.expires);
            return Err(Failure::operator("catalogue", message, "make it anew: ratchet catalogue new FILE"));
        }
        let secret = self.secret()?;
        let comment = format!("catalogue {}, expires {}", catalogue.serial, catalogue.expires);
        let bytes = Cursor::new(text.as_bytes());
        let signed = minisign::sign(None, &secret, bytes, Some(&comment), None);
        let signature = signed.map_err(|error| self.unusable(&error))?.into_string();
        self.verified(&secret, &text, &signature)?;
        let beside = signature_of(&self.file);
        files::write(&beside, &signature, 0o644)?;
        let (file, beside) = (self.file.display().to_string(), beside.display().to_string());
        let document = CatalogueDocument::of(&catalogue, file, Some(beside), true);
        files::answer(context, &document, render::catalogue)?;
        Ok(Exit::Done)
    }

    /// What a node would not take is not written.
    fn verified(&self, secret: &SecretKey, text: &str, signature: &str) -> Result<(), Failure> {
        let key = PublicKey::from_secret_key(secret).map_err(|error| self.unusable(&error))?;
        let key = OwnerKey::parse(&key.to_base64())
            .map_err(|error| Failure::bug("a public key cannot be read").because(error.to_string()))?;
        let signed = SignedCatalogue { catalogue: text.to_owned(), signature: signature.to_owned() };
        signed.verify(&[key]).map(drop).map_err(|error| files::no_catalogue(&self.file, &error))
    }

    fn secret(&self) -> Result<SecretKey, Failure> {
        let text = Zeroizing::new(files::read(&self.secret)?);
        if let Some(bytes) = unprotected(&text) {
            return SecretKey::from_bytes(&bytes).map_err(|error| self.unusable(&error));
        }
        let word = self.password.read()?.ok_or_else(password::none)?;
        let boxed = SecretKeyBox::from_string(&text).map_err(|error| self.unusable(&error))?;
        boxed.into_secret_key(Some(word.to_string())).map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &PError) -> Failure {
        let message = format!("the secret key {} cannot be used", self.secret.display());
        let remedy = "name a secret key of minisign, and the file with its password";
        Failure::operator("usage", message, remedy).because(error.to_string())
    }
}

/// The bytes of a key without a password. minisign's program gives such a key no checksum, so it is taken as it is; a damaged
/// one makes no signature that verifies.
fn unprotected(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let line = text.lines().nth(1)?.trim();
    let bytes = Zeroizing::new(BASE64.decode(line.as_bytes()).ok()?);
    // What derives the key that it is encrypted with: nothing.
    (bytes.get(2..4) == Some(&[0, 0])).then_some(bytes)
}
