//! The store that survives a machine: PostgreSQL, with every seat a row that expires by the database's clock.
//!
//! Each call is one statement and so one transaction. A failover in the middle of it is waited for, and what was asked is
//! asked again; tokens tell whether it had been done already.

mod door;
mod journals;
mod keeper;
mod location;
mod looking;
mod schema;
mod seats;
mod statement;

use std::sync::Arc;

use jiff::Timestamp;
use proto::{ClusterName, RolloutName, RunId, Sha256};
use uuid::Uuid;

use super::rows::{self, Columns, json};
use super::{
    Acquire, LatestDriver, Lead, Leader, Lease, RolloutAsked, RunListing, Seat, Shelf, StepProgressRow,
    Store, StoreError, StoredEvent, StoredPackage, StoredRequest,
};
use crate::rollout;
use crate::run::{Event, Record, Request};
use door::Door;
use journals::Asking;
use keeper::Keeper;
use location::Location;
pub(super) use location::{is_one, mistake, shown};
use seats::Taker;
use statement::Statement;

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    door: Arc<Door>,
    keeper: Keeper,
}

impl PostgresStore {
    /// Opens `postgres://…`, and makes the tables if they are not there. Needs a tokio runtime.
    ///
    /// # Errors
    /// It is no such location, no server takes writes within seconds, or it has tables of a newer version.
    pub async fn open(location: &str) -> Result<Self, StoreError> {
        let door = Arc::new(Door::new(Location::of(location)?));
        schema::migrate(&door).await?;
        let store = Self { keeper: Keeper::start(Arc::clone(&door)), door };
        store.warn_if_nobody_stands_by().await?;
        Ok(store)
    }

    /// With several servers, one that acknowledges before another has it may lose what was acknowledged.
    async fn warn_if_nobody_stands_by(&self) -> Result<(), StoreError> {
        let standbys = Statement::new("SELECT current_setting('synchronous_standby_names') AS names");
        let names = self.all(standbys, |row| row.text("names")).await?;
        if self.door.location().hosts.len() > 1 && names.iter().all(String::is_empty) {
            tracing::warn!(
                store = self.door.location().shown,
                "no standby is synchronous: a failover can lose what was acknowledged; set synchronous_standby_names"
            );
        }
        Ok(())
    }

    /// How many rows a statement has changed, at least one.
    async fn changes(&self, statement: Statement) -> Result<bool, StoreError> {
        Ok(self.door.ask(&statement).await?.changed > 0)
    }

    /// Whether a row is new; one with the token is ours, however often it was sent.
    async fn adds(&self, add: Statement, mine: &'static str, token: String) -> Result<bool, StoreError> {
        if self.changes(add).await? {
            return Ok(true);
        }
        Ok(!self.door.ask(&Statement::new(mine).text(token)).await?.rows.is_empty())
    }

    /// Lets a test look at the tables themselves, or spoil them.
    #[cfg(test)]
    pub(super) async fn sql(&self, sql: &'static str) -> Vec<String> {
        let rows = self.door.ask(&Statement::new(sql)).await.unwrap().rows;
        rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect()
    }

    /// What the end of the process would do, for a test that goes on after it.
    #[cfg(test)]
    pub(super) fn stop_renewing(&self) {
        self.keeper.forget_all();
    }

    /// The timeline of the server that is believed.
    #[cfg(test)]
    pub(super) fn timeline(&self) -> i64 {
        self.door.timeline()
    }
}

#[async_trait::async_trait]
impl Store for PostgresStore {
    async fn acquire(&self, cluster: &ClusterName, holder: &str, how: Acquire) -> Result<Lease, StoreError> {
        let taker = Taker { holder, address: "" };
        let taken = self.take(&Seat::Cluster(cluster.clone()), taker, how).await?;
        Ok(Lease::new(cluster.clone(), taken.epoch, taken.hold))
    }

    async fn driver(&self, cluster: &ClusterName) -> Result<Option<String>, StoreError> {
        Ok(self.now_in(&Seat::Cluster(cluster.clone())).await?.map(|driver| driver.holder))
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
        self.insert_run(lease, run, &record).await?;
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
        self.insert(lease, run, &record).await?;
        Ok(record)
    }

    async fn journal(&self, run: &RunId, from_seq: u64) -> Result<Vec<Record>, StoreError> {
        const JOURNAL: &str =
            "SELECT seq, epoch, at, body, format FROM event WHERE run = $1 AND seq >= $2 ORDER BY seq";
        let journal = Statement::new(JOURNAL).text(run.as_str()).count(from_seq);
        self.all(journal, |row| rows::record(run, row)).await
    }

    async fn verbatim(&self, run: &RunId) -> Result<Vec<StoredEvent>, StoreError> {
        const VERBATIM: &str =
            "SELECT seq, epoch, at, kind, body, format, chain FROM event WHERE run = $1 ORDER BY seq";
        self.all(Statement::new(VERBATIM).text(run.as_str()), rows::stored).await
    }

    async fn runs(&self) -> Result<Vec<RunListing>, StoreError> {
        self.all(Statement::new("SELECT id, cluster FROM run ORDER BY number"), rows::listing).await
    }

    async fn ask(&self, run: &RunId, request: &Request, by: &str, at: Timestamp) -> Result<i64, StoreError> {
        self.leave_request(run, &Asking { request: json(request)?, by, at }).await
    }

    async fn requests(&self, run: &RunId, above: i64) -> Result<Vec<StoredRequest>, StoreError> {
        const REQUESTS: &str =
            "SELECT number, request, asked_by FROM request WHERE run = $1 AND number > $2 ORDER BY number";
        self.all(Statement::new(REQUESTS).text(run.as_str()).number(above), rows::request).await
    }

    async fn put_progress(&self, run: &RunId, progress: &StepProgressRow) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO progress (run, step, body) VALUES ($1, $2, $3)
             ON CONFLICT (run, step) DO UPDATE SET body = excluded.body";
        let put = Statement::new(PUT).text(run.as_str()).text(progress.step.as_str()).text(json(progress)?);
        self.changes(put).await.map(|_| ())
    }

    async fn progress(&self, run: &RunId) -> Result<Vec<StepProgressRow>, StoreError> {
        let progress = Statement::new("SELECT body FROM progress WHERE run = $1").text(run.as_str());
        self.all(progress, |row| rows::from_json(row, "body")).await
    }

    async fn add_package(&self, package: &StoredPackage) -> Result<bool, StoreError> {
        const ADD: &str =
            "INSERT INTO package (sha256, body, md5, added_at, added_by, token) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (sha256) DO NOTHING";
        let token = Uuid::now_v7().to_string();
        let add = Statement::new(ADD)
            .text(package.package.sha256.to_string())
            .text(json(&package.package)?)
            .text_or_none(package.md5.as_deref())
            .text(package.added_at.to_string())
            .text(&package.added_by)
            .text(&token);
        self.adds(add, "SELECT 1 FROM package WHERE token = $1", token).await
    }

    async fn packages(&self) -> Result<Vec<StoredPackage>, StoreError> {
        const PACKAGES: &str = "SELECT body, md5, added_at, added_by FROM package ORDER BY added_at, sha256";
        self.all(Statement::new(PACKAGES), rows::package).await
    }

    async fn remove_package(&self, sha256: &Sha256) -> Result<bool, StoreError> {
        self.changes(Statement::new("DELETE FROM package WHERE sha256 = $1").text(sha256.to_string())).await
    }

    async fn lead(&self, holder: &str, address: Option<&str>, how: Acquire) -> Result<Lead, StoreError> {
        let taker = Taker { holder, address: address.unwrap_or_default() };
        let taken = self.take(&Seat::Leader, taker, how).await?;
        Ok(Lead::new(taken.epoch, taken.hold))
    }

    async fn leader(&self) -> Result<Option<Leader>, StoreError> {
        self.now_in(&Seat::Leader).await
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
        const JOURNAL: &str = "SELECT seq, epoch, at, body, format FROM rollout_event
             WHERE rollout = $1 AND seq >= $2 ORDER BY seq";
        let journal = Statement::new(JOURNAL).text(rollout.as_str()).count(from_seq);
        self.all(journal, |row| rows::rollout_record(rollout, row)).await
    }

    async fn verbatim_rollout(&self, rollout: &RolloutName) -> Result<Vec<StoredEvent>, StoreError> {
        const VERBATIM: &str = "SELECT seq, epoch, at, kind, body, format, chain FROM rollout_event
             WHERE rollout = $1 ORDER BY seq";
        self.all(Statement::new(VERBATIM).text(rollout.as_str()), rows::stored).await
    }

    async fn rollouts(&self) -> Result<Vec<RolloutName>, StoreError> {
        let rollouts = Statement::new("SELECT name FROM rollout ORDER BY number");
        self.all(rollouts, |row| rows::parsed(row, "name")).await
    }

    async fn ask_rollout(
        &self,
        rollout: &RolloutName,
        request: &rollout::Request,
        by: &str,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        self.leave_rollout_request(rollout, &Asking { request: json(request)?, by, at }).await
    }

    async fn rollout_requests(
        &self,
        rollout: &RolloutName,
        above: i64,
    ) -> Result<Vec<RolloutAsked>, StoreError> {
        const REQUESTS: &str = "SELECT number, request, asked_by FROM rollout_request
             WHERE rollout = $1 AND number > $2 ORDER BY number";
        self.all(Statement::new(REQUESTS).text(rollout.as_str()).number(above), rows::rollout_request).await
    }

    async fn ends(&self) -> Result<Vec<(RunId, u64)>, StoreError> {
        const ENDS: &str = "SELECT run.id, max(event.seq) AS seq FROM run JOIN event ON event.run = run.id
             GROUP BY run.number, run.id ORDER BY run.number";
        self.all(Statement::new(ENDS), rows::end).await
    }

    async fn prune(&self, run: &RunId) -> Result<bool, StoreError> {
        self.changes(Statement::new("DELETE FROM run WHERE id = $1").text(run.as_str())).await
    }

    async fn put(&self, shelf: Shelf, key: &str, body: &str) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO shelf (shelf, key, body, token) VALUES ($1, $2, $3, '')
             ON CONFLICT (shelf, key) DO UPDATE SET body = excluded.body, token = ''";
        self.changes(Statement::new(PUT).text(shelf.word()).text(key).text(body)).await.map(|_| ())
    }

    async fn put_new(&self, shelf: Shelf, key: &str, body: &str) -> Result<bool, StoreError> {
        const PUT: &str = "INSERT INTO shelf (shelf, key, body, token) VALUES ($1, $2, $3, $4)
             ON CONFLICT (shelf, key) DO NOTHING";
        let token = Uuid::now_v7().to_string();
        let put = Statement::new(PUT).text(shelf.word()).text(key).text(body).text(&token);
        self.adds(put, "SELECT 1 FROM shelf WHERE token = $1", token).await
    }

    async fn shelved(&self, shelf: Shelf) -> Result<Vec<(String, String)>, StoreError> {
        // By bytes, whatever the database's language is.
        const SHELVED: &str = "SELECT key, body FROM shelf WHERE shelf = $1 ORDER BY key COLLATE \"C\"";
        self.all(Statement::new(SHELVED).text(shelf.word()), rows::shelved).await
    }

    async fn take_off(&self, shelf: Shelf, key: &str) -> Result<bool, StoreError> {
        const TAKE: &str = "DELETE FROM shelf WHERE shelf = $1 AND key = $2";
        self.changes(Statement::new(TAKE).text(shelf.word()).text(key)).await
    }
}
