//! Which clusters replicate with each other: Active-Active databases, and Replica-Of.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use proto::{ClusterName, Details, Fact, Row};
use serde::{Deserialize, Serialize};

use super::Partners;
use crate::snapshot::Snapshot;

/// The facts that [`sight`] needs: whoever observes for it names them.
pub const FACTS: [Fact; 3] = [Fact::Cluster, Fact::ActiveActive, Fact::Databases];

/// Whom a cluster says that it replicates with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerSight {
    /// Its own full name, in small letters, where it is known.
    pub own: Option<String>,
    /// Full names of clusters, and hosts of databases, that it replicates with, in small letters; it may be among them.
    pub with: BTreeSet<String>,
    /// Why it is not clear with whom it replicates, although it surely does.
    pub unclear: Option<String>,
    /// Why it is not known whether it replicates at all.
    pub unknown: Option<String>,
}

/// What one agent told of a kind of replication.
enum Told {
    /// With these; nobody if there is none.
    With(BTreeSet<String>),
    /// There is some, but not with whom.
    Unclear(String),
    /// Nothing.
    Unknown(String),
}

/// Whom the cluster says that it replicates with. One agent that knows is enough: all speak of the whole cluster.
pub fn sight(snapshot: &Snapshot) -> PartnerSight {
    let mut sight = PartnerSight::default();
    for (_, facts) in snapshot.answered() {
        let own = facts.details.cell(Fact::Cluster, "name").ok().filter(|name| !name.is_empty());
        sight.own = sight.own.or(own.map(str::to_ascii_lowercase));
    }
    for told in [active_active, replica_of] {
        let said = snapshot.answered().map(|(_, facts)| told(&facts.details)).collect();
        put_together(&mut sight, said);
    }
    sight
}

fn put_together(sight: &mut PartnerSight, said: Vec<Told>) {
    let (mut unclear, mut unknown, mut known) = (None, Some("no agent answered".to_owned()), false);
    for told in said {
        match told {
            Told::With(with) => {
                known = true;
                sight.with.extend(with);
            }
            Told::Unclear(why) => unclear = Some(why),
            Told::Unknown(why) => unknown = Some(why),
        }
    }
    // Whoever says that there is some and not with whom is not overruled by another who sees none.
    if unclear.is_some() {
        sight.unclear = sight.unclear.take().or(unclear);
    } else if !known {
        sight.unknown = sight.unknown.take().or(unknown);
    }
}

fn active_active(details: &Details) -> Told {
    let is_instance = |row: &Row| row.get("crdt").is_some_and(|crdt| crdt == "true");
    let instances = details.rows(Fact::Databases).is_ok_and(|rows| rows.iter().any(is_instance));
    match details.rows(Fact::ActiveActive) {
        Ok([]) | Err(_) if instances => Told::Unclear(
            "it has an instance of an Active-Active database, and does not tell with whom".to_owned(),
        ),
        Ok(rows) => joined(rows.iter(), "clusters", "an Active-Active database"),
        Err(why) => Told::Unknown(why),
    }
}

/// A database that is, or was told to be, the replica of another names its sources.
fn replica_of(details: &Details) -> Told {
    let rows = match details.rows(Fact::Databases) {
        Ok(rows) => rows,
        Err(why) => return Told::Unknown(why),
    };
    let replicas = rows.iter().filter(|row| row.contains_key("replica_sources") || syncs(row));
    joined(replicas, "replica_sources", "a database that is the replica of another")
}

/// Whether it replicates from elsewhere, by the newer or the older name of that field. A word that nobody knows is a yes.
fn syncs(row: &Row) -> bool {
    let on = |word: &String| !matches!(word.as_str(), "" | "disabled" | "false");
    ["replica_sync", "sync"].iter().any(|key| row.get(*key).is_some_and(on))
}

fn joined<'a>(rows: impl Iterator<Item = &'a Row>, key: &str, what: &str) -> Told {
    let mut with = BTreeSet::new();
    for row in rows {
        let Some(names) = row.get(key).filter(|names| !names.is_empty()) else {
            let name = row.get("name").map_or("?", String::as_str);
            return Told::Unclear(format!("it has {what}, {name}, and does not tell with whom"));
        };
        with.extend(names.split(',').map(|name| name.trim().trim_end_matches('.').to_ascii_lowercase()));
    }
    Told::With(with)
}

/// Which clusters of the fleet must not be in flight together: those that somebody has named and those that say so
/// themselves. A cluster outside the fleet makes no pair; an address that could be anybody's makes the cluster unclear, and
/// so does not knowing whether it replicates at all, where nobody has said who does (`None`).
pub fn partners(
    named: Option<&[BTreeSet<ClusterName>]>,
    sights: &BTreeMap<ClusterName, PartnerSight>,
) -> Partners {
    let mut partners = Partners::default();
    for group in named.into_iter().flatten() {
        for one in group {
            for other in group.iter().filter(|other| *other != one) {
                partners.pairs.insert((one.clone(), other.clone()));
            }
        }
    }
    let mut names: BTreeMap<&str, Vec<&ClusterName>> = BTreeMap::new();
    for (cluster, sight) in sights {
        names.entry(sight.own.as_deref().unwrap_or_default()).or_default().push(cluster);
    }
    for (cluster, sight) in sights {
        let nobody = |host: &String| host.parse::<IpAddr>().is_ok() || host.is_empty();
        let untold = named.is_none() && sight.unknown.is_some();
        if sight.unclear.is_some() || untold || sight.with.iter().any(nobody) {
            partners.unclear.insert(cluster.clone());
        }
        for partner in
            sight.with.iter().flat_map(|host| owners(&names, host)).filter(|other| **other != cluster)
        {
            partners.pairs.insert((cluster.clone(), (*partner).clone()));
            partners.pairs.insert(((*partner).clone(), cluster.clone()));
        }
    }
    partners
}

impl Partners {
    /// With those of the fleet that were not looked at yet. One that was, and did not answer, counts as looked at.
    pub fn of_fleet<'a>(
        self,
        fleet: impl IntoIterator<Item = &'a ClusterName>,
        sights: &BTreeMap<ClusterName, PartnerSight>,
    ) -> Self {
        let unseen = fleet.into_iter().filter(|cluster| !sights.contains_key(*cluster)).cloned().collect();
        Self { unseen, ..self }
    }
}

/// The clusters whose full name this is, or whose databases' hosts end with it: `redis-12000.orders.example.com`.
fn owners<'a>(names: &'a BTreeMap<&str, Vec<&'a ClusterName>>, host: &str) -> &'a [&'a ClusterName] {
    let mut rest = host;
    loop {
        if let Some(found) = names.get(rest).filter(|_| !rest.is_empty()) {
            return found;
        }
        match rest.split_once('.') {
            Some((_, after)) => rest = after,
            None => return &[],
        }
    }
}

#[cfg(test)]
mod tests;
