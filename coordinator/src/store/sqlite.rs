//! The embedded store: one SQLite file, durable at every append.

mod journals;
mod open;
mod rollouts;
mod turns;

use std::path::PathBuf;

use jiff::Timestamp;
use proto::{ClusterName, RolloutName, RunId, Sha256};
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::lease::LeaseFile;
use super::{
    Acquire, LatestDriver, Lead, Leader, Lease, RolloutAsked, RunListing, Seat, Shelf, StepProgressRow,
    Store, StoreError, StoredEvent, StoredPackage, StoredRequest, rows, schema,
};
use crate::rollout;
use crate::run::{Event, Record, Request};
use rows::{from_json, json, parsed, record};
use turns::Taker;

/// A store in one SQLite file. Lease files lie in a directory beside it.
#[derive(Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    path: PathBuf,
}

impl SqliteStore {
    /// A transaction that holds the write lock from its start, so that what it read cannot change before it writes.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|source| self.failed(source))
    }

    /// Lets a test spoil or look at the tables themselves: the first column of what the statements answer.
    #[cfg(test)]
    pub(crate) async fn sql(&self, sql: &str) -> Vec<String> {
        let statement = sqlx::AssertSqlSafe(sql.to_owned());
        let rows = sqlx::raw_sql(statement).fetch_all(&self.pool).await.unwrap();
        rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect()
    }

    /// The write lock, for a test that lets others wait.
    #[cfg(test)]
    pub(super) async fn begin_for_test(&self) -> Transaction<'static, Sqlite> {
        self.begin().await.unwrap()
    }

    fn failed(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database { location: self.path.display().to_string(), source }
    }
}

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn acquire(&self, cluster: &ClusterName, holder: &str, how: Acquire) -> Result<Lease, StoreError> {
        let taker = Taker { holder, address: "" };
        let taken = self.take(&Seat::Cluster(cluster.clone()), taker, how).await?;
        Ok(Lease::new(cluster.clone(), taken.epoch, taken.file))
    }

    async fn driver(&self, cluster: &ClusterName) -> Result<Option<String>, StoreError> {
        LeaseFile::holder(&self.leases(), &Seat::Cluster(cluster.clone()))
    }

    async fn latest_driver(&self, cluster: &ClusterName) -> Result<Option<LatestDriver>, StoreError> {
        self.latest_of(&Seat::Cluster(cluster.clone())).await
    }

    async fn create(
        &self,
        lease: &Lease,
        run: &RunId,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        let record = Record { seq: 1, epoch: lease.epoch, at, event: event.clone() };
        self.begin_run(lease, run, &record).await?;
        Ok(record)
    }

    async fn append(
        &self,
        lease: &Lease,
        run: &RunId,
        seq: u64,
        at: Timestamp,
        event: &Event,
    ) -> Result<Record, StoreError> {
        let record = Record { seq, epoch: lease.epoch, at, event: event.clone() };
        self.append_event(lease, run, &record).await?;
        Ok(record)
    }

    async fn journal(&self, run: &RunId, from_seq: u64) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, epoch, at, body, format FROM event WHERE run = ? AND seq >= ? ORDER BY seq",
        )
        .bind(run.as_str())
        .bind(from_seq.cast_signed())
        .fetch_all(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        rows.iter().map(|row| record(run, row)).collect()
    }

    async fn verbatim(&self, run: &RunId) -> Result<Vec<StoredEvent>, StoreError> {
        self.verbatim_of(&journals::RUN, run.as_str()).await
    }

    async fn runs(&self) -> Result<Vec<RunListing>, StoreError> {
        let rows = sqlx::query("SELECT id, cluster FROM run ORDER BY number")
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        rows.iter().map(rows::listing).collect()
    }

    async fn ask(&self, run: &RunId, request: &Request, by: &str, at: Timestamp) -> Result<i64, StoreError> {
        let done = sqlx::query("INSERT INTO request (run, request, asked_by, at) VALUES (?, ?, ?, ?)")
            .bind(run.as_str())
            .bind(json(request)?)
            .bind(by)
            .bind(at.to_string())
            .execute(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(done.last_insert_rowid())
    }

    async fn requests(&self, run: &RunId, above: i64) -> Result<Vec<StoredRequest>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, request, asked_by FROM request WHERE run = ? AND number > ? ORDER BY number",
        )
        .bind(run.as_str())
        .bind(above)
        .fetch_all(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        rows.iter().map(rows::request).collect()
    }

    async fn put_progress(&self, run: &RunId, progress: &StepProgressRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO progress (run, step, body) VALUES (?, ?, ?)
             ON CONFLICT (run, step) DO UPDATE SET body = excluded.body",
        )
        .bind(run.as_str())
        .bind(progress.step.as_str())
        .bind(json(progress)?)
        .execute(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(())
    }

    async fn progress(&self, run: &RunId) -> Result<Vec<StepProgressRow>, StoreError> {
        let rows = sqlx::query("SELECT body FROM progress WHERE run = ?")
            .bind(run.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        rows.iter().map(|row| from_json(row, "body")).collect()
    }

    async fn add_package(&self, package: &StoredPackage) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO package (sha256, body, md5, added_at, added_by) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (sha256) DO NOTHING",
        )
        .bind(package.package.sha256.to_string())
        .bind(json(&package.package)?)
        .bind(package.md5.as_deref())
        .bind(package.added_at.to_string())
        .bind(&package.added_by)
        .execute(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(done.rows_affected() == 1)
    }

    async fn packages(&self) -> Result<Vec<StoredPackage>, StoreError> {
        let rows = sqlx::query("SELECT body, md5, added_at, added_by FROM package ORDER BY added_at, sha256")
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        rows.iter().map(rows::package).collect()
    }

    async fn remove_package(&self, sha256: &Sha256) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM package WHERE sha256 = ?")
            .bind(sha256.to_string())
            .execute(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(done.rows_affected() == 1)
    }

    async fn lead(&self, holder: &str, address: Option<&str>, how: Acquire) -> Result<Lead, StoreError> {
        let taker = Taker { holder, address: address.unwrap_or_default() };
        let taken = self.take(&Seat::Leader, taker, how).await?;
        Ok(Lead::new(taken.epoch, taken.file))
    }

    async fn leader(&self) -> Result<Option<Leader>, StoreError> {
        self.leader_now().await
    }

    async fn append_rollout(
        &self,
        lead: &Lead,
        rollout: &RolloutName,
        seq: u64,
        at: Timestamp,
        event: &rollout::Event,
    ) -> Result<rollout::Record, StoreError> {
        let record = rollout::Record { seq, epoch: lead.epoch, at, event: event.clone() };
        self.insert_rollout_event(lead, rollout, &record).await?;
        Ok(record)
    }

    async fn rollout_journal(
        &self,
        rollout: &RolloutName,
        from_seq: u64,
    ) -> Result<Vec<rollout::Record>, StoreError> {
        self.rollout_events(rollout, from_seq).await
    }

    async fn verbatim_rollout(&self, rollout: &RolloutName) -> Result<Vec<StoredEvent>, StoreError> {
        self.verbatim_of(&journals::ROLLOUT, rollout.as_str()).await
    }

    async fn rollouts(&self) -> Result<Vec<RolloutName>, StoreError> {
        let rows = sqlx::query("SELECT name FROM rollout ORDER BY number")
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        rows.iter().map(|row| parsed(row, "name")).collect()
    }

    async fn ask_rollout(
        &self,
        rollout: &RolloutName,
        request: &rollout::Request,
        by: &str,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        let done =
            sqlx::query("INSERT INTO rollout_request (rollout, request, asked_by, at) VALUES (?, ?, ?, ?)")
                .bind(rollout.as_str())
                .bind(json(request)?)
                .bind(by)
                .bind(at.to_string())
                .execute(&self.pool)
                .await
                .map_err(|source| self.failed(source))?;
        Ok(done.last_insert_rowid())
    }

    async fn rollout_requests(
        &self,
        rollout: &RolloutName,
        above: i64,
    ) -> Result<Vec<RolloutAsked>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, request, asked_by FROM rollout_request WHERE rollout = ? AND number > ? ORDER BY number",
        )
        .bind(rollout.as_str())
        .bind(above)
        .fetch_all(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        rows.iter().map(rows::rollout_request).collect()
    }

    async fn ends(&self) -> Result<Vec<(RunId, u64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT run.id, max(event.seq) AS seq FROM run JOIN event ON event.run = run.id
             GROUP BY run.number ORDER BY run.number",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        rows.iter().map(rows::end).collect()
    }

    async fn prune(&self, run: &RunId) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        for statement in [
            "DELETE FROM event WHERE run = ?",
            "DELETE FROM request WHERE run = ?",
            "DELETE FROM progress WHERE run = ?",
        ] {
            sqlx::query(statement)
                .bind(run.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(|source| self.failed(source))?;
        }
        let done = sqlx::query("DELETE FROM run WHERE id = ?")
            .bind(run.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        Ok(done.rows_affected() == 1)
    }

    async fn put(&self, shelf: Shelf, key: &str, body: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO shelf (shelf, key, body) VALUES (?, ?, ?)
             ON CONFLICT (shelf, key) DO UPDATE SET body = excluded.body",
        )
        .bind(shelf.word())
        .bind(key)
        .bind(body)
        .execute(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        Ok(())
    }

    async fn put_new(&self, shelf: Shelf, key: &str, body: &str) -> Result<bool, StoreError> {
        let done =
            sqlx::query("INSERT INTO shelf (shelf, key, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                .bind(shelf.word())
                .bind(key)
                .bind(body)
                .execute(&self.pool)
                .await
                .map_err(|source| self.failed(source))?;
        Ok(done.rows_affected() == 1)
    }

    async fn shelved(&self, shelf: Shelf) -> Result<Vec<(String, String)>, StoreError> {
        let rows = sqlx::query("SELECT key, body FROM shelf WHERE shelf = ? ORDER BY key")
            .bind(shelf.word())
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        rows.iter().map(rows::shelved).collect()
    }

    async fn take_off(&self, shelf: Shelf, key: &str) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM shelf WHERE shelf = ? AND key = ?")
            .bind(shelf.word())
            .bind(key)
            .execute(&self.pool)
            .await
            .map_err(|source| self.failed(source))?;
        Ok(done.rows_affected() == 1)
    }
}
