//! Facts of the cluster's LDAP settings. Where LDAP is off, they are all "no".

use proto::{Details, Fact};

use super::flag;
use super::node::certificates;
use crate::advisories::place::Place;
use crate::advisories::value::Value;

/// Words that only filters, attributes and names of an Active Directory have.
const ACTIVE_DIRECTORY: [&str; 5] =
    ["samaccountname", "userprincipalname", "memberof", "1.2.840.113556", "cn=users,"];

pub(super) fn used(place: &Place<'_>) -> Result<Value, String> {
    place.of_cluster(is_used).map(Value::Flag)
}

fn is_used(details: &Details) -> Result<bool, String> {
    let of = |key| flag(details.cell(Fact::Ldap, key)?);
    match (of("control_plane"), of("data_plane")) {
        (Ok(true), _) | (_, Ok(true)) => Ok(true),
        (Ok(false), Ok(false)) => Ok(false),
        (Err(reason), _) | (_, Err(reason)) => Err(reason),
    }
}

/// The settings do not say it outright: known words show it, their absence shows nothing.
pub(super) fn active_directory(place: &Place<'_>) -> Result<Value, String> {
    let of_agent = |details: &Details| {
        if !is_used(details)? {
            return Ok(false);
        }
        let rows = details.rows(Fact::Ldap)?;
        let text = rows.iter().flat_map(|row| row.values()).map(|cell| cell.to_lowercase());
        let shown = text.into_iter().any(|cell| ACTIVE_DIRECTORY.iter().any(|word| cell.contains(word)));
        let open = "LDAP is used, and its settings do not show whether that is an Active Directory";
        if shown { Ok(true) } else { Err(open.to_owned()) }
    };
    place.of_cluster(of_agent).map(Value::Flag)
}

pub(super) fn bare_filter(place: &Place<'_>) -> Result<Value, String> {
    let bare = |filter: &str| !(filter.trim().starts_with('(') && filter.trim().ends_with(')'));
    any_filter(place, bare)
}

/// RFC 4515 writes an OR as `(|(a=1)(b=2))`; the product also takes a filter without the outer parentheses.
pub(super) fn or_filter(place: &Place<'_>) -> Result<Value, String> {
    let has_or = |filter: &str| {
        let dense: String = filter.split_whitespace().collect();
        dense.starts_with('|') || dense.contains("(|")
    };
    any_filter(place, has_or)
}

fn any_filter(place: &Place<'_>, is_so: impl Fn(&str) -> bool) -> Result<Value, String> {
    let of_agent = |details: &Details| {
        if !is_used(details)? {
            return Ok(false);
        }
        let user = filter(details, "user_dn_query.filter", "user_dn_template")?;
        let group = filter(details, "dn_group_query.filter", "dn_group_attr")?;
        Ok([user, group].into_iter().flatten().any(&is_so))
    };
    place.of_cluster(of_agent).map(Value::Flag)
}

/// A filter, or none where the setting is used that the vendor lets stand instead of one.
fn filter<'a>(details: &'a Details, key: &str, instead: &str) -> Result<Option<&'a str>, String> {
    let set = |key| details.cell(Fact::Ldap, key).ok().filter(|text| !text.is_empty());
    match (set(key), set(instead)) {
        (Some(filter), _) => Ok(Some(filter)),
        (None, Some(_)) => Ok(None),
        (None, None) => Err(format!("the LDAP settings tell neither `{key}` nor `{instead}`")),
    }
}

/// The certificate is uploaded to the cluster, which keeps it as a file on every node.
pub(super) fn client_certificate(place: &Place<'_>) -> Result<Value, String> {
    let rows = certificates(place)?;
    let named = rows.iter().any(|row| row.get("file").is_some_and(|file| file.contains("ldap_client")));
    Ok(Value::Flag(named))
}
