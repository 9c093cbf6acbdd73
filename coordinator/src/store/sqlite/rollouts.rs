//! Journals of rollouts.

use proto::RolloutName;

use super::{Seat, SqliteStore, StoreError};
use crate::rollout::{self, Record};
use crate::store::rows::{json, rollout_record};

impl SqliteStore {
    pub(super) async fn insert_rollout_event(
        &self,
        rollout: &RolloutName,
        record: &Record,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        self.fence(&mut transaction, &Seat::Leader, record.epoch).await?;
        if record.seq == 1 {
            sqlx::query("INSERT INTO rollout (name) VALUES (?)")
                .bind(rollout.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(|source| self.failed(source))?;
        }
        sqlx::query(
            "INSERT INTO rollout_event (rollout, seq, epoch, at, kind, body, format) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(rollout.as_str())
        .bind(record.seq.cast_signed())
        .bind(record.epoch.0.cast_signed())
        .bind(record.at.to_string())
        .bind(record.event.kind())
        .bind(json(&record.event)?)
        .bind(rollout::FORMAT)
        .execute(&mut *transaction)
        .await
        .map_err(|source| self.failed(source))?;
        transaction.commit().await.map_err(|source| self.failed(source))
    }

    pub(super) async fn rollout_events(
        &self,
        rollout: &RolloutName,
        from_seq: u64,
    ) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, epoch, at, body, format FROM rollout_event WHERE rollout = ? AND seq >= ? ORDER BY seq",
        )
        .bind(rollout.as_str())
        .bind(from_seq.cast_signed())
        .fetch_all(&self.pool)
        .await
        .map_err(|source| self.failed(source))?;
        rows.iter().map(|row| rollout_record(rollout, row)).collect()
    }
}
