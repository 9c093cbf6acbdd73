//! Journals of runs and rollouts, and what is asked of them. The epoch is compared in the statement that writes.

use jiff::Timestamp;
use proto::{RolloutName, RunId};
use uuid::Uuid;

use super::PostgresStore;
use super::statement::Statement;
use crate::rollout;
use crate::run::Record;
use crate::store::chain::Owner;
use crate::store::rows::{Columns, chained, rewritten, unlinked, unlinked_of_rollout};
use crate::store::tails::Tails;
use crate::store::{Lead, Lease, Seat, StoreError, StoredEvent};

/// The seat's row is locked first, so that who takes the seat comes before or after, never in between.
const CREATE: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE),
     made AS (INSERT INTO run (id, cluster) SELECT $3, $11 FROM held RETURNING id)
INSERT INTO event (run, seq, epoch, at, kind, body, format, chain, token)
SELECT id, $4, $2, $5, $6, $7, $8, $9, $10 FROM made";

/// Nothing is written after an event that is not the one that this one was chained to.
const APPEND: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE)
INSERT INTO event (run, seq, epoch, at, kind, body, format, chain, token)
SELECT $3, $4, $2, $5, $6, $7, $8, $9, $10 FROM held
WHERE EXISTS (SELECT FROM event WHERE run = $3 AND seq = $4 - 1 AND chain = $11)";

const MINE: &str = "SELECT 1 FROM event WHERE run = $1 AND seq = $2 AND token = $3";

const CHAIN: &str = "SELECT chain FROM event WHERE run = $1 AND seq = $2";

const BEGIN_ROLLOUT: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE),
     made AS (INSERT INTO rollout (name) SELECT $3 FROM held RETURNING name)
INSERT INTO rollout_event (rollout, seq, epoch, at, kind, body, format, chain, token)
SELECT name, $4, $2, $5, $6, $7, $8, $9, $10 FROM made";

const APPEND_ROLLOUT: &str = "
WITH held AS (SELECT FROM seat WHERE key = $1 AND epoch = $2 FOR NO KEY UPDATE)
INSERT INTO rollout_event (rollout, seq, epoch, at, kind, body, format, chain, token)
SELECT $3, $4, $2, $5, $6, $7, $8, $9, $10 FROM held
WHERE EXISTS (SELECT FROM rollout_event WHERE rollout = $3 AND seq = $4 - 1 AND chain = $11)";

const MINE_OF_ROLLOUT: &str = "SELECT 1 FROM rollout_event WHERE rollout = $1 AND seq = $2 AND token = $3";

const CHAIN_OF_ROLLOUT: &str = "SELECT chain FROM rollout_event WHERE rollout = $1 AND seq = $2";

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

/// An event on its way into a journal.
struct Append<'a> {
    seat: Seat,
    owner: Owner<'a>,
    tails: &'a Tails,
    how: &'static str,
    mine: &'static str,
    /// What finds the digest of the event before; nothing is before the first.
    before: Option<&'static str>,
    /// What else the statement needs.
    more: Option<&'a str>,
}

impl PostgresStore {
    pub(super) async fn insert(&self, lease: &Lease, run: &RunId, record: &Record) -> Result<(), StoreError> {
        let append = Append {
            seat: Seat::Cluster(lease.cluster.clone()),
            owner: Owner::run(run),
            tails: &lease.tails,
            how: APPEND,
            mine: MINE,
            before: Some(CHAIN),
            more: None,
        };
        self.chain(append, unlinked(record)?).await
    }

    pub(super) async fn insert_run(
        &self,
        lease: &Lease,
        run: &RunId,
        record: &Record,
    ) -> Result<(), StoreError> {
        let append = Append {
            seat: Seat::Cluster(lease.cluster.clone()),
            owner: Owner::run(run),
            tails: &lease.tails,
            how: CREATE,
            mine: MINE,
            before: None,
            more: Some(lease.cluster.as_str()),
        };
        self.chain(append, unlinked(record)?).await
    }

    pub(super) async fn insert_rollout_event(
        &self,
        lead: &Lead,
        rollout: &RolloutName,
        record: &rollout::Record,
    ) -> Result<(), StoreError> {
        let first = record.seq == 1;
        let append = Append {
            seat: Seat::Leader,
            owner: Owner::rollout(rollout),
            tails: &lead.tails,
            how: if first { BEGIN_ROLLOUT } else { APPEND_ROLLOUT },
            mine: MINE_OF_ROLLOUT,
            before: (!first).then_some(CHAIN_OF_ROLLOUT),
            more: None,
        };
        self.chain(append, unlinked_of_rollout(record)?).await
    }

    /// Chains an event to the one before it, as this writer knows it, and writes it if that one is still there.
    async fn chain(&self, append: Append<'_>, event: StoredEvent) -> Result<(), StoreError> {
        let Append { seat, owner, tails, how, mine, before, more } = append;
        let last = match before {
            Some(find) => Some(self.last(find, owner, tails, event.seq).await?),
            None => None,
        };
        let event = chained(owner, event, last.as_deref().unwrap_or_default())?;
        let token = Uuid::now_v7().to_string();
        let line = line(Statement::new(how), &seat, owner, &event).text(&token);
        let line = last.iter().map(String::as_str).chain(more).fold(line, Statement::text);
        let mine = Statement::new(mine).text(owner.name()).count(event.seq).text(token);
        if !self.write(&seat, event.epoch, &line, &mine).await? {
            return Err(rewritten(owner.name(), event.seq - 1));
        }
        tails.put(owner.name(), event.seq, &event.chain);
        Ok(())
    }

    /// The digest of the event before one: what this writer has written, or what is there.
    async fn last(
        &self,
        find: &'static str,
        owner: Owner<'_>,
        tails: &Tails,
        seq: u64,
    ) -> Result<String, StoreError> {
        let before = seq.saturating_sub(1);
        if let Some(chain) = tails.of(owner.name(), before) {
            return Ok(chain);
        }
        let chain = Statement::new(find).text(owner.name()).count(before);
        let found = self.all(chain, |row| row.text("chain")).await?.pop();
        // Whoever is fenced is told so, not that something is missing.
        Ok(found.unwrap_or_default())
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

/// The first nine values of a statement that appends.
fn line(to: Statement, seat: &Seat, owner: Owner<'_>, event: &StoredEvent) -> Statement {
    to.text(seat.key())
        .count(event.epoch.0)
        .text(owner.name())
        .count(event.seq)
        .text(&event.at)
        .text(event.kind.as_deref().unwrap_or_default())
        .text(&event.body)
        .number(event.format)
        .text(&event.chain)
}
