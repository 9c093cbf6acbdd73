//! Rows of the tables, as values.

use proto::{Epoch, RunId};
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite};

use super::StoreError;
use crate::run::Record;
use crate::store::format;

/// An event. One that cannot be read is named by its run and its number.
pub(super) fn record(run: &RunId, row: &SqliteRow) -> Result<Record, StoreError> {
    let number = |name| column::<i64>(row, name).map(i64::cast_unsigned);
    let seq = number("seq")?;
    read(seq, row).map_err(|error| match error {
        StoreError::Newer { found, known, .. } => {
            StoreError::Newer { what: format!("event {seq} of run {run}"), found, known }
        }
        StoreError::Damaged(reason) => StoreError::Damaged(format!("event {seq} of run {run}: {reason}")),
        other => other,
    })
}

fn read(seq: u64, row: &SqliteRow) -> Result<Record, StoreError> {
    let (found, body): (i64, String) = (column(row, "format")?, column(row, "body")?);
    let event = format::read(found, &body).map_err(|error| match error.is_newer() {
        true => StoreError::Newer { what: String::new(), found, known: format::FORMAT },
        false => StoreError::Damaged(error.to_string()),
    })?;
    let epoch: i64 = column(row, "epoch")?;
    Ok(Record { seq, epoch: Epoch(epoch.cast_unsigned()), at: parsed(row, "at")?, event })
}

pub(super) fn column<'r, T>(row: &'r SqliteRow, name: &str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(name).map_err(|error| StoreError::Damaged(format!("column {name}: {error}")))
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    row: &SqliteRow,
    name: &str,
) -> Result<T, StoreError> {
    let text: String = column(row, name)?;
    text.parse().map_err(|error| StoreError::Damaged(format!("column {name}: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(row: &SqliteRow, name: &str) -> Result<T, StoreError> {
    let text: String = column(row, name)?;
    serde_json::from_str(&text).map_err(|error| StoreError::Damaged(format!("column {name}: {error}")))
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}
