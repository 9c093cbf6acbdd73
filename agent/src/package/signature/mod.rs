//! The vendor's word on the packages inside an archive: their signature by the pinned key, and the version that they say of
//! themselves.
//!
//! Pure: [`ar`], [`list`], [`key`], [`status`], [`policy`] and the judging half of [`rpm`]. What is believed of a key is its
//! fingerprint; where it lies says nothing.

pub mod ar;
mod deb;
pub mod key;
pub mod list;
mod policy;
mod programs;
mod rpm;
pub mod status;
mod version;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use proto::{Authenticity, Failure, Layer, LayerVerdict};

use super::contents;
use super::manifest::{Entry, Manifest};
use crate::config::{Config, Trust, VendorPolicy};
use crate::durable::{self, Disk};
use key::VendorKey;
use policy::Seen;
pub use programs::Programs;

/// What the vendor's key is called inside an archive (fact sheet §1.5).
const KEY_INSIDE: &str = "GPG-KEY-redislabs-packages";

/// What is looked at, and by what.
#[derive(Debug)]
pub struct Inspection<'a> {
    /// The directory that an unpack step made.
    pub dir: &'a Path,
    /// What is in it.
    pub manifest: &'a Manifest,
    /// What the node's configuration says.
    pub config: &'a Config,
    /// Where programs are.
    pub programs: &'a Programs,
    /// Where files are written.
    pub disk: &'a Disk,
}

/// What one look works with.
#[derive(Debug)]
struct Job<'a> {
    trust: &'a Trust,
    programs: &'a Programs,
    /// For the programs' own files.
    scratch: &'a Path,
    /// Whether there is a key, although maybe another one.
    key_is_there: bool,
}

/// What a file is by its first bytes, whatever its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Deb,
    Rpm,
    Neither,
}

impl Inspection<'_> {
    /// What can be said of every package at the top of the archive.
    ///
    /// # Errors
    /// Why the archive must not be used.
    pub async fn look(&self) -> Result<Vec<Authenticity>, Box<Failure>> {
        let scratch = self.dir.join("scratch");
        durable::remove(&scratch)?;
        self.disk.make_private_dir(&scratch)?;
        let looked = self.look_in(&scratch).await;
        durable::remove(&scratch)?;
        looked
    }

    async fn look_in(&self, scratch: &Path) -> Result<Vec<Authenticity>, Box<Failure>> {
        let trust = &self.config.trust;
        let (key, key_is_there) = self.key()?;
        let job = Job { trust, programs: self.programs, scratch, key_is_there };
        let mut told = Vec::new();
        for name in self.packages() {
            let file = Manifest::tree(self.dir).join(name);
            told.extend(self.package(name, &file, &key, &job).await?);
        }
        if told.is_empty() {
            let none = Seen::Unknown("the archive holds no package that could be signed".to_owned());
            told.push(self.vendor("", &none)?);
        }
        Ok(told)
    }

    /// The packages at the top of the archive: the main one and those beside it.
    fn packages(&self) -> impl Iterator<Item = &str> {
        let is_package = |(path, entry): &(&String, &Entry)| {
            let named = path.ends_with(".deb") || path.ends_with(".rpm");
            matches!(entry, Entry::File { .. }) && named && !path.contains('/')
        };
        self.manifest.entries.iter().filter(is_package).map(|(path, _)| path.as_str())
    }

    async fn package(
        &self,
        name: &str,
        file: &Path,
        key: &Result<VendorKey, String>,
        job: &Job<'_>,
    ) -> Result<Vec<Authenticity>, Box<Failure>> {
        let unreadable = |error: io::Error| unreadable(name, &error);
        let kind = kind(file).map_err(unreadable)?;
        let seen = match kind {
            Kind::Deb => deb::look(file, key, job).await.map_err(unreadable)?,
            Kind::Rpm => rpm::look(file, key, job).await.map_err(unreadable)?,
            Kind::Neither => Seen::Unknown("it is neither a Debian nor an RPM package".to_owned()),
        };
        let mut told = vec![self.vendor(name, &seen)?];
        if self.manifest.main_package.as_deref() == Some(name) {
            let inside = version::inside(file, kind, job).await.map_err(unreadable)?;
            told.push(self.version(name, inside)?);
        }
        Ok(told)
    }

    fn vendor(&self, name: &str, seen: &Seen) -> Result<Authenticity, Box<Failure>> {
        let detail = detail(name, seen.detail());
        match policy::judge(self.config.trust.vendor_signature, self.config.is_real(), seen) {
            Ok(verdict) => Ok(Authenticity::new(Layer::Vendor, verdict, detail)),
            Err(()) => Err(not_the_vendors(detail)),
        }
    }

    fn version(
        &self,
        name: &str,
        inside: Result<proto::Version, String>,
    ) -> Result<Authenticity, Box<Failure>> {
        let told = |verdict, text: &str| Authenticity::new(Layer::Version, verdict, detail(name, text));
        match inside {
            Ok(version) if version == self.manifest.version => {
                Ok(told(LayerVerdict::Verified, &version.to_string()))
            }
            Ok(version) => {
                let planned = self.manifest.version;
                Err(contents::wrong(format!(
                    "{name} calls itself {version} inside, and the plan says {planned}"
                )))
            }
            Err(why) => Ok(told(LayerVerdict::NotChecked, &why)),
        }
    }

    /// The vendor's key: of the file that the configuration names, else of the archive itself. Whether there is any file.
    fn key(&self) -> Result<(Result<VendorKey, String>, bool), Box<Failure>> {
        let trust = &self.config.trust;
        let read = |path: &Path| -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            File::open(path)?.take(key::MOST).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        if let Some(path) = &trust.vendor_key {
            let named = |cause: String| {
                let message = format!("the vendor's key {} cannot be used", path.display());
                let remedy =
                    "put the vendor's key there, or correct vendor_key and vendor_fingerprint in [trust]";
                Box::new(Failure::operator("vendor-key", message, remedy).because(cause))
            };
            let bytes = read(path).map_err(|error| named(error.to_string()))?;
            return VendorKey::find(&bytes, &trust.vendor_fingerprint)
                .map(|key| (Ok(key), true))
                .map_err(named);
        }
        let Some((name, path)) = self.key_inside() else {
            return Ok((
                Err("no key of the vendor is at hand: vendor_key in [trust] names none".to_owned()),
                false,
            ));
        };
        let bytes = read(&path).map_err(|error| unreadable(&name, &error))?;
        let key = VendorKey::find(&bytes, &trust.vendor_fingerprint);
        // What is no key at all says nothing about who made the package.
        let is_there = key.is_ok() || key.as_ref().is_err_and(|cause| cause.contains("is pinned"));
        Ok((key.map_err(|cause| format!("{name} in the archive: {cause}")), is_there))
    }

    fn key_inside(&self) -> Option<(String, PathBuf)> {
        let is_key =
            |path: &&String| path.rsplit('/').next().is_some_and(|name| name.starts_with(KEY_INSIDE));
        let path = self.manifest.entries.keys().find(is_key)?;
        Some((path.clone(), Manifest::tree(self.dir).join(path)))
    }
}

/// Whether what an unpack step found is enough by today's configuration: it may have been made stricter since, and a file
/// beside the tree may have been changed.
///
/// # Errors
/// Why the tree must not be used.
pub fn refuse_unproven(config: &Config, manifest: &Manifest) -> Result<(), Box<Failure>> {
    let mut vendor = manifest.authenticity.iter().filter(|told| told.layer == Layer::Vendor);
    let strict = config.trust.vendor_signature == VendorPolicy::Required;
    let enough = |told: &Authenticity| match told.verdict {
        LayerVerdict::Verified => true,
        LayerVerdict::NotChecked => !strict,
        LayerVerdict::NotAsked | LayerVerdict::Failed => !strict && !needed(config),
    };
    // An unpack step that was stopped half-way leaves a tree that nobody has looked at.
    if (strict || needed(config)) && vendor.clone().next().is_none() {
        let message = "nobody has looked who made the unpacked package";
        let remedy = "prepare the node again: `ratchet retry` does";
        return Err(Box::new(Failure::operator("vendor-signature", message, remedy)));
    }
    match vendor.find(|told| !enough(told)) {
        Some(told) => Err(not_the_vendors(told.detail.clone())),
        None => Ok(()),
    }
}

fn needed(config: &Config) -> bool {
    config.trust.vendor_signature == VendorPolicy::Auto && config.is_real()
}

fn kind(file: &Path) -> io::Result<Kind> {
    let mut first = Vec::new();
    File::open(file)?.take(8).read_to_end(&mut first)?;
    Ok(if first.starts_with(ar::MAGIC) {
        Kind::Deb
    } else if first.starts_with(rpm::MAGIC) {
        Kind::Rpm
    } else {
        Kind::Neither
    })
}

fn detail(name: &str, text: &str) -> String {
    if name.is_empty() { text.to_owned() } else { format!("{name}: {text}") }
}

fn not_the_vendors(cause: String) -> Box<Failure> {
    let message = "nothing proves that the package is the vendor's";
    let remedy = "get the archive from the vendor again; [trust] in agent.toml has the vendor's key (vendor_key) and says \
                  whether its signature is needed (vendor_signature); see docs/authenticity.md";
    Box::new(Failure::operator("vendor-signature", message, remedy).because(cause))
}

fn unreadable(name: &str, error: &io::Error) -> Box<Failure> {
    let remedy = "see to the agent's state directory, then `ratchet retry`";
    let message = format!("the unpacked file {name} cannot be looked at");
    Box::new(Failure::operator("state", message, remedy).because(error.to_string()))
}

#[cfg(test)]
mod tests;
