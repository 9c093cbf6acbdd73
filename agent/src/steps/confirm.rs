//! The verdict: the node *is* at the target and healthy, however the installer ended (promise P9). Asked again until it
//! is so or until the deadline.

use std::time::Duration;

use proto::{Failure, StepReport, Version};
use tokio::time::Instant;

use super::{Done, StepContext, Stop};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &StepContext, target: Version, deadline: Duration) -> Result<Done, Stop> {
    // There is always one look, however late it is.
    let gives_up = Instant::now() + context.left(deadline.min(context.door.config.confirm_deadline));
    let mut pause = FIRST_PAUSE;
    loop {
        let seen = match look(context, target).await {
            Ok(report) => return Ok(Done::new(report)),
            Err(seen) => seen,
        };
        if Instant::now() + pause > gives_up {
            return Err(not_confirmed(*seen, target).into());
        }
        context.report.retry(seen.to_string(), pause, gives_up.duration_since(Instant::now())).await;
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn look(context: &StepContext, target: Version) -> Result<StepReport, Box<Failure>> {
    let node = &context.door.node;
    let installed = node.installed().await?;
    if installed.version != target {
        let message = format!("the node is at {}, not at {target}", installed.version);
        let remedy = "read the installer's output on the node, then `ratchet retry` to install again, or finish by hand and `ratchet resume`";
        return Err(Box::new(Failure::operator("wrong-version", message, remedy)));
    }
    let checked = node.checks().await?;
    Ok(StepReport::Confirm { installed, checked })
}

fn not_confirmed(seen: Failure, target: Version) -> Failure {
    let message = format!("the node was not at {target} and healthy before the deadline");
    let remedy = seen.remedy.clone().unwrap_or_else(|| "repair the node, then `ratchet retry`".to_owned());
    let program = seen.program.clone();
    Failure { program, ..Failure::operator(&seen.id, message, remedy).because(seen.to_string()) }
}
