//! `ratchet upgrade CLUSTER --to V [--yes]`, `ratchet upgrade --plan FILE [--yes]`.
//!
//! Under `-o json`: a `ratchet.plan-answer/1` if there is nothing to start; else a `ratchet.watch/1` a line,
//! and last the `ratchet.run/1`.

use std::path::{Path, PathBuf};

use proto::{ClusterName, Failure, Version};

use super::accept::Accept;
use super::client::Client;
use super::context::Context;
use super::start::{Planned, make_plan, start};
use super::{Exit, ask, render};
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

    #[command(flatten)]
    accept: Accept,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        // A saved plan that cannot be read needs no coordinator to be refused.
        let saved = self.plan.as_deref().map(load).transpose()?;
        let client = context.client().await?;
        let planned = match saved {
            Some(plan) => shown(context, plan)?,
            None => self.planned(context, &client).await?,
        };
        match planned {
            Planned::Over(exit) => Ok(exit),
            Planned::Ready(plan) => {
                ask::confirm(&mut context.out, plan.cluster.as_str(), self.yes)?;
                start(context, &client, &plan, false).await
            }
        }
    }

    async fn planned(&self, context: &mut Context, client: &Client) -> Result<Planned, Failure> {
        match (&self.cluster, self.to) {
            (Some(cluster), Some(to)) => make_plan(context, client, cluster, to, &self.accept).await,
            _ => Err(Failure::operator(
                "usage",
                "a cluster and a version are needed",
                "see `ratchet upgrade --help`",
            )),
        }
    }
}

fn shown(context: &mut Context, plan: Plan) -> Result<Planned, Failure> {
    if !context.out.is_json() {
        context.out.print(&render::plan(&plan))?;
    }
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
