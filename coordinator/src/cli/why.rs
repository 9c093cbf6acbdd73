//! `ratchet why CLUSTER|RUN`.

use proto::Failure;

use super::context::Context;
use super::{Exit, render};

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A cluster's name or a run's id
    #[arg(value_name = "CLUSTER|RUN")]
    subject: String,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.why(self.subject.clone()).await?;
        let zone = context.out.zone().clone();
        context.out.answer(&answer, |why| render::why(why, &zone))?;
        Ok(Exit::Done)
    }
}
