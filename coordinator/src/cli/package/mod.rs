//! `ratchet package add|list|show|remove`.

mod add;
mod list;
mod remove;
mod show;

use proto::Failure;

use super::Exit;
use super::context::Context;

/// Arguments of `package`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add an archive: its version, platform, SHA-256 and the vendor's checksum are found out
    Add(add::Args),
    /// All packages
    List(list::Args),
    /// One package
    Show(show::Args),
    /// Remove a package from the catalogue; copies held by nodes stay
    Remove(remove::Args),
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::Add(args) => args.run(context).await,
            Verb::List(args) => args.run(context).await,
            Verb::Show(args) => args.run(context).await,
            Verb::Remove(args) => args.run(context).await,
        }
    }
}
