//! News of the whole fleet: it was halted, or may go on.

use jiff::Timestamp;
use proto::Halt;
use serde::Deserialize;

use super::{Kind, Notice, Subject};
use crate::documents::Document;

/// The halt of the fleet as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FleetHalted {
    /// Grows with every change.
    pub number: u64,
    /// The halt; `None` after it was lifted.
    pub halt: Option<Halt>,
}

/// The news that it is, if it is newer than what was told.
pub fn news_of_fleet(fleet: &FleetHalted, above: u64, now: Timestamp) -> Option<Notice> {
    if fleet.number <= above {
        return None;
    }
    let subject = Subject::default();
    let (kind, at, title, text, commands) = match &fleet.halt {
        Some(Halt { by, why, at }) => (
            Kind::FleetHalted,
            *at,
            "the fleet is halted".to_owned(),
            format!("{by} has halted everything: {why}. No install begins until that is lifted."),
            vec!["ratchet halt --lift".to_owned(), "ratchet runs".to_owned()],
        ),
        None => (
            Kind::FleetLifted,
            now,
            "the fleet may go on".to_owned(),
            "The halt of the fleet was lifted. Runs that stand still are gone on with one by one.".to_owned(),
            vec!["ratchet runs".to_owned()],
        ),
    };
    let (schema, id) = (Notice::SCHEMA.to_owned(), subject.id(fleet.number));
    Some(Notice {
        schema,
        id,
        at,
        kind,
        subject,
        cluster: None,
        title,
        text,
        commands,
        journal: None,
        exit: None,
    })
}
