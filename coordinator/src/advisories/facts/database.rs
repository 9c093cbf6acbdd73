//! Facts of one database.

use proto::Row;

use super::flag;
use crate::advisories::place::{Database, Place};
use crate::advisories::value::{Dotted, Value};

/// The database that is asked about.
pub(super) fn uid_of(place: &Place<'_>) -> Result<u32, String> {
    match place.database {
        Some(Database::Uid(uid)) => Ok(uid),
        Some(Database::None | Database::Unknown) | None => {
            Err("which databases there are is not known".to_owned())
        }
    }
}

/// A cell of its row in the product's list of databases.
pub(super) fn cell(place: &Place<'_>, key: &str) -> Result<String, String> {
    let uid = uid_of(place)?;
    let of_row = |row: &Row| row.get(key).cloned().ok_or_else(|| format!("db:{uid} does not tell `{key}`"));
    place.of_database(uid, of_row)
}

pub(super) fn active_active(place: &Place<'_>) -> Result<Value, String> {
    flag(&cell(place, "crdt")?).map(Value::Flag)
}

pub(super) fn auto_tiering(place: &Place<'_>) -> Result<Value, String> {
    flag(&cell(place, "bigstore")?).map(Value::Flag)
}

pub(super) fn auto_upgrade(place: &Place<'_>) -> Result<Value, String> {
    flag(&cell(place, "auto_upgrade")?).map(Value::Flag)
}

/// As every view that shows it says.
pub(super) fn replication(place: &Place<'_>) -> Result<Value, String> {
    let uid = uid_of(place)?;
    let seen = views(place, uid, |row| row.replicated);
    agreed(seen).map(Value::Flag).ok_or_else(|| format!("whether db:{uid} has replicas is not known"))
}

/// As every view that shows it says.
pub(super) fn redis(place: &Place<'_>) -> Result<Value, String> {
    let uid = uid_of(place)?;
    let seen = views(place, uid, |row| row.redis_version.as_deref().and_then(Dotted::parse));
    agreed(seen).map(Value::Dotted).ok_or_else(|| format!("which Redis version db:{uid} runs is not known"))
}

fn views<T>(place: &Place<'_>, uid: u32, tell: impl Fn(&proto::DatabaseRow) -> Option<T>) -> Vec<Option<T>> {
    let rows = place.snapshot.views().flat_map(|(_, view)| &view.databases).filter(|row| row.uid == uid);
    rows.map(tell).collect()
}

fn agreed<T: PartialEq>(seen: Vec<Option<T>>) -> Option<T> {
    let mut seen = seen.into_iter();
    let first = seen.next()??;
    seen.all(|other| other.as_ref() == Some(&first)).then_some(first)
}
