//! `rollout watch`: what happens in a rollout, as it happens.

use std::time::Duration;

use proto::{Failure, RolloutName};

use crate::documents::{Document, RolloutRow, RolloutState, RolloutWatchDocument, rollout_event};
use crate::server::Core;

/// Between two looks while a rollout is watched: each goes through all of its clusters.
const AGAIN: Duration = Duration::from_millis(500);

/// Where somebody is in watching a rollout.
#[derive(Debug)]
pub(in crate::server) struct WatchingRollout {
    name: RolloutName,
    next_seq: u64,
    last: Option<RolloutRow>,
}

impl Core {
    /// Begins to watch a rollout from an event on.
    ///
    /// # Errors
    /// There is no such rollout, or the store failed.
    pub(in crate::server) async fn watching_rollout(
        &self,
        name: &str,
        from_seq: u64,
    ) -> Result<WatchingRollout, Failure> {
        let (name, _) = self.rollout(name).await?;
        Ok(WatchingRollout { name, next_seq: from_seq.max(1), last: None })
    }

    /// What is new in a rollout since an event, once something is; `None` when it stands still or is over and everything
    /// was told.
    ///
    /// # Errors
    /// The store failed.
    pub(in crate::server) async fn rollout_news(
        &self,
        watching: &mut WatchingRollout,
    ) -> Result<Option<RolloutWatchDocument>, Failure> {
        loop {
            let (_, rollout) = self.rollout(watching.name.as_str()).await?;
            let records = self.store().rollout_journal(&watching.name, watching.next_seq).await?;
            let fleet = self.look_at_fleet().await?;
            let row = self.rollout_row(&watching.name, &fleet).await?;
            let told = watching.last.replace(row.clone());
            let moved = told.is_none_or(|told| differs(&told, &row));
            if !records.is_empty() || moved {
                watching.next_seq = records.last().map_or(watching.next_seq, |record| record.seq + 1);
                let events = records.iter().map(|record| rollout_event(&rollout.spec, record)).collect();
                let schema = RolloutWatchDocument::SCHEMA.to_owned();
                return Ok(Some(RolloutWatchDocument { schema, events, rollout: row }));
            }
            if row.state != RolloutState::Active {
                return Ok(None);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Whether a watcher should be told although nothing was journaled.
fn differs(told: &RolloutRow, now: &RolloutRow) -> bool {
    let seen = |row: &RolloutRow| (row.state, row.waits_for.clone(), row.until, row.commands.clone());
    seen(told) != seen(now)
}
