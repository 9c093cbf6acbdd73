//! `ratchet pki`: certificates, for those without their own authority, and nodes that enrol.

mod accept;
mod common;
mod enrolments;
mod init;
mod issue;
mod list;
mod refuse;
mod renew;
mod revoke;
mod sign;
mod token;

use proto::Failure;

use super::Exit;
use super::context::Context;

/// Arguments of `pki`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make an authority for a fleet in a directory of this machine
    Init(init::Args),
    /// Make a key and its certificate: a bundle that is ready to be copied to its machine
    Issue(issue::Args),
    /// Make a new key and certificate for somebody who has one
    Renew(renew::Args),
    /// Take certificates back; hand the list of revoked ones out after it
    Revoke(revoke::Args),
    /// All certificates that the authority has made
    List(list::Args),
    /// Sign a request: a certificate for a key that was made elsewhere
    Sign(sign::Args),
    /// Have the coordinator make a token with which one node can enrol
    Token(token::Args),
    /// Tokens that were not used, and nodes that have used one
    Enrolments(enrolments::Args),
    /// Let a node that waits have its certificate
    Accept(accept::Args),
    /// Refuse a node that waits, or take a token back
    Refuse(refuse::Args),
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        match &self.verb {
            Verb::Init(args) => args.run(context),
            Verb::Issue(args) => args.run(context),
            Verb::Renew(args) => args.run(context),
            Verb::Revoke(args) => args.run(context),
            Verb::List(args) => args.run(context),
            Verb::Sign(args) => args.run(context),
            Verb::Token(args) => args.run(context).await,
            Verb::Enrolments(args) => args.run(context).await,
            Verb::Accept(args) => args.run(context).await,
            Verb::Refuse(args) => args.run(context).await,
        }
    }
}
