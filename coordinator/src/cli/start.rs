//! What `upgrade` and `prepare` share: from a plan's answer to a run that is followed.

use proto::{ClusterName, Failure, Version};

use super::accept::Accept;
use super::client::{Answer, Client};
use super::context::Context;
use super::{Exit, follow, plan, render};
use crate::documents::{PlanDocument, PlanOutcome};
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
) -> Result<Planned, Failure> {
    let mut answer = client.plan(cluster.to_string(), to.to_string(), accept.wire()).await?;
    match (answer.document.outcome, answer.document.plan.take()) {
        (PlanOutcome::Ready, Some(plan)) => {
            show(
                context,
                &Answer { document: PlanDocument { plan: Some(plan.clone()), ..answer.document }, ..answer },
                &to.to_string(),
            )?;
            Ok(Planned::Ready(Box::new(plan)))
        }
        (PlanOutcome::Ready, None) => Err(Failure::bug("the coordinator answered a plan that is not there")),
        (outcome, _) => {
            context.out.answer(&answer, |document| render::plan_answer(document, &to.to_string()))?;
            Ok(Planned::Over(plan::exit(outcome)))
        }
    }
}

/// A program gets the plan with the run's documents; a person sees it before anything starts.
fn show(context: &mut Context, answer: &Answer<PlanDocument>, to: &str) -> Result<(), Failure> {
    if context.out.is_json() {
        return Ok(());
    }
    context.out.answer(answer, |document| render::plan_answer(document, to))
}

/// Starts a run and follows it to its end.
pub(super) async fn start(
    context: &mut Context,
    client: &Client,
    plan: &Plan,
    prepare_only: bool,
) -> Result<Exit, Failure> {
    let plan_json = serde_json::to_string(plan)
        .map_err(|error| Failure::bug("a plan cannot be written as JSON").because(error.to_string()))?;
    // From here on Ctrl-C must not end the process: it may be driving.
    follow::listen(context)?;
    let run = follow::answered(context, client.start(plan_json, prepare_only)).await?.document;
    follow::driving(context, client, run, follow::FIRST).await
}
