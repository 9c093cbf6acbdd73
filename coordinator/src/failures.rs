//! Errors of the coordinator's own parts, turned into words that let somebody act.

use std::error::Error;

use proto::{ClusterName, Failure};

use crate::run::Illegal;
use crate::store::{LatestDriver, StoreError};

/// An error and everything below it, in one line. Some errors repeat what is below them; that is told once.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let below = error.to_string();
        if !text.ends_with(&below) {
            text = format!("{text}: {below}");
        }
        source = error.source();
    }
    text
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let cause = error.source().map(chain);
        let message = error.to_string();
        let (id, remedy) = match &error {
            StoreError::Held { cluster, .. } => {
                ("driven-elsewhere", format!("wait for it, or ask it to stop: ratchet why {cluster}"))
            }
            StoreError::Fenced { cluster, latest, .. } => return superseded(cluster, latest.as_ref()),
            StoreError::Led { .. } => (
                "led-elsewhere",
                "ask the coordinator that leads: ratchet --coordinator HOST:PORT …".to_owned(),
            ),
            StoreError::Deposed { .. } => (DEPOSED, "ratchet rollout status".to_owned()),
            StoreError::NoSuchRollout(_) => ("no-such-rollout", "ratchet rollout list".to_owned()),
            StoreError::NoSuchRun(_) => ("no-such-run", "ratchet runs".to_owned()),
            StoreError::Ambiguous { .. } => ("ambiguous-run", "give more of the run's id".to_owned()),
            StoreError::NotAStore(_) => ("not-a-store", "correct `store` in ratchet.toml".to_owned()),
            StoreError::Unusable { remedy, .. } => ("not-a-store", remedy.clone()),
            StoreError::Newer { .. } => ("newer-format", "use the newer ratchet".to_owned()),
            StoreError::Damaged(_) => ("store-damaged", "restore the store from a backup".to_owned()),
            StoreError::Database { source, location } if is_busy(source) => (
                STORE_UNREACHABLE,
                format!("end the process that was stopped in the middle of writing to it: fuser {location}"),
            ),
            // It may come back, or another coordinator may reach it.
            StoreError::Database { location, source: sqlx::Error::Io(_) }
                if location.starts_with("postgres") =>
            {
                let failure = Self::retry(STORE_UNREACHABLE, message);
                let remedy = format!("see that a server answers there and takes writes: psql '{location}'");
                return Self { cause, remedy: Some(remedy), ..failure };
            }
            StoreError::Database { location, .. } if location.starts_with("postgres") => (
                STORE_UNREACHABLE,
                format!(
                    "see that a server answers there, lets this host in and takes writes: psql '{location}'"
                ),
            ),
            StoreError::Database { .. } | StoreError::File { .. } => (
                STORE_UNREACHABLE,
                "see that the file exists, is writable and its disk is not full".to_owned(),
            ),
        };
        Self { cause, ..Self::operator(id, message, remedy) }
    }
}

/// The id of the failure of a coordinator that cannot use its store.
pub const STORE_UNREACHABLE: &str = "store-unreachable";

/// The id of the failure of a coordinator that led, and does not any more.
pub const DEPOSED: &str = "deposed";

/// The id of the failure of a driver whose cluster somebody else drives now.
pub const SUPERSEDED: &str = "superseded";

/// The failure of a driver whose cluster somebody else drives now.
pub fn superseded(cluster: &ClusterName, latest: Option<&LatestDriver>) -> Failure {
    let who = match latest {
        Some(LatestDriver { epoch, holder }) if !holder.is_empty() => {
            format!("{holder} now, at epoch {epoch}")
        }
        Some(LatestDriver { epoch, .. }) => format!("another coordinator now, at epoch {epoch}"),
        None => "another coordinator now".to_owned(),
    };
    let message =
        format!("{cluster} is driven by {who}; this coordinator has stopped and starts nothing any more");
    Failure::operator(SUPERSEDED, message, format!("ratchet why {cluster}"))
}

/// The failure, with the way out where an agent refuses because it obeys somebody else: if they are gone for good, their
/// nodes can be taken over.
pub fn with_takeover(cluster: &ClusterName, failure: Failure) -> Failure {
    const HELD: [&str; 3] = ["claimed-by-other", "foreign-claim", "stale-epoch"];
    let command = format!("ratchet takeover {cluster}");
    if !HELD.contains(&failure.id.as_str()) {
        return failure;
    }
    let remedy = match failure.remedy {
        Some(remedy) if remedy.contains(&command) => remedy,
        Some(remedy) => format!("{remedy}; if its coordinator or its store is gone for good: {command}"),
        None => command,
    };
    Failure { remedy: Some(remedy), ..failure }
}

/// Whether another process holds the database's lock.
fn is_busy(error: &sqlx::Error) -> bool {
    const BUSY: &str = "5";
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == BUSY)
}

impl From<Illegal> for Failure {
    fn from(illegal: Illegal) -> Self {
        Self::bug(illegal.to_string())
    }
}
