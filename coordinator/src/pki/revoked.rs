//! The list of revoked certificates that peers read.

use jiff::Timestamp;
use rcgen::{CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber};
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use super::Register;
use super::certificate::moment;

/// The list, PEM. It holds until `until`: nobody makes a new one by himself, and one that ran out would stop the fleet;
/// that the newest is everywhere is for whoever hands it out.
///
/// # Errors
/// It cannot be signed.
pub(super) fn list(
    register: &Register,
    issuer: &Issuer<'_, &KeyPair>,
    now: Timestamp,
    until: Timestamp,
) -> Result<String, rcgen::Error> {
    let revoked = register.certificates.iter().filter_map(|issued| {
        let at = issued.revoked_at?;
        let serial = data_encoding::HEXLOWER.decode(issued.serial.as_bytes()).ok()?;
        Some(RevokedCertParams {
            serial_number: SerialNumber::from_slice(&serial),
            revocation_time: moment!(at),
            reason_code: None,
            invalidity_date: None,
        })
    });
    let params = CertificateRevocationListParams {
        this_update: moment!(now),
        next_update: moment!(until),
        crl_number: SerialNumber::from(register.revocations),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer)?.pem()
}

/// The number of a list; `None` if it is none.
pub(super) fn number(pem: &str) -> Option<u64> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    let (_, list) = CertificateRevocationList::from_der(&block.contents).ok()?;
    list.crl_number().and_then(|number| u64::try_from(number).ok())
}
