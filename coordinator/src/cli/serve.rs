//! `ratchet serve`.

use proto::Failure;

use super::Exit;
use super::context::Context;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        context.serve().await?;
        Ok(Exit::Done)
    }
}
