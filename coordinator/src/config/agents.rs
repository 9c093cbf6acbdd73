//! `[[cluster]]`: the fleet and its agents.

use std::collections::BTreeMap;

use proto::{AgentName, ClusterName};
use toml::Value;

use super::ClusterConfig;
use super::reader::{Mistakes, Reader, kind};

const ADDRESS: &str = "write a host and a port, like \"10.0.0.1:7443\" or \"[2001:db8::1]:7443\", or the name of \
                       an agent that connects by itself, like \"@orders-1\"";
const PATTERN: &str = "write names of agents with * and ?, like [\"orders-*\"]";

/// All clusters. A name or an agent that occurs twice is a mistake: two rows could then upgrade one cluster.
pub(super) fn clusters(readers: Vec<Reader>, mistakes: &mut Mistakes) -> Vec<ClusterConfig> {
    let mut clusters = Vec::new();
    let mut seen = Seen::default();
    for reader in readers {
        clusters.extend(cluster(reader, &mut seen, mistakes));
    }
    clusters
}

/// Where each name and address was first seen.
#[derive(Default)]
struct Seen {
    names: BTreeMap<ClusterName, String>,
    agents: BTreeMap<String, String>,
}

fn cluster(mut reader: Reader, seen: &mut Seen, mistakes: &mut Mistakes) -> Option<ClusterConfig> {
    let name: Option<ClusterName> =
        reader.parsed("name", "give the cluster a short name, like \"orders\"", mistakes);
    let key = reader.key("name");
    if let Some(name) = &name
        && let Some(first) = seen.names.insert(name.clone(), key.clone())
    {
        let reason = format!("`{name}` is the name at `{first}` too");
        mistakes.note(&key, reason, "give each cluster a name of its own");
    }
    let connecting = connecting(&mut reader, mistakes);
    let agents = match &connecting {
        // All of its agents may connect by themselves.
        Some(_) if !reader.has("agents") => Vec::new(),
        _ => agents(&mut reader, seen, mistakes),
    };
    let labels = labels(&mut reader, mistakes);
    reader.finish(&["name", "agents", "labels", "connecting"], mistakes);
    let connecting = connecting.unwrap_or_default();
    Some(ClusterConfig { name: name?, agents, labels, connecting })
}

/// What rollouts select clusters by: `labels = { env = "prod" }`.
fn labels(reader: &mut Reader, mistakes: &mut Mistakes) -> BTreeMap<String, String> {
    let key = reader.key("labels");
    let remedy = "write texts, like labels = { env = \"prod\" }";
    let table = match reader.take("labels") {
        None => return BTreeMap::new(),
        Some(Value::Table(table)) => table,
        Some(other) => {
            mistakes.note(&key, format!("it is {}, not a table", kind(&other)), remedy);
            return BTreeMap::new();
        }
    };
    let mut labels = BTreeMap::new();
    for (name, value) in table {
        match value {
            Value::String(text) => drop(labels.insert(name, text)),
            other => {
                mistakes.note(&format!("{key}.{name}"), format!("it is {}, not a text", kind(&other)), remedy)
            }
        }
    }
    labels
}

fn agents(reader: &mut Reader, seen: &mut Seen, mistakes: &mut Mistakes) -> Vec<String> {
    let key = reader.key("agents");
    let remedy = "list one agent for each node, like [\"10.0.0.1:7443\"]";
    let values = match reader.take("agents") {
        Some(Value::Array(values)) if !values.is_empty() => values,
        other => {
            let reason = match other {
                None => "it is missing".to_owned(),
                Some(Value::Array(_)) => "it is empty".to_owned(),
                Some(other) => format!("it is {}, not a list", kind(&other)),
            };
            mistakes.note(&key, reason, remedy);
            return Vec::new();
        }
    };
    let mut agents = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        agents.extend(agent(&format!("{key}[{index}]"), value, seen, mistakes));
    }
    agents
}

fn agent(key: &str, value: Value, seen: &mut Seen, mistakes: &mut Mistakes) -> Option<String> {
    let Value::String(address) = value else {
        mistakes.note(key, format!("it is {}, not a text", kind(&value)), ADDRESS);
        return None;
    };
    if let Err(reason) = check_agent(&address) {
        mistakes.note(key, format!("`{address}`: {reason}"), ADDRESS);
        return None;
    }
    // Host names are the same in either case.
    if let Some(first) = seen.agents.insert(address.to_ascii_lowercase(), key.to_owned()) {
        let reason = format!("`{address}` is the agent at `{first}` too");
        mistakes.note(key, reason, "list each agent once, in the cluster of its node");
    }
    Some(address)
}

/// Names of agents that connect by themselves and belong to the cluster; `None` if the key is not there. An empty list
/// says that such agents are put there by hand.
fn connecting(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<Vec<String>> {
    let key = reader.key("connecting");
    let values = match reader.take("connecting")? {
        Value::Array(values) => values,
        other => {
            mistakes.note(&key, format!("it is {}, not a list", kind(&other)), PATTERN);
            return Some(Vec::new());
        }
    };
    let mut patterns = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let key = format!("{key}[{index}]");
        match value {
            Value::String(text) => match check_pattern(&text) {
                Ok(()) => patterns.push(text),
                Err(reason) => mistakes.note(&key, format!("`{text}`: {reason}"), PATTERN),
            },
            other => mistakes.note(&key, format!("it is {}, not a text", kind(&other)), PATTERN),
        }
    }
    Some(patterns)
}

/// A pattern that fits every name would put strangers in a cluster.
fn check_pattern(text: &str) -> Result<(), String> {
    if text.trim_matches(['*', '?']).is_empty() {
        return Err("it fits agents of every name".to_owned());
    }
    globset::Glob::new(text).map(drop).map_err(|error| error.kind().to_string())
}

/// `@` and a name, or a host and a port.
fn check_agent(text: &str) -> Result<(), &'static str> {
    match text.strip_prefix('@') {
        Some(name) => name.parse::<AgentName>().map(drop).map_err(|_| "behind the @ is no agent's name"),
        None => check_address(text),
    }
}

/// A host name, an IPv4 address or an IPv6 address in brackets, and a port that is not 0.
pub(super) fn check_address(text: &str) -> Result<(), &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("it has no port")?;
    if !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().map_or(true, |port| port == 0) {
        return Err("its port is not a number from 1 to 65535");
    }
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().map(|_| ()).map_err(|_| "its IPv6 address is not one");
    }
    if host.contains(':') {
        return Err("an IPv6 address needs brackets");
    }
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if host.is_empty() || !host.bytes().all(harmless) {
        return Err("its host is not a host name or an IP address");
    }
    Ok(())
}
