//! What is written to journals of both kinds, each event chained to the one before it in the transaction that writes it.

use proto::RunId;
use sqlx::{Sqlite, Transaction};

use super::{SqliteStore, StoreError};
use crate::run::Record;
use crate::store::chain::Owner;
use crate::store::rows::{self, Columns, chained, rewritten, unlinked};
use crate::store::tails::Tails;
use crate::store::{Lease, Seat, StoredEvent};

/// The statements for one kind of journals.
pub(super) struct Journal {
    before: &'static str,
    append: &'static str,
    all: &'static str,
}

pub(super) const RUN: Journal = Journal {
    before: "SELECT chain FROM event WHERE run = ? AND seq = ?",
    append: "INSERT INTO event (run, seq, epoch, at, kind, body, format, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    all: "SELECT seq, epoch, at, kind, body, format, chain FROM event WHERE run = ? ORDER BY seq",
};

pub(super) const ROLLOUT: Journal = Journal {
    before: "SELECT chain FROM rollout_event WHERE rollout = ? AND seq = ?",
    append: "INSERT INTO rollout_event (rollout, seq, epoch, at, kind, body, format, chain)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    all: "SELECT seq, epoch, at, kind, body, format, chain FROM rollout_event WHERE rollout = ? ORDER BY seq",
};

/// An event on its way into a journal.
pub(super) struct Append<'a> {
    pub(super) journal: &'a Journal,
    pub(super) owner: Owner<'a>,
    pub(super) tails: &'a Tails,
}

impl SqliteStore {
    pub(super) async fn begin_run(
        &self,
        lease: &Lease,
        run: &RunId,
        record: &Record,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        self.fence(&mut transaction, &Seat::Cluster(lease.cluster.clone()), lease.epoch).await?;
        sqlx::query("INSERT INTO run (id, cluster) VALUES (?, ?)")
            .bind(run.as_str())
            .bind(lease.cluster.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        let append = Append { journal: &RUN, owner: Owner::run(run), tails: &lease.tails };
        self.insert(transaction, append, unlinked(record)?).await
    }

    pub(super) async fn append_event(
        &self,
        lease: &Lease,
        run: &RunId,
        record: &Record,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        self.fence(&mut transaction, &Seat::Cluster(lease.cluster.clone()), lease.epoch).await?;
        let append = Append { journal: &RUN, owner: Owner::run(run), tails: &lease.tails };
        self.insert(transaction, append, unlinked(record)?).await
    }

    /// Chains an event to the one before it, and commits.
    pub(super) async fn insert(
        &self,
        mut transaction: Transaction<'static, Sqlite>,
        append: Append<'_>,
        event: StoredEvent,
    ) -> Result<(), StoreError> {
        let Append { journal, owner, tails } = append;
        let before = self.before(&mut transaction, journal, owner, event.seq).await?;
        if tails.of(owner.name(), event.seq - 1).is_some_and(|written| written != before) {
            return Err(rewritten(owner.name(), event.seq - 1));
        }
        let event = chained(owner, event, &before)?;
        sqlx::query(journal.append)
            .bind(owner.name())
            .bind(event.seq.cast_signed())
            .bind(event.epoch.0.cast_signed())
            .bind(&event.at)
            .bind(&event.kind)
            .bind(&event.body)
            .bind(event.format)
            .bind(&event.chain)
            .execute(&mut *transaction)
            .await
            .map_err(|source| self.failed(source))?;
        transaction.commit().await.map_err(|source| self.failed(source))?;
        tails.put(owner.name(), event.seq, &event.chain);
        Ok(())
    }

    /// The digest of the event before one. Nothing is before the first.
    async fn before(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        journal: &Journal,
        owner: Owner<'_>,
        seq: u64,
    ) -> Result<String, StoreError> {
        let before = seq.saturating_sub(1);
        if before == 0 {
            return Ok(String::new());
        }
        let row = sqlx::query(journal.before)
            .bind(owner.name())
            .bind(before.cast_signed())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(|source| self.failed(source))?;
        row.ok_or_else(|| rewritten(owner.name(), before))?.text("chain")
    }

    /// A journal as it is stored.
    pub(super) async fn verbatim_of(
        &self,
        journal: &Journal,
        name: &str,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query(journal.all).bind(name).fetch_all(&self.pool).await;
        rows.map_err(|source| self.failed(source))?.iter().map(rows::stored).collect()
    }
}
