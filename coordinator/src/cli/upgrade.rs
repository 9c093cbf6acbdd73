//! `ratchet upgrade CLUSTER --to V [--yes] [--detach]`, `ratchet upgrade --plan FILE [--yes] [--detach]`.
//!
//! Under `-o json`: a `ratchet.plan-answer/1` if there is nothing to start; else a `ratchet.watch/1` a line,
//! and last the `ratchet.run/1`.

use std::path::{Path, PathBuf};

use proto::{ClusterName, Failure, Version};

use super::accept::Accept;
use super::client::{Answer, Client};
use super::context::Context;
use super::start::{Planned, detached, make_plan, named, show, start};
use super::{Exit, ask, follow, render};
use crate::documents::{RunDocument, RunState};
use crate::plan::Plan;

/// Arguments of `upgrade`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster to upgrade
    #[arg(required_unless_present = "plan", requires = "to")]
    cluster: Option<ClusterName>,
    /// The version to upgrade it to: X.Y.Z-B
    #[arg(long, value_name = "VERSION", required_unless_present = "plan", requires = "cluster")]
    to: Option<Version>,
    /// Carry out this plan, saved by `ratchet plan --save`, or nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cluster", "to", "accept"])]
    plan: Option<PathBuf>,
    /// Start without asking
    #[arg(long)]
    yes: bool,

    /// Leave the run to the coordinator and say only which it is; the coordinator must be one that serves
    #[arg(long)]
    detach: bool,

    #[command(flatten)]
    accept: Accept,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        if self.detach && context.is_embedded() {
            return Err(nobody_to_leave_it_to());
        }
        // A saved plan that cannot be read needs no coordinator to be refused.
        let saved = self.plan.as_deref().map(load).transpose()?;
        let client = context.client().await?;
        if let Some(run) = self.under_way(&client).await? {
            return self.go_with(context, &client, run).await;
        }
        let planned = match saved {
            Some(plan) => shown(context, plan, self.detach)?,
            None => self.planned(context, &client).await?,
        };
        match planned {
            Planned::Over(exit) => Ok(exit),
            Planned::Ready(plan) => {
                ask::confirm(&mut context.out, plan.cluster.as_str(), self.yes)?;
                match self.detach {
                    true => detached(context, &client, &plan).await,
                    false => start(context, &client, &plan, false).await,
                }
            }
        }
    }

    /// The run that is what is asked for: the same request twice is the same run. Where that cannot be told the plan will
    /// say so.
    async fn under_way(&self, client: &Client) -> Result<Option<Answer<RunDocument>>, Failure> {
        let (Some(cluster), Some(to)) = (&self.cluster, self.to) else { return Ok(None) };
        let Ok(why) = client.why(cluster.to_string()).await else { return Ok(None) };
        let Some(run) = why.document.run else { return Ok(None) };
        let run = client.show(run, false, false).await?;
        let same = run.document.target == to.to_string() && !run.document.prepare_only;
        let over = matches!(run.document.state, RunState::Done | RunState::Aborted | RunState::Blocked);
        Ok((same && !over).then_some(run))
    }

    async fn go_with(
        &self,
        context: &mut Context,
        client: &Client,
        run: Answer<RunDocument>,
    ) -> Result<Exit, Failure> {
        if self.detach {
            return named(context, &run);
        }
        context.out.tell(&format!("run {} is under way already; following it", run.document.id));
        follow::listen(context)?;
        follow::looking_on(context, client, run.document).await
    }

    async fn planned(&self, context: &mut Context, client: &Client) -> Result<Planned, Failure> {
        match (&self.cluster, self.to) {
            (Some(cluster), Some(to)) => {
                make_plan(context, client, cluster, to, &self.accept, self.detach).await
            }
            _ => Err(Failure::operator(
                "usage",
                "a cluster and a version are needed",
                "see `ratchet upgrade --help`",
            )),
        }
    }
}

fn nobody_to_leave_it_to() -> Failure {
    let message =
        "`--detach` needs a coordinator that goes on without this command; there is none but in this process";
    let remedy =
        "start one with `ratchet serve` and name it with --coordinator HOST:PORT; or leave out --detach";
    Failure::operator("usage", message, remedy)
}

fn shown(context: &mut Context, plan: Plan, on_the_side: bool) -> Result<Planned, Failure> {
    show(context, &render::plan(&plan), on_the_side)?;
    Ok(Planned::Ready(Box::new(plan)))
}

fn load(file: &Path) -> Result<Plan, Failure> {
    let refused = |reason: String| {
        let message = format!("the plan {} cannot be used", file.display());
        Failure::operator("usage", message, "save one with `ratchet plan CLUSTER --to VERSION --save FILE`")
            .because(reason)
    };
    let text = std::fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| refused(error.to_string()))
}
