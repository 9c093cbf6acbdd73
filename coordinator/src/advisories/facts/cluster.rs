//! Facts of the whole cluster.

use proto::{Details, Fact, Row};

use super::{flag, number};
use crate::advisories::place::Place;
use crate::advisories::value::{Dotted, Value};

pub(super) fn method(_place: &Place<'_>) -> Result<Value, String> {
    Ok(Value::Text("in-place".to_owned()))
}

pub(super) fn nodes(place: &Place<'_>) -> Result<Value, String> {
    match place.snapshot.listed().len() {
        0 => Err("no agent told which nodes there are".to_owned()),
        count => Ok(Value::Number(count as u64)),
    }
}

/// From the product's API alone: neither `rladmin status` nor `info` tells it.
pub(super) fn active_active(place: &Place<'_>) -> Result<Value, String> {
    place.of_cluster(has_active_active).map(Value::Flag)
}

fn has_active_active(details: &Details) -> Result<bool, String> {
    let databases = details.rows(Fact::Databases).and_then(any_crdt);
    let instances = details.rows(Fact::ActiveActive).map(|rows| !rows.is_empty());
    match (databases, instances) {
        (Ok(one), Ok(other)) if one != other => {
            Err("the lists of databases and of Active-Active databases contradict each other".to_owned())
        }
        (Ok(known), _) | (Err(_), Ok(known)) => Ok(known),
        (Err(reason), Err(_)) => Err(reason),
    }
}

fn any_crdt(rows: &[Row]) -> Result<bool, String> {
    let of_row = |row: &Row| match row.get("crdt") {
        Some(text) => flag(text),
        None => Err("a database does not tell `crdt`".to_owned()),
    };
    let flags: Vec<bool> = rows.iter().map(of_row).collect::<Result<_, _>>()?;
    Ok(flags.contains(&true))
}

pub(super) fn protocol(place: &Place<'_>) -> Result<Value, String> {
    lowest(place, "protocol_version")
}

pub(super) fn featureset(place: &Place<'_>) -> Result<Value, String> {
    lowest(place, "featureset_version")
}

fn lowest(place: &Place<'_>, key: &str) -> Result<Value, String> {
    let of_row = |row: &Row| match row.get(key) {
        Some(text) => number(text),
        None => Err(format!("an Active-Active database does not tell `{key}`")),
    };
    let of_agent = |details: &Details| {
        let numbers: Vec<u64> =
            details.rows(Fact::ActiveActive)?.iter().map(of_row).collect::<Result<_, _>>()?;
        numbers.into_iter().min().ok_or_else(|| "no Active-Active database is listed".to_owned())
    };
    place.of_cluster(of_agent).map(Value::Number)
}

pub(super) fn parallel_shards(place: &Place<'_>) -> Result<Value, String> {
    // `all` is how `rladmin` writes "as many as there are".
    let count = |text: &str| if text == "all" { Ok(u64::MAX) } else { number(text) };
    policy(place, "parallel_shards_upgrade", count).map(Value::Number)
}

pub(super) fn node_offload(place: &Place<'_>) -> Result<Value, String> {
    policy(place, "automatic_node_offload", flag).map(Value::Flag)
}

/// A policy, from the product's API or from `rladmin info cluster`; where both tell it they must agree.
fn policy<T: PartialEq>(
    place: &Place<'_>,
    key: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    place.of_cluster(|details| {
        let of = |fact| details.cell(fact, key).and_then(&read);
        match (of(Fact::ClusterPolicy), of(Fact::ClusterInfo)) {
            (Ok(one), Ok(other)) if one != other => {
                Err(format!("the API and `rladmin info cluster` contradict each other about `{key}`"))
            }
            (Ok(known), _) | (Err(_), Ok(known)) => Ok(known),
            (Err(reason), Err(_)) => Err(reason),
        }
    })
}

/// The lower of what the management and the databases let in, and the sentinel service where it tells.
pub(super) fn lowest_tls(place: &Place<'_>) -> Result<Value, String> {
    place.of_cluster(tls_of).map(Value::Dotted)
}

fn tls_of(details: &Details) -> Result<Dotted, String> {
    let read = |text: &str| Dotted::parse(text).ok_or_else(|| format!("`{text}` is no version of TLS"));
    let control = read(details.cell(Fact::Cluster, "min_control_TLS_version")?)?;
    let data = read(details.cell(Fact::Cluster, "min_data_TLS_version")?)?;
    let sentinel =
        details.cell(Fact::Cluster, "min_sentinel_TLS_version").map(read).unwrap_or(Ok(data.clone()))?;
    Ok(control.min(data).min(sentinel))
}

/// Lists of ciphers as OpenSSL writes them: `!` and `-` take out what is named, everything else lets it in.
pub(super) fn old_ciphers(place: &Place<'_>) -> Result<Value, String> {
    place.of_cluster(lets_in_old_ones).map(Value::Flag)
}

fn lets_in_old_ones(details: &Details) -> Result<bool, String> {
    let control = details.cell(Fact::Cluster, "control_cipher_suites")?;
    let data = details.cell(Fact::Cluster, "data_cipher_list")?;
    let mut ciphers = [control, data].into_iter().flat_map(|list| list.split([':', ',', ' ']));
    Ok(ciphers.any(|cipher| {
        let cipher = cipher.trim().to_ascii_uppercase();
        !cipher.starts_with(['!', '-']) && ["RC4", "3DES", "DES-CBC3"].iter().any(|old| cipher.contains(old))
    }))
}
