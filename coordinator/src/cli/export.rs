//! `ratchet export RUN [--to FILE]`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use proto::{Failure, RunId};

use super::context::Context;
use super::{Exit, render};

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run, as in `ratchet runs`
    run: RunId,
    /// Write it to this file, which must not be there yet, instead of printing it
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let answer = context.client().await?.export_run(self.run.to_string()).await?;
        match &self.to {
            // An archive is for programs, whoever asked for it.
            None => context.out.json(&answer.json)?,
            Some(file) => {
                write(file, &answer.json).map_err(|error| unwritten(file, &error))?;
                context.out.answer(&answer, |document| render::exported(document, file))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Durable before anything is said: the run may be pruned next.
fn write(path: &Path, json: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = file.write_all(json.as_bytes()).and_then(|()| file.write_all(b"\n"));
    let written = written.and_then(|()| file.sync_all());
    if written.is_err() {
        // Half an archive is none; that it may stay is told with the failure.
        let _stays = std::fs::remove_file(path);
    }
    written
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let remedy = match error.kind() {
        io::ErrorKind::AlreadyExists => "name a file that is not there yet",
        _ => "name a file in a directory that you may write to and that has room",
    };
    let message = format!("{} cannot be written; nothing was exported", path.display());
    Failure::operator("usage", message, remedy).because(error.to_string())
}
