//! `ratchet rollout resume NAME`.

use proto::Failure;

use super::which::Which;
use super::{ask, request};
use crate::cli::Exit;
use crate::cli::context::Context;

/// Arguments of `rollout resume`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        ask(context, request(self.which.name()?, "resume")).await
    }
}
