//! `ratchet package remove KEY`.

use proto::Failure;

use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `package remove`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its SHA-256, the beginning of it, or its version
    key: String,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.remove_package(self.key.clone()).await?;
        context.out.answer(&answer, render::package_removed)?;
        Ok(Exit::Done)
    }
}
