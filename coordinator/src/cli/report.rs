//! `ratchet report RUN [--format md|html|json]`.

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, as in `ratchet runs`
    run: RunId,
    /// The format of the report; `-o json` is the same as `--format json`
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// What a report is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// Markdown.
    #[default]
    Md,
    /// A page of its own.
    Html,
    /// The document that the other two are made of.
    Json,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.report(self.run.to_string()).await?;
        match self.format {
            ReportFormat::Json => context.out.json(&answer.json)?,
            ReportFormat::Md => context.out.answer(&answer, render::report)?,
            ReportFormat::Html => context.out.answer(&answer, render::report_page)?,
        }
        Ok(Exit::Done)
    }
}
