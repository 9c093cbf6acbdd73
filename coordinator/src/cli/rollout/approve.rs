//! `ratchet rollout approve NAME [--wave WAVE]`.

use proto::{Failure, pb};

use super::which::Which;
use super::{ask, request};
use crate::cli::Exit;
use crate::cli::context::Context;

/// Arguments of `rollout approve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// The wave, by its name [default: the one that waits]
    #[arg(long, value_name = "WAVE")]
    wave: Option<String>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let request = request(self.which.name()?, "approve");
        ask(context, pb::AskRolloutRequest { wave: self.wave.clone(), ..request }).await
    }
}
