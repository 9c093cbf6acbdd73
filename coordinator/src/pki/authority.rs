//! The authority at work: it issues, signs and revokes. Whatever it signs is in its register before anybody has it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proto::{Failure, Identity, Role, Sha256};
use rcgen::{Issuer, KeyPair, PublicKeyData};

use super::certificate::{self, Serial, Wanted};
use super::files::{Directory, Lock, Mode};
use super::founding::{end, json, unsigned};
use super::register::{Issued, KeyMadeBy, Register};
use super::{CertificateRequest, Host, Key, revoked};

/// A certificate to make.
#[derive(Clone, Debug)]
pub struct Order {
    /// For whom.
    pub identity: Identity,
    /// The hosts that it names.
    pub hosts: Vec<Host>,
    /// For how long. It never outlives the authority.
    pub valid: SignedDuration,
    /// Whether it may follow one that still counts.
    pub follows: bool,
}

/// A certificate that was made.
#[derive(Clone, Debug)]
pub struct Signed {
    /// As it is in the register.
    pub issued: Issued,
    /// The certificate, PEM; behind a coordinator's is the authority's, so that nodes that enrol see whose it is.
    pub pem: String,
}

/// An authority that may sign: its directory is locked for as long as this lives.
#[derive(Debug)]
pub struct Authority {
    directory: Directory,
    key: Key,
    certificate: String,
    pin: Sha256,
    until: Timestamp,
    register: Register,
    _lock: Lock,
}

/// Reads the register without the right to write; whoever writes replaces it as a whole.
impl Register {
    /// That of the authority in a directory.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let text = Directory::at(dir).read("issued.json")?;
        Self::parse(&text).map_err(|cause| damaged(dir, "issued.json").because(cause))
    }
}

impl Authority {
    /// Opens the one in a directory. A list of revoked certificates that was left behind its register is made anew.
    ///
    /// # Errors
    /// There is none, somebody else writes to it now, or it is damaged.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, Failure> {
        let directory = Directory::at(dir);
        // A lock must not be made where there is no authority.
        directory.read("issued.json")?;
        let lock = directory.lock()?;
        let register = Register::read(dir)?;
        let certificate = directory.read("ca.pem")?;
        let read = certificate::read(&certificate).map_err(|cause| damaged(dir, "ca.pem").because(cause))?;
        let Some(own) = read.first().filter(|own| own.is_authority) else {
            return Err(damaged(dir, "ca.pem"));
        };
        let (pin, until) = (own.key, own.until);
        let key = Key::from_pem(&directory.read_secret("ca.key")?)
            .map_err(|error| damaged(dir, "ca.key").because(error.to_string()))?;
        if Sha256::of(&key.pair().subject_public_key_info()) != pin {
            return Err(damaged(dir, "ca.key").because("it is not the key of ca.pem"));
        }
        let opened = Self { directory, key, certificate, pin, until, register, _lock: lock };
        if revoked::number(&opened.revoked()?) != Some(opened.register.revocations) {
            opened.write_revoked(now)?;
        }
        Ok(opened)
    }

    /// The authority's certificate, PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// What it is pinned by.
    pub fn pin(&self) -> Sha256 {
        self.pin
    }

    /// Its register.
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// The list of revoked certificates, PEM.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn revoked(&self) -> Result<String, Failure> {
        self.directory.read("crl.pem")
    }

    /// Makes a key and its certificate.
    ///
    /// # Errors
    /// What is ordered cannot be, or it cannot be written down.
    pub fn issue(&mut self, order: &Order, now: Timestamp) -> Result<(Signed, Key), Failure> {
        let key = Key::generate()?;
        let signed = self.make(order, key.pair(), KeyMadeBy::Authority, now)?;
        Ok((signed, key))
    }

    /// Makes a certificate for a key that somebody else has. Of the request only the public key counts.
    ///
    /// # Errors
    /// As for [`Self::issue`].
    pub fn sign(
        &mut self,
        order: &Order,
        request: &CertificateRequest,
        now: Timestamp,
    ) -> Result<Signed, Failure> {
        self.make(order, request.key(), KeyMadeBy::Owner, now)
    }

    fn make(
        &mut self,
        order: &Order,
        key: &impl PublicKeyData,
        made_by: KeyMadeBy,
        now: Timestamp,
    ) -> Result<Signed, Failure> {
        let Order { identity, hosts, .. } = order;
        self.allows(order, now)?;
        let until = end(now, order.valid)?.min(self.until);
        let serial = Serial::new(rand::random());
        let wanted = Wanted { identity, hosts, serial, now, until };
        let params = certificate::of(&wanted).map_err(unsigned)?;
        let mut pem = params.signed_by(key, &self.issuer()?).map_err(unsigned)?.pem();
        if identity.role == Role::Coordinator {
            pem.push_str(&self.certificate);
        }
        let issued = Issued {
            serial: serial.hex(),
            identity: identity.clone(),
            hosts: hosts.clone(),
            not_before: certificate::valid_from(now),
            not_after: until,
            issued_at: now,
            key: made_by,
            revoked_at: None,
            reason: None,
        };
        self.register.certificates.push(issued.clone());
        self.write_register()?;
        Ok(Signed { issued, pem })
    }

    /// Whether a certificate may be made.
    fn allows(&self, order: &Order, now: Timestamp) -> Result<(), Failure> {
        let Order { identity, hosts, .. } = order;
        if identity.fleet != self.register.fleet {
            return Err(other_fleet(identity, self.register.fleet.as_str()));
        }
        if self.until <= now {
            return Err(over(self.until));
        }
        let is_dialled = matches!(identity.role, Role::Coordinator | Role::Agent);
        if !hosts.is_empty() && !is_dialled {
            let message = format!("nobody dials the {} {}", identity.role, identity.name);
            return Err(Failure::operator("usage", message, "leave out --host"));
        }
        if hosts.is_empty() && identity.role == Role::Coordinator {
            let message =
                format!("nobody could dial the coordinator {}: its certificate names no host", identity.name);
            return Err(Failure::operator(
                "usage",
                message,
                "name the hosts that it is dialled at: --host HOST",
            ));
        }
        match self.register.valid(identity, now).filter(|_| !order.follows) {
            Some(valid) => Err(already_issued(valid)),
            None => Ok(()),
        }
    }

    /// Revokes the certificates of a name, or one by its serial number.
    ///
    /// # Errors
    /// There is none, or it cannot be written down. It may be repeated.
    pub fn revoke(&mut self, subject: &str, reason: &str, now: Timestamp) -> Result<Vec<Issued>, Failure> {
        let revoked = self.register.revoke(subject, reason, now)?;
        self.write_register()?;
        self.write_revoked(now)?;
        Ok(revoked)
    }

    fn write_register(&self) -> Result<(), Failure> {
        self.directory.write("issued.json", &json(&self.register)?, Mode::Private)
    }

    fn write_revoked(&self, now: Timestamp) -> Result<(), Failure> {
        let list = revoked::list(&self.register, &self.issuer()?, now, self.until).map_err(unsigned)?;
        self.directory.write("crl.pem", &list, Mode::Public)
    }

    fn issuer(&self) -> Result<Issuer<'static, &KeyPair>, Failure> {
        Issuer::from_ca_cert_pem(&self.certificate, self.key.pair()).map_err(unsigned)
    }
}

fn damaged(dir: &Path, file: &str) -> Failure {
    let message = format!("{} cannot be used", dir.join(file).display());
    Failure::operator("unusable-authority", message, "restore the authority's directory from a backup")
}

fn other_fleet(identity: &Identity, fleet: &str) -> Failure {
    let message = format!("{identity} is of another fleet than this authority's, which is {fleet}");
    Failure::operator("other-fleet", message, "name the authority of that fleet with --dir")
}

fn over(until: Timestamp) -> Failure {
    let message = format!("the authority's own certificate is over since {until}");
    Failure::operator(
        "unusable-authority",
        message,
        "make a new authority: see \"A new authority\" in docs/pki.md",
    )
}

fn already_issued(valid: &Issued) -> Failure {
    let Issued { identity, serial, not_after, .. } = valid;
    let Identity { role, name, .. } = identity;
    let message = format!("the {role} {name} has a certificate that is valid until {not_after} ({serial})");
    let remedy =
        format!("renew it: ratchet pki renew {name}; or take it back: ratchet pki revoke {name} --reason …");
    Failure::operator("already-issued", message, remedy)
}
