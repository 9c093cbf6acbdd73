//! `[trust]`: whose packages may be installed on this node. Nobody but who writes this file has a say in it: what the
//! coordinator sends is judged by it.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proto::{Failure, FleetName, OwnerKey};

use super::table::Keys;

/// The vendor's package signing key of 2020 (fact sheet §1.6).
const VENDOR: &str = "5E8EFA2409E5C44FB529BE20EC5EC593D7D1529F";

/// Whose packages may be installed on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Keys of the fleet owner: one, and a second one while one takes the other's place.
    pub owner_keys: Vec<OwnerKey>,
    /// A file with such keys, one a line; read whenever it matters.
    pub owner_keys_file: Option<PathBuf>,
    /// The fleet this node belongs to, for catalogues that are for one fleet only.
    pub fleet: Option<FleetName>,
    /// Whether the vendor's signature is needed.
    pub vendor_signature: VendorPolicy,
    /// The vendor's key, by its fingerprint.
    pub vendor_fingerprint: Fingerprint,
    /// The vendor's key itself; the one in the archive if `None`. Either is believed by its fingerprint only.
    pub vendor_key: Option<PathBuf>,
}

/// Whether the vendor's signature of the packages inside an archive is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VendorPolicy {
    /// On a real node wherever the programs to check it are there; on a stand-in it is told.
    Auto,
    /// Always.
    Required,
    /// Never: what is found is told. One that is there and wrong is refused all the same.
    Reported,
}

/// The fingerprint of an OpenPGP key of version 4: 40 hex digits in upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// A fingerprint from hex digits, with or without blanks between them.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let whole = digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        whole.then(|| Self(digits.to_ascii_uppercase()))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            owner_keys: Vec::new(),
            owner_keys_file: None,
            fleet: None,
            vendor_signature: VendorPolicy::Auto,
            vendor_fingerprint: Fingerprint(VENDOR.to_owned()),
            vendor_key: None,
        }
    }
}

impl Trust {
    /// Whether only what the fleet owner has signed may be installed.
    pub fn asks_owner(&self) -> bool {
        !self.owner_keys.is_empty() || self.owner_keys_file.is_some()
    }

    /// The owner's keys, as they are now. A file without any is an error: somebody believes that there are some.
    ///
    /// # Errors
    /// The file cannot be read, is not the owner's own, or says something else.
    pub fn keys(&self) -> Result<Vec<OwnerKey>, Box<Failure>> {
        let mut keys = self.owner_keys.clone();
        if let Some(path) = &self.owner_keys_file {
            keys.extend(keys_of(path).map_err(|cause| {
                let message = format!("the fleet owner's keys in {} cannot be used", path.display());
                let remedy = "put the lines that begin with RW there, one key a line; the file must belong to root \
                              and be writable by nobody else";
                Box::new(Failure::operator("owner-keys", message, remedy).because(cause))
            })?);
        }
        Ok(keys)
    }
}

fn keys_of(path: &Path) -> Result<Vec<OwnerKey>, String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    let own = rustix::process::geteuid().as_raw();
    if meta.mode() & 0o022 != 0 || (meta.uid() != 0 && meta.uid() != own) {
        return Err("others than root may write it".to_owned());
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("untrusted comment:"));
    let keys: Vec<OwnerKey> = lines
        .map(|line| OwnerKey::parse(line).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("it holds no key".to_owned()) } else { Ok(keys) }
}

/// `[trust]`; without it nothing is asked of the fleet owner.
pub(super) fn trust(keys: &mut Keys) -> Trust {
    let mut table = keys.table("trust");
    let trust = Trust {
        owner_keys: owner_keys(&mut table),
        owner_keys_file: optional_path(&mut table, "owner_keys_file"),
        fleet: fleet(&mut table),
        vendor_signature: policy(&mut table),
        vendor_fingerprint: fingerprint(&mut table),
        vendor_key: optional_path(&mut table, "vendor_key"),
    };
    keys.put_back(table);
    trust
}

fn owner_keys(table: &mut Keys) -> Vec<OwnerKey> {
    let like = "write the line that begins with RW, like owner_keys = [\"RWQ…\"]";
    let mut keys = Vec::new();
    for text in table.one_or_more("owner_keys", like) {
        match OwnerKey::parse(&text) {
            Ok(key) => keys.push(key),
            Err(error) => table.mistake("owner_keys", error.to_string(), like),
        }
    }
    keys
}

fn optional_path(table: &mut Keys, key: &str) -> Option<PathBuf> {
    table.has(key).then(|| table.absolute_path(key, ""))
}

fn fleet(table: &mut Keys) -> Option<FleetName> {
    if !table.has("fleet") {
        return None;
    }
    let text = table.string("fleet", "");
    text.parse()
        .map_err(|error: proto::InvalidName| table.mistake("fleet", error.to_string(), "correct it"))
        .ok()
}

fn policy(table: &mut Keys) -> VendorPolicy {
    let word = table.string("vendor_signature", "auto");
    match word.as_str() {
        "auto" => VendorPolicy::Auto,
        "required" => VendorPolicy::Required,
        "reported" => VendorPolicy::Reported,
        other => {
            let reason = format!("`{other}` is not known");
            table.mistake("vendor_signature", reason, "use auto, required or reported");
            VendorPolicy::Required
        }
    }
}

fn fingerprint(table: &mut Keys) -> Fingerprint {
    let text = table.string("vendor_fingerprint", VENDOR);
    Fingerprint::parse(&text).unwrap_or_else(|| {
        let reason = format!("`{text}` is no fingerprint");
        table.mistake("vendor_fingerprint", reason, "write the 40 hex digits that `gpg --show-keys` prints");
        Fingerprint(VENDOR.to_owned())
    })
}
