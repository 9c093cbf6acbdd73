//! `ratchet paths [--from V] [--to V]`.

use proto::Failure;

use super::context::Context;
use super::{Exit, render};
use crate::paths::{PathsDocument, VersionSpec, explain};
use crate::tables;

/// Arguments of `paths`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The version to start from: X.Y.Z-B, X.Y.Z or X.Y
    #[arg(long, value_name = "VERSION")]
    from: Option<VersionSpec>,
    /// The version to arrive at: X.Y.Z-B, X.Y.Z or X.Y
    #[arg(long, value_name = "VERSION")]
    to: Option<VersionSpec>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let document = if context.is_bare() { self.shipped(context)? } else { self.asked(context).await? };
        Ok(if document.supported == Some(false) { Exit::Blocked } else { Exit::Done })
    }

    async fn asked(&self, context: &mut Context) -> Result<PathsDocument, Failure> {
        let text = |spec: Option<VersionSpec>| spec.map(|spec| spec.to_string());
        let answer = context.client().await?.paths(text(self.from), text(self.to)).await?;
        context.out.answer(&answer, render::paths)?;
        Ok(answer.document)
    }

    /// The table is shipped with the program: it can be read before anything is configured, only no package
    /// is known.
    fn shipped(&self, context: &mut Context) -> Result<PathsDocument, Failure> {
        let table = tables::table(context.paths()?)?;
        let document = explain(&table, self.from, self.to, &[]);
        if context.out.is_json() {
            let json = serde_json::to_string(&document).map_err(|error| {
                Failure::bug("the paths cannot be written as JSON").because(error.to_string())
            })?;
            context.out.json(&json)?;
        } else {
            context.out.print(&render::paths(&document))?;
        }
        Ok(document)
    }
}
