//! Whose a certificate is, and until when it is good. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::Identity;
use crate::identity::SCHEME;

/// The owner of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who it is.
    pub identity: Identity,
    /// From when on the certificate is good.
    pub not_before: Timestamp,
    /// Until when: the first of the certificate and the intermediate ones behind it to expire.
    pub not_after: Timestamp,
}

/// Why nobody can tell whose a certificate is; parts of a sentence that begins with the certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unnamed {
    #[error("it cannot be read: {0}")]
    Garbled(String),
    #[error("there is none")]
    Missing,
    #[error("it names several identities, so it is not clear whose it is: {}", .0.join(", "))]
    Several(Vec<String>),
    #[error("its identity cannot be used: {0}")]
    Wrong(String),
    #[error(
        "it has no identity: no URI like spiffe://FLEET/ROLE/NAME, and [tls.names] has none of its names ({})",
        if .0.is_empty() { "it has none".to_owned() } else { .0.join(", ") }
    )]
    Nobody(Vec<String>),
}

/// The holder of the first certificate of a chain. `names` tells of certificates without an identity whose they are.
pub(super) fn holder(
    chain: &[CertificateDer<'_>],
    names: &BTreeMap<String, Identity>,
) -> Result<Holder, Unnamed> {
    let (leaf, others) = chain.split_first().ok_or(Unnamed::Missing)?;
    let leaf = parsed(leaf)?;
    let mut not_after = moment(leaf.validity().not_after.timestamp());
    for other in others {
        let other = parsed(other)?;
        // The authority's own certificate may be shown, too; it is believed by being in `ca`, for as long as it is there.
        if other.subject() != other.issuer() {
            not_after = not_after.min(moment(other.validity().not_after.timestamp()));
        }
    }
    let not_before = moment(leaf.validity().not_before.timestamp());
    Ok(Holder { identity: identity(&leaf, names)?, not_before, not_after })
}

fn parsed<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Unnamed> {
    let (_, parsed) =
        X509Certificate::from_der(certificate).map_err(|error| Unnamed::Garbled(error.to_string()))?;
    Ok(parsed)
}

/// Dates that no clock shows are the farthest that one can.
fn moment(seconds: i64) -> Timestamp {
    let farthest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(seconds).unwrap_or(farthest)
}

fn identity(
    certificate: &X509Certificate<'_>,
    names: &BTreeMap<String, Identity>,
) -> Result<Identity, Unnamed> {
    let alternatives = certificate
        .subject_alternative_name()
        .map_err(|error| Unnamed::Garbled(format!("its alternative names: {error}")))?;
    let alternatives = alternatives.map_or(&[][..], |extension| &extension.value.general_names[..]);
    let mut uris = alternatives.iter().filter_map(|name| match name {
        // In any spelling: what looks like an identity and is none must not be passed over.
        GeneralName::URI(uri) if is_identity(uri) => Some(*uri),
        _ => None,
    });
    match (uris.next(), uris.next()) {
        (Some(one), None) => {
            one.parse().map_err(|error: crate::identity::InvalidIdentity| Unnamed::Wrong(error.to_string()))
        }
        (Some(one), Some(two)) => Err(Unnamed::Several(vec![one.to_owned(), two.to_owned()])),
        (None, _) => named(alternatives, names),
    }
}

fn is_identity(uri: &str) -> bool {
    uri.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

fn named(alternatives: &[GeneralName<'_>], names: &BTreeMap<String, Identity>) -> Result<Identity, Unnamed> {
    let hosts: Vec<String> = alternatives
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    let mut found: Vec<&Identity> = hosts.iter().filter_map(|host| names.get(host)).collect();
    found.sort();
    found.dedup();
    match found[..] {
        [] => Err(Unnamed::Nobody(hosts)),
        [one] => Ok(one.clone()),
        _ => Err(Unnamed::Several(found.iter().map(ToString::to_string).collect())),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn certificate(uris: &[&str], hosts: &[&str]) -> CertificateDer<'static> {
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        let uris = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names.extend(uris);
        params.not_after = date_time_ymd(2040, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn of(uris: &[&str], hosts: &[&str], names: &[(&str, &str)]) -> Result<String, Unnamed> {
        let names = names.iter().map(|(host, who)| ((*host).to_owned(), who.parse().unwrap())).collect();
        holder(&[certificate(uris, hosts)], &names).map(|holder| holder.identity.to_string())
    }

    const AGENT: &str = "spiffe://prod/agent/db-1";
    const OTHER: &str = "spiffe://prod/coordinator/ops-1";

    #[test]
    fn exactly_one_identity_counts_and_names_only_without_one() {
        assert_eq!(of(&[AGENT], &["db-1"], &[]).unwrap(), AGENT);
        assert_eq!(of(&["https://db-1/", AGENT], &[], &[]).unwrap(), AGENT);
        assert_eq!(of(&[], &["x", "DB-1.internal"], &[("db-1.internal", AGENT)]).unwrap(), AGENT);
        assert_eq!(of(&[AGENT], &["ops-1"], &[("ops-1", OTHER)]).unwrap(), AGENT);
        assert_eq!(of(&[], &["a", "b"], &[("a", AGENT), ("b", AGENT)]).unwrap(), AGENT);
    }

    #[test]
    fn what_is_not_clear_is_nobody() {
        assert!(matches!(of(&[AGENT, OTHER], &[], &[]), Err(Unnamed::Several(_))));
        assert!(matches!(of(&[AGENT, AGENT], &[], &[]), Err(Unnamed::Several(_))));
        assert!(matches!(of(&["spiffe://prod/root/x"], &["a"], &[("a", AGENT)]), Err(Unnamed::Wrong(_))));
        assert!(matches!(of(&["SPIFFE://prod/agent/x"], &["a"], &[("a", AGENT)]), Err(Unnamed::Wrong(_))));
        assert!(matches!(of(&[], &["a", "b"], &[("a", AGENT), ("b", OTHER)]), Err(Unnamed::Several(_))));
        assert!(matches!(of(&[], &["*.a"], &[("x.a", AGENT)]), Err(Unnamed::Nobody(_))));
        assert!(matches!(of(&[], &[], &[]), Err(Unnamed::Nobody(_))));
        assert_eq!(holder(&[], &BTreeMap::new()), Err(Unnamed::Missing));
        let garbled = CertificateDer::from(vec![0x30, 0x03, 1, 2, 3]);
        assert!(matches!(holder(&[garbled], &BTreeMap::new()), Err(Unnamed::Garbled(_))));
    }
}
