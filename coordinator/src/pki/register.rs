//! The register: every certificate that an authority has made, and what became of it. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proto::{Failure, FleetName, Identity};
use serde::{Deserialize, Serialize};

use super::Host;

/// The format that is written, and the newest that is read.
const FORMAT: u32 = 1;

/// The register of one authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    format: u32,
    /// The fleet that the authority is for.
    pub fleet: FleetName,
    /// Counts the lists of revoked certificates.
    pub revocations: u64,
    /// All certificates, in the order in which they were made.
    pub certificates: Vec<Issued>,
}

/// A certificate that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its serial number, in hex.
    pub serial: String,
    /// Whose it is.
    pub identity: Identity,
    /// The hosts that it names.
    pub hosts: Vec<Host>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Who made its key.
    pub key: KeyMadeBy,
    /// Since when it is not valid any more, although it has not expired.
    pub revoked_at: Option<Timestamp>,
    /// Why it was revoked.
    pub reason: Option<String>,
}

/// Who made the key of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyMadeBy {
    /// The authority: it was in the bundle.
    Authority,
    /// Its owner, who has never shown it.
    Owner,
}

/// Whether a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It does.
    Valid,
    /// It does not any more.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Issued {
    /// Whether it counts now.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.revoked_at.is_some() {
            Standing::Revoked
        } else if self.not_after <= now {
            Standing::Expired
        } else {
            Standing::Valid
        }
    }
}

/// What can be read of a register of any format.
#[derive(Deserialize)]
struct Named {
    format: u32,
}

impl Register {
    /// An empty one.
    pub fn new(fleet: FleetName) -> Self {
        Self { format: FORMAT, fleet, revocations: 1, certificates: Vec::new() }
    }

    /// Reads one.
    ///
    /// # Errors
    /// Why not.
    pub fn parse(json: &str) -> Result<Self, String> {
        let Named { format } = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if format != FORMAT {
            return Err(format!(
                "it has format {format}, and this program knows {FORMAT}; use the newer ratchet"
            ));
        }
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// The newest certificate of somebody that counts now.
    pub fn valid(&self, identity: &Identity, now: Timestamp) -> Option<&Issued> {
        let of = |issued: &&Issued| issued.identity == *identity && issued.standing(now) == Standing::Valid;
        self.certificates.iter().rev().find(of)
    }

    /// Somebody else whose valid certificate names a host.
    pub fn other_at(&self, host: &Host, identity: &Identity, now: Timestamp) -> Option<&Issued> {
        let of = |issued: &&Issued| {
            issued.identity != *identity
                && issued.standing(now) == Standing::Valid
                && issued.hosts.contains(host)
        };
        self.certificates.iter().rev().find(of)
    }

    /// The identity of a name, which may be given as NAME, ROLE/NAME or whole.
    ///
    /// # Errors
    /// Nobody or more than one has it.
    pub fn identity(&self, name: &str) -> Result<Identity, Failure> {
        let is_meant = |identity: &Identity| {
            let Identity { role, name: own, .. } = identity;
            own.as_str() == name || format!("{role}/{own}") == name || identity.to_string() == name
        };
        let mut found: Vec<&Identity> =
            self.certificates.iter().map(|issued| &issued.identity).filter(|one| is_meant(one)).collect();
        found.sort();
        found.dedup();
        match found[..] {
            [] => Err(nobody(name)),
            [one] => Ok(one.clone()),
            [..] => Err(ambiguous(name, &found)),
        }
    }

    /// The newest certificate of everybody that counts now and does not for longer than a span.
    pub fn expiring(&self, within: SignedDuration, now: Timestamp) -> Vec<&Issued> {
        let valid = self.certificates.iter().filter(|issued| issued.standing(now) == Standing::Valid);
        let newest: BTreeMap<&Identity, &Issued> = valid.map(|issued| (&issued.identity, issued)).collect();
        newest.into_values().filter(|issued| issued.not_after.duration_since(now) <= within).collect()
    }

    /// Revokes the valid certificates of a name, or the one with a serial number. What is revoked already stays as it is.
    /// Answers those that a list of revoked certificates must hold for it.
    ///
    /// # Errors
    /// There is none.
    pub fn revoke(&mut self, subject: &str, reason: &str, now: Timestamp) -> Result<Vec<Issued>, Failure> {
        let serial = subject.to_ascii_lowercase();
        let by_serial = self.certificates.iter().any(|issued| issued.serial == serial);
        let identity = if by_serial { None } else { Some(self.identity(subject)?) };
        let meant = |issued: &Issued| match &identity {
            Some(identity) => issued.identity == *identity && issued.standing(now) != Standing::Expired,
            None => issued.serial == serial,
        };
        let mut revoked = Vec::new();
        for issued in self.certificates.iter_mut().filter(|issued| meant(issued)) {
            if issued.revoked_at.is_none() {
                (issued.revoked_at, issued.reason) = (Some(now), Some(reason.to_owned()));
            }
            revoked.push(issued.clone());
        }
        if revoked.is_empty() {
            return Err(nobody(subject));
        }
        self.revocations += 1;
        Ok(revoked)
    }
}

fn nobody(name: &str) -> Failure {
    let message = format!("this authority has issued no certificate for `{name}` that still counts");
    Failure::operator("no-such-certificate", message, "see which there are: ratchet pki list")
}

fn ambiguous(name: &str, found: &[&Identity]) -> Failure {
    let all: Vec<String> = found.iter().map(|one| format!("{}/{}", one.role, one.name)).collect();
    let message = format!("`{name}` is the name of several: {}", all.join(", "));
    Failure::operator("ambiguous-name", message, "give the role, too, like agent/NAME")
}
