//! `ratchet catalogue keygen|new|sign|verify|show`: the fleet owner's tools. They work on files; only `new` asks the
//! coordinator.

mod files;
mod keygen;
mod new;
mod password;
mod show;
mod sign;
mod verify;

use proto::Failure;

use super::Exit;
use super::context::Context;

/// Arguments of `catalogue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make a key pair to sign catalogues with; a key that minisign has made works as well
    Keygen(keygen::Args),
    /// Write the coordinator's catalogue down, to be signed
    New(new::Args),
    /// Sign a catalogue
    Sign(sign::Args),
    /// Verify a catalogue's signature with the public key
    Verify(verify::Args),
    /// Show what is in a catalogue, whoever has signed it
    Show(show::Args),
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::Keygen(args) => args.run(context),
            Verb::New(args) => args.run(context).await,
            Verb::Sign(args) => args.run(context),
            Verb::Verify(args) => args.run(context),
            Verb::Show(args) => args.run(context),
        }
    }
}
