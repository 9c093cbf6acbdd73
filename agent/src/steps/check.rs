//! The vendor's checks: `rlcheck`, then `rladmin status extra all`, then running actions (fact sheet §6.1).

use proto::StepReport;

use super::{Done, StepContext, Stop};

pub(super) async fn run(context: &StepContext) -> Result<Done, Stop> {
    Ok(Done::new(StepReport::Check(context.door.node.checks().await?)))
}
