//! What certificates hold, and what one says. Pure: serials and times are arguments.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto::{FleetName, Identity, Role, Sha256};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType,
    SerialNumber,
};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::Host;

/// Clocks differ a little: a certificate is valid from this long before it was made.
const BACK_DATED: SignedDuration = SignedDuration::from_mins(5);

/// What is to be in a certificate.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) identity: &'a Identity,
    pub(super) hosts: &'a [Host],
    pub(super) serial: Serial,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
}

/// A serial number: random, so that nobody's is told by their key or by how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Serial([u8; 16]);

impl Serial {
    /// Out of random bytes; positive, and never shorter than all of them.
    pub(super) fn new(mut bytes: [u8; 16]) -> Self {
        bytes[0] = bytes[0] & 0x7f | 0x40;
        Self(bytes)
    }

    pub(super) fn hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}

/// From when a certificate is valid that is made now, in whole seconds as certificates have it.
pub(super) fn valid_from(now: Timestamp) -> Timestamp {
    Timestamp::from_second((now - BACK_DATED).as_second()).unwrap_or(now)
}

/// For `rcgen`, whose times have a type of their own: what is to be added to 1970.
pub(super) fn since_1970(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
}

macro_rules! moment {
    ($at:expr) => {
        rcgen::date_time_ymd(1970, 1, 1) + crate::pki::certificate::since_1970($at)
    };
}
pub(super) use moment;

/// The authority's own. It signs ends only, and lists of what is revoked.
pub(super) fn authority(
    fleet: &FleetName,
    serial: Serial,
    now: Timestamp,
    until: Timestamp,
) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, fleet.as_str());
    // Two authorities of one fleet must not have one name: lists of revoked certificates are found by it.
    params.distinguished_name.push(DnType::OrganizationalUnitName, serial.hex());
    params.serial_number = Some(SerialNumber::from_slice(&serial.0));
    params.not_before = moment!(valid_from(now));
    params.not_after = moment!(until);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Somebody's.
///
/// # Errors
/// A name that cannot be in a certificate.
pub(super) fn of(wanted: &Wanted<'_>) -> Result<CertificateParams, rcgen::Error> {
    let Wanted { identity, hosts, serial, now, until } = wanted;
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, identity.name.as_str());
    params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(identity.to_string())?)];
    for host in *hosts {
        params.subject_alt_names.push(match host {
            Host::Name(name) => SanType::DnsName(Ia5String::try_from(name.as_str())?),
            Host::Ip(ip) => SanType::IpAddress(*ip),
        });
    }
    params.serial_number = Some(SerialNumber::from_slice(&serial.0));
    params.not_before = moment!(valid_from(*now));
    params.not_after = moment!(*until);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usages(identity.role);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// All dial; coordinators and agents are dialled, too.
fn usages(role: Role) -> Vec<ExtendedKeyUsagePurpose> {
    match role {
        Role::Coordinator | Role::Agent => {
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth]
        }
        Role::Operator | Role::Viewer => vec![ExtendedKeyUsagePurpose::ClientAuth],
    }
}

/// What a certificate says, as far as it counts here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Whose it is, if it says so.
    pub identity: Option<Identity>,
    /// Whether it is an authority's.
    pub is_authority: bool,
    /// SHA-256 of its `SubjectPublicKeyInfo`.
    pub key: Sha256,
    /// Until when it is valid.
    pub until: Timestamp,
}

/// Reads all certificates of a PEM text, in their order.
///
/// # Errors
/// Why it cannot be read, or that there is none in it.
pub fn read(pem: &str) -> Result<Vec<Read>, String> {
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(pem.as_bytes()) {
        let block = block.map_err(|error| format!("it is not PEM: {error}"))?;
        if block.label == "CERTIFICATE" {
            found.push(read_one(&block.contents)?);
        }
    }
    if found.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(found) }
}

fn read_one(der: &[u8]) -> Result<Read, String> {
    let (_, parsed) =
        X509Certificate::from_der(der).map_err(|error| format!("a certificate of it: {error}"))?;
    let names = parsed.subject_alternative_name().map_err(|error| error.to_string())?;
    let mut identities =
        names.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
            GeneralName::URI(uri) => uri.parse().ok(),
            _ => None,
        });
    let until = Timestamp::from_second(parsed.validity().not_after.timestamp());
    Ok(Read {
        identity: identities.next().filter(|_| identities.next().is_none()),
        is_authority: parsed.is_ca(),
        key: Sha256::of(parsed.public_key().raw),
        until: until.map_err(|error| error.to_string())?,
    })
}

/// What an authority is pinned by: SHA-256 of its `SubjectPublicKeyInfo`. Of several certificates the last one is meant,
/// which is the authority's in a chain.
///
/// # Errors
/// There is no authority's certificate at the end of it.
pub fn spki_digest(pem: &str) -> Result<Sha256, String> {
    match read(pem)?.last() {
        Some(last) if last.is_authority => Ok(last.key),
        _ => Err("the last certificate in it is not an authority's".to_owned()),
    }
}
