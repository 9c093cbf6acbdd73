//! `ratchet rollout check|apply|status|list|watch|pause|resume|abort|approve|retry`.

mod abort;
mod apply;
mod approve;
mod check;
mod follow;
mod list;
mod pause;
mod resume;
mod retry;
mod status;
mod watch;
mod which;

use proto::{Failure, pb};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `rollout`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Which clusters a rollout would upgrade, and when; changes nothing
    Check(check::Args),
    /// Begin a rollout, or go on with it, and follow it; the same file twice is the same rollout
    Apply(apply::Args),
    /// A rollout: its waves, its clusters, what it waits for
    Status(status::Args),
    /// All rollouts, oldest first
    List(list::Args),
    /// Follow a rollout to its end, or until it stands still
    Watch(watch::Args),
    /// Start nothing more; runs in flight pause between turns
    Pause(pause::Args),
    /// Go on with a rollout that was paused or has halted
    Resume(resume::Args),
    /// End a rollout; runs in flight end before their next install
    Abort(abort::Args),
    /// Approve a wave that needs it
    Approve(approve::Args),
    /// Take up again clusters that failed
    Retry(retry::Args),
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::Check(args) => args.run(context).await,
            Verb::Apply(args) => args.run(context).await,
            Verb::Status(args) => args.run(context).await,
            Verb::List(args) => args.run(context).await,
            Verb::Watch(args) => args.run(context).await,
            Verb::Pause(args) => args.run(context).await,
            Verb::Resume(args) => args.run(context).await,
            Verb::Abort(args) => args.run(context).await,
            Verb::Approve(args) => args.run(context).await,
            Verb::Retry(args) => args.run(context).await,
        }
    }
}

/// Asks something of a rollout, and says how it stands then.
async fn ask(context: &mut Context, request: pb::AskRolloutRequest) -> Result<Exit, Failure> {
    let pb::AskRolloutRequest { rollout, what, wave, cluster } = request;
    let answer = context.client().await?.ask_rollout(rollout, what, wave, cluster).await?;
    context.out.answer(&answer, |document| render::rollout_brief(&document.brief))?;
    Ok(Exit::Done)
}

/// A request that names nothing but the rollout.
fn request(rollout: String, what: &str) -> pb::AskRolloutRequest {
    pb::AskRolloutRequest { rollout, what: what.to_owned(), wave: None, cluster: None }
}
