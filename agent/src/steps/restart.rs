//! `supervisorctl restart`, for the services the vendor documents (fact sheet §7.1).

use proto::{RestartableService, StepReport};

use super::{Done, StepContext, Stop};

pub(super) async fn run(context: &StepContext, service: RestartableService) -> Result<Done, Stop> {
    context.door.node.restart(service).await?;
    Ok(Done::new(StepReport::Restart))
}
