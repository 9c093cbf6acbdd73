//! `ratchet report RUN [--format md|html|json]`, and `ratchet report --verify`.

use std::path::PathBuf;

use proto::{Failure, Sha256};

use super::context::Context;
use super::{Exit, render, verify};

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, as in `ratchet runs`; with --verify a rollout's name, too
    #[arg(required_unless_present = "file")]
    run: Option<String>,
    /// The format of the report; `-o json` is the same as `--format json`
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Prove that the journal is what was written, from its first event to its last
    #[arg(long)]
    verify: bool,
    /// Verify what `ratchet export` wrote to this file: neither a coordinator nor a store is asked
    #[arg(long, value_name = "EXPORT", requires = "verify", conflicts_with = "run")]
    file: Option<PathBuf>,
    /// The digest that the journal must lead through, as it was noted when it was the last one
    #[arg(long, value_name = "DIGEST", requires = "verify")]
    head: Option<Sha256>,
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
        let run = self.run.clone().unwrap_or_default();
        if self.verify {
            let answer = match &self.file {
                Some(file) => verify::file(file, self.head.as_ref())?,
                None => {
                    let head = self.head.map(|head| head.to_string());
                    context.client().await?.verify(run, head).await?
                }
            };
            match self.format {
                ReportFormat::Json => context.out.json(&answer.json)?,
                ReportFormat::Md | ReportFormat::Html => context.out.answer(&answer, render::verification)?,
            }
            return Ok(Exit::of_code(answer.document.exit_code));
        }
        let answer = context.client().await?.report(run).await?;
        match self.format {
            ReportFormat::Json => context.out.json(&answer.json)?,
            ReportFormat::Md => context.out.answer(&answer, render::report)?,
            ReportFormat::Html => context.out.answer(&answer, render::report_page)?,
        }
        Ok(Exit::Done)
    }
}
