//! An authority of one's own: who belongs to the fleet, as certificates in a directory.
//!
//! What a certificate holds, and what the register of all that were issued says, is pure; `files` is the door. The time is
//! an argument everywhere.

mod authority;
mod bundle;
mod certificate;
mod files;
mod founding;
mod host;
mod key;
mod register;
mod request;
mod revoked;

#[cfg(test)]
pub(crate) mod tests;

pub use authority::{Authority, Order, Signed};
pub use bundle::{Bundle, DEFAULT_INSTALL_DIR};
pub use certificate::{Read, read, spki_digest};
pub use founding::{Founded, found};
pub use host::{Host, InvalidHost};
pub use key::Key;
pub use register::{Issued, KeyMadeBy, Register, Standing};
pub use request::CertificateRequest;

/// Where an authority is kept unless told otherwise.
pub const DEFAULT_DIR: &str = "/etc/ratchet/authority";
