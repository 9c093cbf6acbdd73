//! Makes the node hold a package, verified (promise P10). Needed, done and resume are one question: is it held, whole?

use proto::{Failure, Package, StepReport};

use super::{Done, StepContext, Stop};
use crate::package::Owner;

pub(super) async fn run(
    context: &StepContext,
    package: &Package,
    rate_limit: Option<u64>,
) -> Result<Done, Stop> {
    let door = &context.door;
    Owner::of(&door.config, &door.state).admit(package, door.clock.now())?;
    let packages = &door.packages;
    let _alone = packages.lock(&package.sha256).await;
    let (store, digest) = (packages.clone(), package.sha256);
    let held = tokio::task::spawn_blocking(move || store.verified(&digest)).await;
    let held =
        held.map_err(|error| Failure::bug("an archive could not be verified").because(error.to_string()))?;
    if let Some(held) = held? {
        return Ok(Done::new(StepReport::Fetch { size: held.size, source: String::new() }));
    }
    let fetched = context.door.fetcher.fetch(packages, package, rate_limit, &context.report).await?;
    Ok(Done::new(StepReport::Fetch { size: fetched.size, source: fetched.source }))
}
