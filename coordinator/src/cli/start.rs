//! What `upgrade` and `prepare` share: from a plan's answer to a run that is followed.

use proto::{ClusterName, Failure, Version};

use super::accept::Accept;
use super::client::{Answer, Client};
use super::context::Context;
use super::{Exit, follow, plan, render};
use crate::documents::{PlanDocument, PlanOutcome, RunDocument};
use crate::plan::Plan;

/// What planning led to.
pub(super) enum Planned {
    /// A plan to carry out.
    Ready(Box<Plan>),
    /// It ends here, and everything was said.
    Over(Exit),
}

/// Asks for a plan. Where there is none to carry out, says why, in the format that was asked for.
pub(super) async fn make_plan(
    context: &mut Context,
    client: &Client,
    cluster: &ClusterName,
    to: Version,
    accept: &Accept,
    on_the_side: bool,
) -> Result<Planned, Failure> {
    let mut answer = client.plan(cluster.to_string(), to.to_string(), accept.wire()).await?;
    match (answer.document.outcome, answer.document.plan.take()) {
        (PlanOutcome::Ready, Some(plan)) => {
            let document = PlanDocument { plan: Some(plan.clone()), ..answer.document };
            show(context, &render::plan_answer(&document, &to.to_string()), on_the_side)?;
            Ok(Planned::Ready(Box::new(plan)))
        }
        (PlanOutcome::Ready, None) => Err(Failure::bug("the coordinator answered a plan that is not there")),
        (outcome, _) => {
            context.out.answer(&answer, |document| render::plan_answer(document, &to.to_string()))?;
            Ok(Planned::Over(plan::exit(outcome)))
        }
    }
}

/// A program gets the plan with the run's documents; a person sees it before anything starts, on stderr if stdout is for
/// something else.
pub(super) fn show(context: &mut Context, plan: &str, on_the_side: bool) -> Result<(), Failure> {
    match (context.out.is_json(), on_the_side) {
        (true, _) => Ok(()),
        (false, true) => {
            context.out.tell(plan.trim_end());
            Ok(())
        }
        (false, false) => context.out.print(plan),
    }
}

/// Starts a run, and leaves it to the coordinator.
pub(super) async fn detached(context: &mut Context, client: &Client, plan: &Plan) -> Result<Exit, Failure> {
    let run = client.start(json(plan)?, false).await?;
    named(context, &run)
}

/// Says which run it is, and leaves it.
pub(super) fn named(context: &mut Context, run: &Answer<RunDocument>) -> Result<Exit, Failure> {
    context.out.answer(run, |run| format!("{0}   follow it: ratchet watch {0}\n", run.id))?;
    Ok(Exit::Done)
}

fn json(plan: &Plan) -> Result<String, Failure> {
    serde_json::to_string(plan)
        .map_err(|error| Failure::bug("a plan cannot be written as JSON").because(error.to_string()))
}

/// Starts a run and follows it to its end.
pub(super) async fn start(
    context: &mut Context,
    client: &Client,
    plan: &Plan,
    prepare_only: bool,
) -> Result<Exit, Failure> {
    let plan_json = json(plan)?;
    // From here on Ctrl-C must not end the process: it may be driving.
    follow::listen(context)?;
    let run = follow::answered(context, client.start(plan_json, prepare_only)).await?.document;
    follow::driving(context, client, run, follow::FIRST).await
}
