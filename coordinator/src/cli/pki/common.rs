//! What the verbs on a local authority share.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use proto::{Failure, Identity, PeerName, Role};

use crate::cli::client::Answer;
use crate::cli::context::Context;
use crate::documents::{CertificateRow, Document, IssuedDocument, IssuedRow};
use crate::pki::{Authority, Bundle, DEFAULT_DIR, DEFAULT_INSTALL_DIR, Host, Order, Signed};

/// Which authority.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Dir {
    /// The authority's directory
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    pub(super) dir: PathBuf,
}

/// Where bundles go.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Out {
    /// Where bundles are put, each in a directory of its own
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) out: PathBuf,
    /// Where the files will lie on their machine: it is named in the bundle's tls.toml
    #[arg(long, value_name = "DIR", default_value = DEFAULT_INSTALL_DIR)]
    pub(super) install_dir: PathBuf,
}

/// For how long something is valid.
pub(super) fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

/// A certificate of this authority's fleet to make.
pub(super) fn order(authority: &Authority, role: Role, name: &PeerName, hosts: &[Host], valid: u32) -> Order {
    let fleet = authority.register().fleet.clone();
    let identity = Identity { fleet, role, name: name.clone() };
    Order { identity, hosts: hosts.to_vec(), valid: days(valid), follows: false }
}

/// Makes a key, its certificate and its bundle.
pub(super) fn bundle(
    authority: &mut Authority,
    order: &Order,
    out: &Out,
    now: Timestamp,
) -> Result<IssuedRow, Failure> {
    Bundle::fits(&out.out, order.identity.name.as_str(), order.follows)?;
    let (signed, key) = authority.issue(order, now)?;
    let bundle = Bundle { signed: &signed, key: &key, out: &out.out, install_dir: &out.install_dir };
    let path = bundle.write(authority, order.follows)?;
    Ok(row(&signed, Some(&path), now))
}

/// A certificate that was made.
pub(super) fn row(signed: &Signed, bundle: Option<&Path>, now: Timestamp) -> IssuedRow {
    IssuedRow {
        certificate: CertificateRow::of(&signed.issued, now),
        bundle: bundle.map(|path| path.display().to_string()),
        pem: signed.pem.clone(),
    }
}

/// Says which certificates were made.
pub(super) fn issued(certificates: Vec<IssuedRow>, left: Vec<CertificateRow>) -> IssuedDocument {
    IssuedDocument { schema: IssuedDocument::SCHEMA.to_owned(), certificates, left }
}

/// Gives a document that was made in this process.
pub(super) fn answer<D: Document>(
    context: &mut Context,
    document: D,
    render: impl FnOnce(&D) -> String,
) -> Result<(), Failure> {
    let json = serde_json::to_string(&document)
        .map_err(|error| Failure::bug("an answer cannot be written down").because(error.to_string()))?;
    context.out.answer(&Answer { json, document }, render)
}

/// Reads a file that was named on the command line.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{} cannot be read", path.display());
        Failure::operator("usage", message, "name a PEM file").because(error.to_string())
    })
}
