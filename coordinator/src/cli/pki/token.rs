//! `ratchet pki token --name PATTERN`.

use jiff::SignedDuration;
use proto::Failure;

use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::config::span_of_days;

/// Arguments of `pki token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name that the node may have, with * and ? for what may differ
    #[arg(long, value_name = "PATTERN")]
    name: String,
    /// For how long it can be used, like 1h or 2d
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = span)]
    ttl: SignedDuration,
    /// Whoever uses it waits until somebody accepts them: ratchet pki accept NAME
    #[arg(long)]
    confirm: bool,
}

fn span(text: &str) -> Result<SignedDuration, String> {
    span_of_days(text).ok_or_else(|| "it is not a number of days, hours or minutes, like 1h".to_owned())
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let seconds = self.ttl.as_secs().unsigned_abs();
        let answer = context.client().await?.create_token(self.name.clone(), seconds, self.confirm).await?;
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |document| render::token(document, &zone))?;
        Ok(Exit::Done)
    }
}
