//! The way to whichever server takes writes now. A connection that failed or fell silent is closed, never used again, and
//! what was asked is asked once more, elsewhere if need be.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout};

use super::location::Location;
use super::looking;
use super::statement::{Answer, Statement};
use crate::store::StoreError;

/// How long a server may take to answer the first time. One that is frozen or cut off is noticed after this time; what
/// is asked again may take longer each time, so that a slow server is not asked in vain for ever.
const LIMIT: Duration = Duration::from_secs(3);

/// How long a failover may take before a call fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Between two attempts.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// Connections at most.
const CONNECTIONS: usize = 8;

/// All servers, and connections to the one that takes writes.
pub(super) struct Door {
    location: Location,
    idle: Mutex<Idle>,
    permits: Semaphore,
    /// The highest timeline ever seen: a server on a lower one was left behind by a promotion.
    timeline: AtomicI64,
}

/// Connections that nobody uses now.
#[derive(Default)]
struct Idle {
    /// Grows whenever all connections are given up: one that was taken before does not come back.
    generation: u64,
    connections: Vec<PgConnection>,
}

/// A connection in use.
pub(super) struct Held<'d> {
    pub(super) connection: PgConnection,
    generation: u64,
    _permit: SemaphorePermit<'d>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("location", &self.location).finish_non_exhaustive()
    }
}

impl Door {
    pub(super) fn new(location: Location) -> Self {
        let permits = Semaphore::new(CONNECTIONS);
        Self { location, idle: Mutex::default(), permits, timeline: AtomicI64::new(0) }
    }

    pub(super) fn location(&self) -> &Location {
        &self.location
    }

    /// Carries out a statement, again and again while what goes wrong may pass. It may have been carried out more than
    /// once, so it must not matter.
    pub(super) async fn ask(&self, statement: &Statement) -> Result<Answer, StoreError> {
        let (started, mut attempt) = (Instant::now(), 1);
        loop {
            let left = PATIENCE.saturating_sub(started.elapsed()).max(LIMIT);
            let error = match self.ask_once(statement, left.min(LIMIT * attempt)).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !passes(&error) || started.elapsed() >= PATIENCE {
                return Err(self.failed(error));
            }
            tracing::debug!(%error, attempt, "the store is asked again");
            attempt += 1;
            sleep(PAUSE).await;
        }
    }

    /// Carries out a statement, or says at once why not.
    pub(super) async fn try_once(&self, statement: &Statement) -> Result<Answer, StoreError> {
        self.ask_once(statement, LIMIT).await.map_err(|error| self.failed(error))
    }

    async fn ask_once(&self, statement: &Statement, limit: Duration) -> Result<Answer, sqlx::Error> {
        let mut held = self.enter().await?;
        let answer = timeout(limit, statement.carry_out(&mut held.connection)).await;
        let answer = answer.unwrap_or_else(|_| Err(silent()));
        match &answer {
            Err(error) if passes(error) => self.give_up_all(),
            // What the server refuses is no fault of the connection.
            Ok(_) | Err(_) => self.leave(held),
        }
        answer
    }

    /// A connection to the server that takes writes.
    pub(super) async fn enter(&self) -> Result<Held<'_>, sqlx::Error> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let (generation, idle) = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            (idle.generation, idle.connections.pop())
        };
        let connection = match idle {
            Some(connection) => connection,
            None => looking::for_writer(&self.location.hosts, &self.timeline).await?,
        };
        Ok(Held { connection, generation, _permit: permit })
    }

    pub(super) fn leave(&self, held: Held<'_>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.generation == held.generation {
            idle.connections.push(held.connection);
        }
    }

    fn give_up_all(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.generation += 1;
        idle.connections.clear();
    }

    pub(super) fn failed(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database { location: self.location.shown.clone(), source }
    }

    /// The highest timeline that was seen.
    #[cfg(test)]
    pub(super) fn timeline(&self) -> i64 {
        self.timeline.load(Ordering::Relaxed)
    }
}

/// Notes a server's timeline; whether it was left behind.
pub(super) fn is_left_behind(timeline: i64, highest: &AtomicI64) -> bool {
    highest.fetch_max(timeline, Ordering::Relaxed) > timeline
}

pub(super) fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server has not answered in time"))
}

/// Whether it may go well the next time, here or at another server.
pub(super) fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            // Shutting down and starting up, read-only, cut off, out of connections; cancelled, or in each other's way.
            let passing =
                ["57P01", "57P02", "57P03", "57P05", "25006", "25P03", "53300", "57014", "40001", "40P01"];
            code.starts_with("08") || passing.contains(&&*code)
        }),
        _ => false,
    }
}
