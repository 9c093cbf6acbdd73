//! Journals of runs and rollouts, and what is asked of them. The epoch is compared in the statement that writes.

use jiff::Timestamp;
use proto::{Epoch, RolloutName, RunId};
use uuid::Uuid;

use super::PostgresStore;
use super::statement::Statement;
use crate::rollout;
use crate::run::Record;
use crate::store::rows::{Columns, json};
use crate::store::{Seat, StoreError, format};

/// The seat's row is locked first, so that who takes the seat comes before or after, never in between.
const CREATE: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE),
     made AS (INSERT INTO run (id, cluster) SELECT $3, $9 FROM held RETURNING id)
INSERT INTO event (run, seq, epoch, at, kind, body, format, token)
SELECT id, $4, $2, $5, $6, $7, $8, $10 FROM made";

const APPEND: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE)
INSERT INTO event (run, seq, epoch, at, kind, body, format, token)
SELECT $3, $4, $2, $5, $6, $7, $8, $9 FROM held";

const MINE: &str = "SELECT 1 FROM event WHERE run = $1 AND seq = $2 AND token = $3";

const BEGIN_ROLLOUT: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE),
     made AS (INSERT INTO rollout (name) SELECT $3 FROM held RETURNING name)
INSERT INTO rollout_event (rollout, seq, epoch, at, kind, body, format, token)
SELECT name, $4, $2, $5, $6, $7, $8, $9 FROM made";

const APPEND_ROLLOUT: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE)
INSERT INTO rollout_event (rollout, seq, epoch, at, kind, body, format, token)
SELECT $3, $4, $2, $5, $6, $7, $8, $9 FROM held";

const MINE_OF_ROLLOUT: &str = "SELECT 1 FROM rollout_event WHERE rollout = $1 AND seq = $2 AND token = $3";

/// Numbers are given and become visible in the same order: else a reader who has seen a higher one misses a lower one.
const ASK: &str = "
WITH held AS (SELECT id FROM run WHERE id = $1 FOR NO KEY UPDATE)
INSERT INTO request (run, request, asked_by, at, token) SELECT id, $2, $3, $4, $5 FROM held
ON CONFLICT (token) DO NOTHING RETURNING number";

const ASKED: &str = "SELECT number FROM request WHERE token = $1";

/// The same; there may be no row yet that could be locked.
const ASK_ROLLOUT: &str = "
WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('rollout ' || $1, 0)))
INSERT INTO rollout_request (rollout, request, asked_by, at, token) SELECT $1, $2, $3, $4, $5 FROM held
ON CONFLICT (token) DO NOTHING RETURNING number";

const ASKED_OF_ROLLOUT: &str = "SELECT number FROM rollout_request WHERE token = $1";

/// A request, to be left for somebody.
pub(super) struct Asking<'a> {
    pub(super) request: String,
    pub(super) by: &'a str,
    pub(super) at: Timestamp,
}

impl PostgresStore {
    pub(super) async fn insert(&self, seat: &Seat, run: &RunId, record: &Record) -> Result<(), StoreError> {
        let token = Uuid::now_v7().to_string();
        let line = Line { seq: record.seq, epoch: record.epoch, at: record.at, format: format::FORMAT };
        let (kind, body) = (record.event.kind(), json(&record.event)?);
        let append = line.append(Statement::new(APPEND), seat, run.as_str(), kind, body).text(&token);
        let mine = Statement::new(MINE).text(run.as_str()).count(record.seq).text(token);
        self.write(seat, record.epoch, &append, &mine).await
    }

    pub(super) async fn insert_run(
        &self,
        seat: &Seat,
        run: &RunId,
        record: &Record,
    ) -> Result<(), StoreError> {
        let token = Uuid::now_v7().to_string();
        let line = Line { seq: record.seq, epoch: record.epoch, at: record.at, format: format::FORMAT };
        let (kind, body) = (record.event.kind(), json(&record.event)?);
        let create = line.append(Statement::new(CREATE), seat, run.as_str(), kind, body);
        let create = create.text(seat.key()).text(&token);
        let mine = Statement::new(MINE).text(run.as_str()).count(record.seq).text(token);
        self.write(seat, record.epoch, &create, &mine).await
    }

    pub(super) async fn insert_rollout_event(
        &self,
        rollout: &RolloutName,
        record: &rollout::Record,
    ) -> Result<(), StoreError> {
        let token = Uuid::now_v7().to_string();
        let line = Line { seq: record.seq, epoch: record.epoch, at: record.at, format: rollout::FORMAT };
        let (kind, body) = (record.event.kind(), json(&record.event)?);
        let how = Statement::new(if record.seq == 1 { BEGIN_ROLLOUT } else { APPEND_ROLLOUT });
        let append = line.append(how, &Seat::Leader, rollout.as_str(), kind, body).text(&token);
        let mine = Statement::new(MINE_OF_ROLLOUT).text(rollout.as_str()).count(record.seq).text(token);
        self.write(&Seat::Leader, record.epoch, &append, &mine).await
    }

    pub(super) async fn leave_request(&self, run: &RunId, asking: &Asking<'_>) -> Result<i64, StoreError> {
        let number = self.leave(Statement::new(ASK).text(run.as_str()), asking, ASKED).await?;
        number.ok_or_else(|| StoreError::NoSuchRun(run.to_string()))
    }

    pub(super) async fn leave_rollout_request(
        &self,
        rollout: &RolloutName,
        asking: &Asking<'_>,
    ) -> Result<i64, StoreError> {
        let ask = Statement::new(ASK_ROLLOUT).text(rollout.as_str());
        let number = self.leave(ask, asking, ASKED_OF_ROLLOUT).await?;
        number.ok_or_else(|| StoreError::NoSuchRollout(rollout.to_string()))
    }

    /// Leaves a request once, however often it is sent; its number, unless nobody can be asked.
    async fn leave(
        &self,
        ask: Statement,
        asking: &Asking<'_>,
        asked: &'static str,
    ) -> Result<Option<i64>, StoreError> {
        let token = Uuid::now_v7().to_string();
        let ask = ask.text(&asking.request).text(asking.by).text(asking.at.to_string()).text(&token);
        let mut rows = self.door.ask(&ask).await?.rows;
        if rows.is_empty() {
            rows = self.door.ask(&Statement::new(asked).text(token)).await?.rows;
        }
        rows.first().map(|row| row.number("number")).transpose()
    }

    /// Rows as values.
    pub(super) async fn all<T>(
        &self,
        statement: Statement,
        read: impl Fn(&sqlx::postgres::PgRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.door.ask(&statement).await?.rows.iter().map(read).collect()
    }
}

/// What the lines of both kinds of journals have in common.
struct Line {
    seq: u64,
    epoch: Epoch,
    at: Timestamp,
    format: i64,
}

impl Line {
    /// The first eight values of a statement that appends.
    fn append(&self, to: Statement, seat: &Seat, journal: &str, kind: &str, body: String) -> Statement {
        to.text(seat.key())
            .count(self.epoch.0)
            .text(journal)
            .count(self.seq)
            .text(self.at.to_string())
            .text(kind)
            .text(body)
            .number(self.format)
    }
}
