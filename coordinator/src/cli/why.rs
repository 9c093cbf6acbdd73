//! `ratchet why CLUSTER|RUN|ID`.

use proto::Failure;

use super::context::Context;
use super::{Exit, render};

/// Arguments of `why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A cluster's name, a run's id, or the id of a check or an advisory as findings name it
    #[arg(value_name = "CLUSTER|RUN|ID")]
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
