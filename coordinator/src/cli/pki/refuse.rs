//! `ratchet pki refuse NAME`.

use proto::Failure;

use crate::cli::context::Context;
use crate::cli::{Exit, render};

/// Arguments of `pki refuse`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node, by its name or by the id of its token; or a token that nobody has used, by its id
    #[arg(value_name = "NAME|TOKEN")]
    subject: String,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.decide_enrolment(self.subject.clone(), false, None).await?;
        context.out.answer(&answer, render::enrolment)?;
        Ok(Exit::Done)
    }
}
