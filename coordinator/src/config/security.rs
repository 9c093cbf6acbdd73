//! `[tls]`, `insecure_loopback` and `[limits]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proto::Identity;
use proto::transport::{Limits, Security, Tls};
use toml::Value;

use super::reader::{Mistakes, Reader, kind};

pub(super) const TLS_KEYS: [&str; 5] = ["ca", "cert", "key", "crl", "names"];
pub(super) const LIMITS_KEYS: [&str; 4] =
    ["connections", "connections_per_address", "greetings", "requests_per_second"];

/// Exactly one of `[tls]` and `insecure_loopback`: no connection is plain because somebody forgot a key.
pub(super) fn security(top: &mut Reader, mistakes: &mut Mistakes) -> Option<Security> {
    let plain = top.flag("insecure_loopback", mistakes);
    let has_tls = top.take("tls").map(|value| top_table(value, mistakes));
    match (has_tls, plain) {
        (Some(_), true) => {
            let reason = "it is set beside [tls], so it is not clear which one is meant";
            mistakes.note("insecure_loopback", reason, "keep [tls] and remove insecure_loopback");
            None
        }
        (Some(tls), false) => tls.and_then(|reader| files(reader, mistakes)).map(Security::Tls),
        (None, true) => Some(Security::InsecureLoopback),
        (None, false) => {
            let remedy = "name the files `ca`, `cert` and `key` in it; `insecure_loopback = true` instead is for \
                          tests on one machine only";
            mistakes.note("tls", "it is missing", remedy);
            None
        }
    }
}

fn top_table(value: Value, mistakes: &mut Mistakes) -> Option<Reader> {
    Reader::new("", toml::Table::from_iter([("tls".to_owned(), value)])).table("tls", mistakes)
}

fn files(mut reader: Reader, mistakes: &mut Mistakes) -> Option<Tls> {
    let remedy = "name a PEM file by its absolute path";
    let [ca, cert, key] = ["ca", "cert", "key"].map(|name| {
        let text = reader.required(name, remedy, mistakes);
        absolute(text, &reader.key(name), mistakes)
    });
    let crl = reader.text("crl", remedy, mistakes);
    let crl = absolute(crl, &reader.key("crl"), mistakes);
    let names = names(reader.table("names", mistakes), mistakes);
    reader.finish(&TLS_KEYS, mistakes);
    Some(Tls { ca: ca?, cert: cert?, key: key?, crl, names })
}

fn absolute(text: Option<String>, key: &str, mistakes: &mut Mistakes) -> Option<PathBuf> {
    let text = text?;
    if !text.starts_with('/') {
        let remedy = "name a PEM file by its absolute path";
        mistakes.note(key, format!("`{text}` is not an absolute path"), remedy);
    }
    Some(text.into())
}

/// Whose certificates are that have no identity in them. Names are compared in small letters.
fn names(reader: Option<Reader>, mistakes: &mut Mistakes) -> BTreeMap<String, Identity> {
    let Some(mut reader) = reader else { return BTreeMap::new() };
    let remedy = "write it like \"db-1.internal\" = \"spiffe://FLEET/agent/NAME\"";
    let mut names = BTreeMap::new();
    for name in reader.names() {
        if let Some(identity) = reader.parsed(&name, remedy, mistakes) {
            names.insert(name.to_ascii_lowercase(), identity);
        }
    }
    names
}

/// How much anybody may ask of the port; the defaults for what is not said.
pub(super) fn limits(reader: Option<Reader>, mistakes: &mut Mistakes) -> Limits {
    let default = Limits::COORDINATOR;
    let Some(mut reader) = reader else { return default };
    let mut count = |name: &str| count(&mut reader, name, mistakes);
    let limits = Limits {
        connections: count("connections").unwrap_or(default.connections),
        connections_per_address: count("connections_per_address").unwrap_or(default.connections_per_address),
        greetings: count("greetings").unwrap_or(default.greetings),
        requests_per_second: count("requests_per_second")
            .map_or(default.requests_per_second, |count| u32::try_from(count).unwrap_or(u32::MAX)),
    };
    reader.finish(&LIMITS_KEYS, mistakes);
    limits
}

fn count(reader: &mut Reader, name: &str, mistakes: &mut Mistakes) -> Option<usize> {
    let reason = match reader.take(name)? {
        Value::Integer(number) => match usize::try_from(number) {
            Ok(number) if number > 0 => return Some(number),
            Ok(_) | Err(_) => format!("{number} is not above zero"),
        },
        other => format!("it is {}, not a number", kind(&other)),
    };
    mistakes.note(&reader.key(name), reason, "write a whole number above zero, like 256");
    None
}
