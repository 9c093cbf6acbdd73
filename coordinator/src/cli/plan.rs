//! `ratchet plan CLUSTER --to V [--save FILE]`.

use std::io::Write;
use std::path::{Path, PathBuf};

use proto::{ClusterName, Failure, Version};

use super::accept::Accept;
use super::context::Context;
use super::{Exit, render};
use crate::documents::PlanOutcome;
use crate::plan::Plan;

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The cluster to upgrade
    cluster: ClusterName,
    /// The version to upgrade it to: X.Y.Z-B
    #[arg(long, value_name = "VERSION")]
    to: Version,
    /// Write the plan to this file, for `ratchet upgrade --plan`
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    #[command(flatten)]
    accept: Accept,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let client = context.client().await?;
        let answer = client.plan(self.cluster.to_string(), self.to.to_string(), self.accept.wire()).await?;
        context.out.answer(&answer, |document| render::plan_answer(document, &self.to.to_string()))?;
        if let (Some(file), Some(plan)) = (&self.save, &answer.document.plan) {
            save(file, plan)?;
            context.out.tell(&format!(
                "saved; carry out exactly this plan with: ratchet upgrade --plan {}",
                file.display()
            ));
        }
        Ok(exit(answer.document.outcome))
    }
}

/// The exit that fits what came out of planning.
pub(super) fn exit(outcome: PlanOutcome) -> Exit {
    match outcome {
        PlanOutcome::Ready | PlanOutcome::NothingToDo => Exit::Done,
        PlanOutcome::Blocked => Exit::Blocked,
    }
}

/// Writes a plan so that the file holds it whole or is not there.
fn save(file: &Path, plan: &Plan) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(plan)
        .map_err(|error| Failure::bug("a plan cannot be written as JSON").because(error.to_string()))?;
    write_whole(file, &json).map_err(|error| {
        let message = format!("the plan cannot be saved to {}", file.display());
        Failure::operator("save", message, "name a file in a directory you can write to")
            .because(error.to_string())
    })
}

fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    let name = file.file_name().ok_or_else(|| std::io::Error::other("it names no file"))?;
    let mut part = name.to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = file.with_file_name(part);
    let written = (|| {
        let mut out = std::fs::File::create(&part)?;
        writeln!(out, "{text}")?;
        out.sync_all()?;
        std::fs::rename(&part, file)
    })();
    if written.is_err() {
        // What is left of a failed attempt is of no use; that it may not go away either changes nothing.
        let _gone = std::fs::remove_file(&part);
    }
    written
}
