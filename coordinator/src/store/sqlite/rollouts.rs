//! Journals of rollouts.

use proto::RolloutName;

use super::journals::{Append, ROLLOUT};
use super::{Seat, SqliteStore, StoreError};
use crate::rollout::Record;
use crate::store::Lead;
use crate::store::chain::Owner;
use crate::store::rows::{rollout_record, unlinked_of_rollout};

impl SqliteStore {
    pub(super) async fn insert_rollout_event(
        &self,
        lead: &Lead,
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
        let append = Append { journal: &ROLLOUT, owner: Owner::rollout(rollout), tails: &lead.tails };
        self.insert(transaction, append, unlinked_of_rollout(record)?).await
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
