//! The formats that events are written in: the present one, and readers for those before it.
//!
//! An event is never rewritten, so a journal may hold several formats. A change to [`Event`] that an older reader would
//! misread, or that cannot read what is there, is a new format: raise [`FORMAT`], and make the new form out of the old
//! one here.

use serde_json::{Map, Value};

use crate::run::{Deadlines, Event};

/// The format that this program writes.
pub const FORMAT: i64 = 4;

/// Why an event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A later program wrote it, or none at all.
    #[error("it is in format {found}; this program knows formats 1 to {FORMAT}")]
    Unknown {
        /// The format.
        found: i64,
    },
    /// It is not what its format says.
    #[error(transparent)]
    Damaged(#[from] serde_json::Error),
}

impl FormatError {
    /// Whether a later program can read it.
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Unknown { found } if *found > FORMAT)
    }
}

/// Reads an event in any format there ever was.
///
/// # Errors
/// [`FormatError`]: nothing is guessed.
pub fn read(format: i64, json: &str) -> Result<Event, FormatError> {
    match format {
        1 => Ok(serde_json::from_value(of_first(serde_json::from_str(json)?)?)?),
        // Format 3 has kinds of events that 2 had not: hooks, and changes by somebody else. 4 has turns that others did not
        // let begin.
        2 | 3 | FORMAT => Ok(serde_json::from_str(json)?),
        found => Err(FormatError::Unknown { found }),
    }
}

/// Format 1 knew four deadlines and no memory of an agent.
fn of_first(mut event: Value) -> Result<Value, serde_json::Error> {
    if let Some(created) = member(&mut event, "created")
        && let Some(deadlines) = member_of(created, "deadlines")
    {
        fill(deadlines, serde_json::to_value(Deadlines::default())?);
    }
    if let Some(claimed) = member(&mut event, "claimed") {
        claimed.entry("memory").or_insert(Value::Null);
    }
    Ok(event)
}

fn member<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Map<String, Value>> {
    member_of(value.as_object_mut()?, name)
}

fn member_of<'v>(map: &'v mut Map<String, Value>, name: &str) -> Option<&'v mut Map<String, Value>> {
    map.get_mut(name)?.as_object_mut()
}

/// Adds what was not there yet, and changes nothing that was. What format 1 had it must still have.
fn fill(deadlines: &mut Map<String, Value>, defaults: Value) {
    const FIRST: [&str; 4] = ["gate", "confirm", "install", "reach"];
    let Value::Object(defaults) = defaults else { return };
    for (name, value) in defaults.into_iter().filter(|(name, _)| !FIRST.contains(&name.as_str())) {
        deadlines.entry(name).or_insert(value);
    }
}
