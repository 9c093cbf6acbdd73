//! The fleet owner's word on this node: the signed catalogue that was kept, and what may be installed by it.
//!
//! The keys are those of the node's configuration; where there are none, nothing is asked. What is kept is verified anew
//! each time, also by the op runner: a file in the state directory is believed by its signature, not by its place.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proto::{
    Authenticity, Failure, Layer, LayerVerdict, OwnedCatalogue, Package, Sha256, SignedCatalogue, Version,
};
use serde::{Deserialize, Serialize};

use crate::config::{Config, Trust};
use crate::durable::{self, Disk};
use crate::state::StateDir;

/// What is on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// The highest serial that was ever kept.
    highest: u64,
    /// The catalogue with that serial.
    signed: SignedCatalogue,
}

/// The fleet owner, as this node knows them.
#[derive(Debug)]
pub struct Owner<'a> {
    trust: &'a Trust,
    path: PathBuf,
}

impl<'a> Owner<'a> {
    /// By the keys of a configuration and the catalogue in a state directory.
    pub fn of(config: &'a Config, state: &StateDir) -> Self {
        Self { trust: &config.trust, path: state.catalogue() }
    }

    /// Keeps a catalogue, if it is the owner's and none with a higher serial was kept; its serial, or `None` where no key
    /// is pinned. Blocks. One at a time.
    ///
    /// # Errors
    /// Why it is refused; what was kept stays.
    pub fn keep(
        &self,
        disk: &Disk,
        signed: &SignedCatalogue,
        now: Timestamp,
    ) -> Result<Option<u64>, Box<Failure>> {
        if !self.trust.asks_owner() {
            return Ok(None);
        }
        let catalogue = signed.verify(&self.trust.keys()?).map_err(|error| refused(error.to_string()))?;
        let before: Option<Kept> = durable::read_json(&self.path)?;
        let highest = before.as_ref().map_or(0, |kept| kept.highest);
        self.judge(&catalogue, now, highest).map_err(refused)?;
        if let Some(kept) = &before
            && kept.highest == catalogue.serial
            && kept.signed.catalogue != signed.catalogue
        {
            let serial = catalogue.serial;
            return Err(refused(format!("serial {serial} was seen before, with other content")));
        }
        let kept = Kept { highest: catalogue.serial, signed: signed.clone() };
        if before.as_ref() != Some(&kept) {
            disk.write_json(&self.path, &kept)?;
        }
        Ok(Some(catalogue.serial))
    }

    /// Whether a package is what the owner says it is, in every respect; what that says of its maker.
    ///
    /// # Errors
    /// Why it must not be used.
    pub fn admit(&self, package: &Package, now: Timestamp) -> Result<Authenticity, Box<Failure>> {
        self.admitted(now, |catalogue| {
            catalogue.allows(package).map_err(|error| not_allowed(&package.to_string(), &error.to_string()))
        })
    }

    /// Whether these bytes may be installed as this version; what that says of their maker.
    ///
    /// # Errors
    /// Why they must not be used.
    pub fn admit_as(
        &self,
        sha256: &Sha256,
        version: Version,
        now: Timestamp,
    ) -> Result<Authenticity, Box<Failure>> {
        self.admitted(now, |catalogue| {
            let allowed = catalogue.allows_version(sha256, version).map(drop);
            allowed.map_err(|error| not_allowed(&version.to_string(), &error.to_string()))
        })
    }

    fn admitted(
        &self,
        now: Timestamp,
        allows: impl FnOnce(&OwnedCatalogue) -> Result<(), Box<Failure>>,
    ) -> Result<Authenticity, Box<Failure>> {
        let told = |verdict, detail: String| Authenticity::new(Layer::Owner, verdict, detail);
        if !self.trust.asks_owner() {
            let why = "no key of the fleet owner is pinned on this node".to_owned();
            return Ok(told(LayerVerdict::NotAsked, why));
        }
        let catalogue = self.current(now)?;
        allows(&catalogue)?;
        let (serial, expires) = (catalogue.serial, catalogue.expires);
        Ok(told(LayerVerdict::Verified, format!("catalogue {serial}, which expires at {expires}")))
    }

    /// The catalogue that was kept, if it holds now.
    fn current(&self, now: Timestamp) -> Result<OwnedCatalogue, Box<Failure>> {
        let kept: Kept = durable::read_json(&self.path)?.ok_or_else(none)?;
        let unusable = |cause: String| unusable(&self.path, cause);
        let catalogue =
            kept.signed.verify(&self.trust.keys()?).map_err(|error| unusable(error.to_string()))?;
        self.judge(&catalogue, now, kept.highest).map_err(unusable)?;
        Ok(catalogue)
    }

    fn judge(&self, catalogue: &OwnedCatalogue, now: Timestamp, highest: u64) -> Result<(), String> {
        catalogue.judge(now, highest, self.trust.fleet.as_ref()).map_err(|error| error.to_string())
    }
}

const RENEW: &str = "let the fleet owner make and sign a new one (ratchet catalogue new, ratchet catalogue sign), name it \
                     as `file` in [catalogue] of ratchet.toml, then `ratchet retry`";

fn refused(cause: String) -> Box<Failure> {
    let message = "this node does not take the signed catalogue";
    Box::new(Failure::operator("catalogue-refused", message, RENEW).because(cause))
}

fn none() -> Box<Failure> {
    let message =
        "this node installs only what the fleet owner has signed, and it was given no signed catalogue";
    Box::new(Failure::operator("no-catalogue", message, RENEW))
}

fn unusable(path: &Path, cause: String) -> Box<Failure> {
    let message = format!("the signed catalogue that this node keeps in {} does not hold", path.display());
    Box::new(Failure::operator("catalogue-refused", message, RENEW).because(cause))
}

fn not_allowed(package: &str, cause: &str) -> Box<Failure> {
    let message = format!("the fleet owner's signed catalogue does not allow {package} on this node");
    let remedy = "if the package is right, let the fleet owner sign a catalogue with it: ratchet catalogue new, ratchet \
                  catalogue sign; else find out who ordered it";
    Box::new(Failure::operator("not-in-catalogue", message, remedy).because(cause.to_owned()))
}

#[cfg(test)]
mod tests;
