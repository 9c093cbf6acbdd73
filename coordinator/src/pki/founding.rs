//! Making an authority.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use proto::{Failure, FleetName, Sha256};
use rcgen::Issuer;

use super::certificate::{self, Serial};
use super::files::{Mode, already_there, place};
use super::{Key, Register, revoked};

/// An authority that was just made.
#[derive(Clone, Debug)]
pub struct Founded {
    /// Its directory.
    pub dir: PathBuf,
    /// What it is pinned by: SHA-256 of its `SubjectPublicKeyInfo`.
    pub pin: Sha256,
    /// Until when its certificate is valid.
    pub not_after: Timestamp,
}

/// Makes an authority in a directory that is not there or is empty: all of it, or nothing.
///
/// # Errors
/// The directory is in use or cannot be written.
pub fn found(
    dir: &Path,
    fleet: &FleetName,
    valid: SignedDuration,
    now: Timestamp,
) -> Result<Founded, Failure> {
    if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(already_there(dir));
    }
    let until = end(now, valid)?;
    let (key, register) = (Key::generate()?, Register::new(fleet.clone()));
    let params = certificate::authority(fleet, Serial::new(rand::random()), now, until);
    let certificate = params.self_signed(key.pair()).map_err(unsigned)?.pem();
    let issuer = Issuer::from_params(&params, key.pair());
    let crl = revoked::list(&register, &issuer, now, until).map_err(unsigned)?;
    let (key_pem, register) = (key.pem(), json(&register)?);
    let files = [
        ("ca.key", key_pem.as_str(), Mode::Private),
        ("ca.pem", &certificate, Mode::Public),
        ("crl.pem", &crl, Mode::Public),
        ("issued.json", &register, Mode::Private),
    ];
    place(dir, &files, false)?;
    let pin = certificate::spki_digest(&certificate).map_err(Failure::bug)?;
    Ok(Founded { dir: dir.to_owned(), pin, not_after: until })
}

/// When something ends that begins now, in whole seconds as certificates have it.
pub(super) fn end(now: Timestamp, valid: SignedDuration) -> Result<Timestamp, Failure> {
    let end = now.checked_add(valid).and_then(|end| Timestamp::from_second(end.as_second()));
    // Certificates know no later year.
    end.ok()
        .filter(|end| end.as_second() < 253_402_300_800)
        .ok_or_else(|| Failure::operator("usage", "the end of the certificate is no date", "give fewer days"))
}

/// A register as it is written.
pub(super) fn json(register: &Register) -> Result<String, Failure> {
    serde_json::to_string_pretty(register)
        .map_err(|error| Failure::bug("the register cannot be written down").because(error.to_string()))
}

/// Something cannot be signed.
pub(super) fn unsigned(error: rcgen::Error) -> Failure {
    let remedy = "see that ca.pem and ca.key in the authority's directory belong together";
    Failure::operator("unusable-authority", "the authority cannot sign", remedy).because(error.to_string())
}
