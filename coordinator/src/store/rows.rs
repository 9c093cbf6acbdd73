//! Rows of the tables, as values; the same for both engines.

use proto::{Epoch, RolloutName, RunId};
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::{
    LatestDriver, Leader, RolloutAsked, RunListing, StoreError, StoredEvent, StoredPackage, StoredRequest,
    chain::Owner, format,
};
use crate::rollout;
use crate::run::Record;

/// The columns of a row, by name.
pub(super) trait Columns {
    fn text(&self, name: &str) -> Result<String, StoreError>;
    fn text_or_none(&self, name: &str) -> Result<Option<String>, StoreError>;
    fn number(&self, name: &str) -> Result<i64, StoreError>;
}

macro_rules! columns {
    ($($row:ty),*) => {$(
        impl Columns for $row {
            fn text(&self, name: &str) -> Result<String, StoreError> {
                self.try_get(name).map_err(|error| damaged(name, &error))
            }

            fn text_or_none(&self, name: &str) -> Result<Option<String>, StoreError> {
                self.try_get(name).map_err(|error| damaged(name, &error))
            }

            fn number(&self, name: &str) -> Result<i64, StoreError> {
                self.try_get(name).map_err(|error| damaged(name, &error))
            }
        }
    )*};
}

columns!(SqliteRow, PgRow);

fn damaged(name: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("column {name}: {error}"))
}

/// A number that is never negative.
pub(super) fn count(row: &impl Columns, name: &str) -> Result<u64, StoreError> {
    row.number(name).map(i64::cast_unsigned)
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    row: &impl Columns,
    name: &str,
) -> Result<T, StoreError> {
    row.text(name)?.parse().map_err(|error| damaged(name, &error))
}

pub(super) fn from_json<T: DeserializeOwned>(row: &impl Columns, name: &str) -> Result<T, StoreError> {
    serde_json::from_str(&row.text(name)?).map_err(|error| damaged(name, &error))
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

/// An event. One that cannot be read is named by its run and its number.
pub(super) fn record(run: &RunId, row: &impl Columns) -> Result<Record, StoreError> {
    let seq = count(row, "seq")?;
    read(seq, row).map_err(|error| match error {
        StoreError::Newer { found, known, .. } => {
            StoreError::Newer { what: format!("event {seq} of run {run}"), found, known }
        }
        StoreError::Damaged(reason) => StoreError::Damaged(format!("event {seq} of run {run}: {reason}")),
        other => other,
    })
}

fn read(seq: u64, row: &impl Columns) -> Result<Record, StoreError> {
    let (found, body) = (row.number("format")?, row.text("body")?);
    let event = format::read(found, &body).map_err(|error| match error.is_newer() {
        true => StoreError::Newer { what: String::new(), found, known: format::FORMAT },
        false => StoreError::Damaged(error.to_string()),
    })?;
    Ok(Record { seq, epoch: Epoch(count(row, "epoch")?), at: parsed(row, "at")?, event })
}

/// An event as it is stored. Nothing of it is judged here.
pub(super) fn stored(row: &impl Columns) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        seq: count(row, "seq")?,
        epoch: Epoch(count(row, "epoch")?),
        at: row.text("at")?,
        kind: Some(row.text("kind")?),
        format: row.number("format")?,
        body: row.text("body")?,
        chain: row.text("chain")?,
    })
}

/// An event as it is to be stored, in no chain yet.
pub(super) fn unlinked(record: &Record) -> Result<StoredEvent, StoreError> {
    let Record { seq, epoch, at, event } = record;
    let (kind, body) = (Some(event.kind().to_owned()), json(event)?);
    let (format, chain) = (format::FORMAT, String::new());
    Ok(StoredEvent { seq: *seq, epoch: *epoch, at: at.to_string(), kind, format, body, chain })
}

/// An event of a rollout as it is to be stored, in no chain yet.
pub(super) fn unlinked_of_rollout(record: &rollout::Record) -> Result<StoredEvent, StoreError> {
    let rollout::Record { seq, epoch, at, event } = record;
    let (kind, body) = (Some(event.kind().to_owned()), json(event)?);
    let (format, chain) = (rollout::FORMAT, String::new());
    Ok(StoredEvent { seq: *seq, epoch: *epoch, at: at.to_string(), kind, format, body, chain })
}

/// The digest that the chain goes on from, out of what is stored of the event before.
pub(super) fn chained(owner: Owner<'_>, event: StoredEvent, before: &str) -> Result<StoredEvent, StoreError> {
    let before = match before {
        "" => None,
        digest => Some(digest.parse().map_err(|error| damaged("chain", &error))?),
    };
    let chain = owner.link(before, &event).to_string();
    Ok(StoredEvent { chain, ..event })
}

/// The event before the one that is to be written is not what was written.
pub(super) fn rewritten(journal: &str, before: u64) -> StoreError {
    StoreError::Damaged(format!("event {before} of {journal} is not what was written: see docs/audit.md"))
}

/// An event of a rollout.
pub(super) fn rollout_record(
    rollout: &RolloutName,
    row: &impl Columns,
) -> Result<rollout::Record, StoreError> {
    let seq = count(row, "seq")?;
    let (found, body) = (row.number("format")?, row.text("body")?);
    let what = || format!("event {seq} of rollout {rollout}");
    if found > rollout::FORMAT {
        return Err(StoreError::Newer { what: what(), found, known: rollout::FORMAT });
    }
    let event =
        serde_json::from_str(&body).map_err(|error| StoreError::Damaged(format!("{}: {error}", what())))?;
    Ok(rollout::Record { seq, epoch: Epoch(count(row, "epoch")?), at: parsed(row, "at")?, event })
}

pub(super) fn listing(row: &impl Columns) -> Result<RunListing, StoreError> {
    Ok(RunListing { id: parsed(row, "id")?, cluster: parsed(row, "cluster")? })
}

pub(super) fn request(row: &impl Columns) -> Result<StoredRequest, StoreError> {
    let (number, by) = (row.number("number")?, row.text("asked_by")?);
    Ok(StoredRequest { number, request: from_json(row, "request")?, by })
}

pub(super) fn rollout_request(row: &impl Columns) -> Result<RolloutAsked, StoreError> {
    let (number, by) = (row.number("number")?, row.text("asked_by")?);
    Ok(RolloutAsked { number, request: from_json(row, "request")?, by })
}

pub(super) fn package(row: &impl Columns) -> Result<StoredPackage, StoreError> {
    let (md5, added_at) = (row.text_or_none("md5")?, parsed(row, "added_at")?);
    Ok(StoredPackage { package: from_json(row, "body")?, md5, added_at, added_by: row.text("added_by")? })
}

/// The number of a run's last event.
pub(super) fn end(row: &impl Columns) -> Result<(RunId, u64), StoreError> {
    Ok((parsed(row, "id")?, count(row, "seq")?))
}

pub(super) fn shelved(row: &impl Columns) -> Result<(String, String), StoreError> {
    Ok((row.text("key")?, row.text("body")?))
}

pub(super) fn latest(row: &impl Columns) -> Result<LatestDriver, StoreError> {
    Ok(LatestDriver { epoch: Epoch(count(row, "epoch")?), holder: row.text("holder")? })
}

pub(super) fn leader(row: &impl Columns) -> Result<Leader, StoreError> {
    let LatestDriver { epoch, holder } = latest(row)?;
    let address = Some(row.text("address")?).filter(|address| !address.is_empty());
    Ok(Leader { epoch, holder, address })
}
