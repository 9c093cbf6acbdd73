//! Facts of one node.

use proto::{Fact, Row};

use crate::advisories::place::Place;
use crate::advisories::value::{Dotted, Value};

/// Where the product is installed unless somebody chose otherwise.
const USUAL: [&str; 3] = ["/opt/redislabs", "/etc/opt/redislabs", "/var/opt/redislabs"];

pub(super) fn os(place: &Place<'_>) -> Result<Value, String> {
    let os = place.node_facts()?.os.as_result()?;
    Ok(Value::Text(os.token.as_ref().map_or_else(|| os.name.clone(), |token| token.0.clone())))
}

pub(super) fn os_id(place: &Place<'_>) -> Result<Value, String> {
    Ok(Value::Text(place.node_facts()?.details.cell(Fact::OsRelease, "ID")?.to_owned()))
}

pub(super) fn arch(place: &Place<'_>) -> Result<Value, String> {
    Ok(Value::Text(place.node_facts()?.arch.as_result()?.to_string()))
}

/// `OpenSSL 3.0.7 1 Nov 2022`, `OpenSSL 1.0.2k-fips  26 Jan 2017`.
pub(super) fn openssl(place: &Place<'_>) -> Result<Value, String> {
    let said = place.node_facts()?.system.openssl.as_result()?;
    let word = said.strip_prefix("OpenSSL ").and_then(|rest| rest.split_whitespace().next());
    let plain = word.map(|word| word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '-'));
    let version = plain.and_then(Dotted::parse);
    version.map(Value::Dotted).ok_or_else(|| format!("`{said}` names no version of OpenSSL"))
}

pub(super) fn memory(place: &Place<'_>) -> Result<Value, String> {
    Ok(Value::Number(*place.node_facts()?.system.memory_total.as_result()?))
}

pub(super) fn fips(place: &Place<'_>) -> Result<Value, String> {
    Ok(Value::Flag(place.node_facts()?.details.flag(Fact::Fips)?))
}

pub(super) fn custom_directories(place: &Place<'_>) -> Result<Value, String> {
    let at = place.node_facts()?.installation.as_result()?;
    Ok(Value::Flag([&at.install_dir, &at.config_dir, &at.var_dir] != USUAL.each_ref()))
}

pub(super) fn circular_links(place: &Place<'_>) -> Result<Value, String> {
    Ok(Value::Flag(!place.node_facts()?.details.lines(Fact::CircularLinks)?.is_empty()))
}

/// The node's certificate files.
pub(super) fn certificates<'a>(place: &Place<'a>) -> Result<&'a [Row], String> {
    let rows = place.node_facts()?.details.rows(Fact::Certificates)?;
    let whole = rows.iter().all(|row| row.contains_key("file"));
    if whole { Ok(rows) } else { Err("a certificate's row names no file".to_owned()) }
}

pub(super) fn proxy_comments(place: &Place<'_>) -> Result<Value, String> {
    let of_proxy = |row: &&Row| row.get("file").is_some_and(|file| file.contains("proxy_cert"));
    let rows: Vec<&Row> = certificates(place)?.iter().filter(of_proxy).collect();
    if rows.is_empty() {
        return Err("the proxy's certificate was not found".to_owned());
    }
    let mut found = false;
    for row in rows {
        found |= match row.get("comments").map(String::as_str) {
            Some("yes") => true,
            Some("no") => false,
            _ => return Err("the proxy's certificate could not be read".to_owned()),
        };
    }
    Ok(Value::Flag(found))
}

/// Services that may be left off are `STOPPED`; these states come of failing.
pub(super) fn services_down(place: &Place<'_>) -> Result<Value, String> {
    let mut down = std::collections::BTreeSet::new();
    for row in place.node_facts()?.details.rows(Fact::Services)? {
        let (Some(service), Some(state)) = (row.get("service"), row.get("state")) else {
            return Err("a service's row is not whole".to_owned());
        };
        if !matches!(state.as_str(), "RUNNING" | "STARTING" | "STOPPED") {
            down.insert(service.clone());
        }
    }
    Ok(Value::Set(down))
}

pub(super) fn install_args(place: &Place<'_>) -> Result<Value, String> {
    Ok(Value::Set(place.node_facts()?.install_args.iter().cloned().collect()))
}
