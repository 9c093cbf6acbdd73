//! `ratchet completions SHELL`.

use clap::CommandFactory;
use clap_complete::Shell;
use proto::Failure;

use super::context::Context;
use super::{Cli, Exit};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "ratchet", &mut script);
        context.out.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
