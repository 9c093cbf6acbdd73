//! `[tls]`, `insecure_loopback` and `[limits]`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use proto::Identity;
use proto::transport::{Limits, Security, Tls};

use super::table::Keys;

/// Exactly one of `[tls]` and `insecure_loopback`: no port is open to everybody because somebody forgot a key.
pub(super) fn security(keys: &mut Keys, listen: Option<SocketAddr>) -> Security {
    let insecure = keys.boolean("insecure_loopback", false);
    let has_tls = keys.has("tls");
    let mut table = keys.table("tls");
    let security = match (insecure, has_tls) {
        (true, false) => Security::InsecureLoopback,
        (false, true) => Security::Tls(tls(&mut table)),
        (true, true) => {
            let remedy = "remove `insecure_loopback`, or the whole [tls] table";
            keys.mistake("insecure_loopback", "it excludes [tls]", remedy);
            Security::InsecureLoopback
        }
        (false, false) => {
            let remedy = "add a table with ca, cert and key, or set `insecure_loopback = true` for tests";
            keys.mistake("tls", "it is missing", remedy);
            Security::InsecureLoopback
        }
    };
    keys.put_back(table);
    if let Some(listen) = listen.filter(|listen| insecure && !listen.ip().is_loopback()) {
        let reason = format!("{listen} is not a loopback address, and `insecure_loopback` is set");
        keys.mistake("listen", reason, "use 127.0.0.1:7443, or [tls] instead of `insecure_loopback`");
    }
    security
}

fn tls(table: &mut Keys) -> Tls {
    Tls {
        ca: table.required_path("ca"),
        cert: table.required_path("cert"),
        key: table.required_path("key"),
        crl: table.has("crl").then(|| table.absolute_path("crl", "")),
        names: names(table),
    }
}

/// Whose certificates are that have no identity in them. Names are compared in small letters.
fn names(table: &mut Keys) -> BTreeMap<String, Identity> {
    let mut below = table.table("names");
    let mut names = BTreeMap::new();
    for name in below.keys() {
        let text = below.string(&name, "");
        match text.parse() {
            Ok(identity) => _ = names.insert(name.to_ascii_lowercase(), identity),
            Err(error) => {
                let error: proto::InvalidIdentity = error;
                below.mistake(&name, error.to_string(), "write it like \"spiffe://FLEET/agent/NAME\"");
            }
        }
    }
    table.put_back(below);
    names
}

/// What a port bears when the configuration says nothing is enough for any agent.
pub(super) fn limits(keys: &mut Keys) -> Limits {
    let mut table = keys.table("limits");
    let default = Limits::AGENT;
    let mut count = |key: &str, default: usize| table.count(key, default);
    let limits = Limits {
        connections: count("connections", default.connections),
        connections_per_address: count("connections_per_address", default.connections_per_address),
        greetings: count("greetings", default.greetings),
        requests_per_second: u32::try_from(count(
            "requests_per_second",
            default.requests_per_second as usize,
        ))
        .unwrap_or(u32::MAX),
    };
    keys.put_back(table);
    limits
}
