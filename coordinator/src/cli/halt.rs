//! `ratchet halt --why TEXT`, `ratchet halt --lift`.

use proto::Failure;

use super::context::Context;
use super::{Exit, render};

/// Arguments of `halt`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Why; whoever is refused is told
    #[arg(long, value_name = "TEXT", required_unless_present = "lift", conflicts_with = "lift")]
    why: Option<String>,
    /// Lift the halt; what was paused stays paused until somebody resumes it
    #[arg(long)]
    lift: bool,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let why = self.why.clone().unwrap_or_default();
        let answer = context.client().await?.halt_fleet(self.lift, why).await?;
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |document| render::halt(document, &zone))?;
        Ok(Exit::of_code(answer.document.exit_code))
    }
}
