//! What `pki` answers, of an authority in a directory and of nodes that enrol.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Document;
use crate::pki::{Issued, KeyMadeBy, Standing};

/// An authority that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuthorityDocument {
    /// `ratchet.pki-authority/1`.
    pub schema: String,
    /// The fleet that it is for.
    pub fleet: String,
    /// Its directory.
    pub directory: String,
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`).
    pub key_sha256: String,
    /// Until when its certificate is valid.
    pub not_after: Timestamp,
}

/// A certificate in an authority's register.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CertificateRow {
    /// Its serial number, in hex.
    pub serial: String,
    /// Its owner's role.
    pub role: String,
    /// Its owner's name.
    pub name: String,
    /// Both with the fleet, as it is in the certificate.
    pub identity: String,
    /// The hosts that it names.
    pub hosts: Vec<String>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Who made its key.
    pub key_made_by: KeyMadeBy,
    /// Whether it counts.
    pub standing: Standing,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

impl CertificateRow {
    /// As it is in the register, at a moment.
    pub fn of(issued: &Issued, now: Timestamp) -> Self {
        Self {
            serial: issued.serial.clone(),
            role: issued.identity.role.to_string(),
            name: issued.identity.name.to_string(),
            identity: issued.identity.to_string(),
            hosts: issued.hosts.iter().map(ToString::to_string).collect(),
            not_before: issued.not_before,
            not_after: issued.not_after,
            issued_at: issued.issued_at,
            key_made_by: issued.key,
            standing: issued.standing(now),
            revoked_at: issued.revoked_at,
            reason: issued.reason.clone(),
        }
    }
}

/// Certificates that were made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuedDocument {
    /// `ratchet.pki-issued/1`.
    pub schema: String,
    /// Each of them.
    pub certificates: Vec<IssuedRow>,
    /// Those that expire soon and were left alone, because their keys are on their nodes.
    pub left: Vec<CertificateRow>,
}

/// A certificate that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IssuedRow {
    /// What it says.
    pub certificate: CertificateRow,
    /// The bundle's directory, if a key was made with it.
    pub bundle: Option<String>,
    /// The certificate, PEM.
    pub pem: String,
}

/// An authority's register.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CertificatesDocument {
    /// `ratchet.pki-certificates/1`.
    pub schema: String,
    /// When it was read.
    pub at: Timestamp,
    /// The fleet.
    pub fleet: String,
    /// The authority's directory.
    pub directory: String,
    /// All certificates, in the order in which they were made.
    pub certificates: Vec<CertificateRow>,
}

/// Certificates that were revoked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RevokedDocument {
    /// `ratchet.pki-revoked/1`.
    pub schema: String,
    /// Each of them.
    pub certificates: Vec<CertificateRow>,
    /// The file with the list of revoked certificates, to be handed out.
    pub crl: String,
    /// The list's number.
    pub number: u64,
}

/// A token with which one node can enrol.
#[derive(Clone, Serialize, Deserialize)]
pub struct EnrolTokenDocument {
    /// `ratchet.pki-token/1`.
    pub schema: String,
    /// What it is known by; no secret.
    pub id: String,
    /// The token itself: secret, and told this once.
    pub token: String,
    /// The names that it may be used for.
    pub pattern: String,
    /// Whether a person has to accept the node.
    pub confirm: bool,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

/// Nothing of a secret gets into a log by accident.
impl std::fmt::Debug for EnrolTokenDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolTokenDocument").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Tokens that were not used, and nodes that have used one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolmentsDocument {
    /// `ratchet.pki-enrolments/1`.
    pub schema: String,
    /// When it was looked up.
    pub at: Timestamp,
    /// Whether this coordinator signs certificates itself.
    pub signs: bool,
    /// Tokens that can still be used.
    pub tokens: Vec<TokenRow>,
    /// Nodes that have used one.
    pub nodes: Vec<EnrollingRow>,
}

/// A token that was not used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// The names that it may be used for.
    pub pattern: String,
    /// Whether a person has to accept the node.
    pub confirm: bool,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// Who made it.
    pub by: String,
}

/// What becomes of a node that has used a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrollingState {
    /// A person has to decide.
    Waiting,
    /// It may have its certificate, and gets it when it asks next.
    Accepted,
    /// Its certificate was made.
    Granted,
    /// It gets none.
    Refused,
}

/// A node that has used a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrollingRow {
    /// The name that it asks for.
    pub name: String,
    /// The token's id.
    pub token: String,
    /// The hosts that it wants in its certificate.
    pub hosts: Vec<String>,
    /// SHA-256 of its public key: `ratchet-agent enroll` says the same on the node.
    pub key_sha256: String,
    /// When it asked first.
    pub asked_at: Timestamp,
    /// When it is forgotten.
    pub until: Timestamp,
    /// What becomes of it.
    pub state: EnrollingState,
    /// Why a person has to decide.
    pub waits_for: Option<String>,
    /// Its request for a certificate, PEM, for an authority elsewhere.
    pub request: String,
}

/// What was decided about a node or a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolmentDocument {
    /// `ratchet.pki-enrolment/1`.
    pub schema: String,
    /// The node's name, or the token's id.
    pub subject: String,
    /// What becomes of the node; `None`: it was a token that nobody has used.
    pub state: Option<EnrollingState>,
    /// What came out, in a sentence.
    pub summary: String,
}

impl Document for AuthorityDocument {
    const SCHEMA: &'static str = "ratchet.pki-authority/1";
}
impl Document for IssuedDocument {
    const SCHEMA: &'static str = "ratchet.pki-issued/1";
}
impl Document for CertificatesDocument {
    const SCHEMA: &'static str = "ratchet.pki-certificates/1";
}
impl Document for RevokedDocument {
    const SCHEMA: &'static str = "ratchet.pki-revoked/1";
}
impl Document for EnrolTokenDocument {
    const SCHEMA: &'static str = "ratchet.pki-token/1";
}
impl Document for EnrolmentsDocument {
    const SCHEMA: &'static str = "ratchet.pki-enrolments/1";
}
impl Document for EnrolmentDocument {
    const SCHEMA: &'static str = "ratchet.pki-enrolment/1";
}
