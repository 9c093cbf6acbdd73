//! How long a plan will take, going by earlier runs.

use std::time::Duration;

use proto::{ClusterName, Failure};

use super::Core;
use crate::documents::ExpectedRow;
use crate::plan::Plan;
use crate::run::{median, turn_durations};

/// How many of the latest turns are looked at: enough for a median, few enough to be read in a moment.
const TURNS: usize = 60;

impl Core {
    /// Turns of this cluster where some were measured, else of the whole fleet.
    pub(super) async fn expected(&self, plan: &Plan) -> Result<Option<ExpectedRow>, Failure> {
        let mut measured = self.measured(|cluster| *cluster == plan.cluster).await?;
        let of_this_cluster = !measured.is_empty();
        if !of_this_cluster {
            measured = self.measured(|_| true).await?;
        }
        Ok(row(plan, measured, of_this_cluster))
    }

    /// How long the latest turns took, of clusters that are wanted.
    async fn measured(&self, wanted: impl Fn(&ClusterName) -> bool) -> Result<Vec<Duration>, Failure> {
        let runs = self.store().runs().await?;
        let mut measured = Vec::new();
        for listing in runs.iter().rev().filter(|listing| wanted(&listing.cluster)) {
            if measured.len() >= TURNS {
                break;
            }
            measured.extend(turn_durations(&self.store().journal(&listing.id, 1).await?));
        }
        Ok(measured)
    }
}

fn row(plan: &Plan, measured: Vec<Duration>, of_this_cluster: bool) -> Option<ExpectedRow> {
    let turns: u32 = plan.hops.iter().map(|hop| u32::try_from(hop.turns.len()).unwrap_or(u32::MAX)).sum();
    let (longest, count) = (measured.iter().max()?.as_secs(), measured.len());
    let turn = median(measured)?;
    Some(ExpectedRow {
        turn_seconds: turn.as_secs(),
        longest_turn_seconds: longest,
        all_seconds: turn.saturating_mul(turns).as_secs(),
        measured: count,
        of_this_cluster,
    })
}
