//! The command line: one verb a file. It speaks the coordinator's gRPC, embedded or served, and renders
//! documents.
//!
//! To add a verb: a file with `Args` and `run`, and one line in [`verbs!`].

pub mod client;
pub mod context;
pub mod exit;
pub mod output;
pub mod render;
pub mod stops;

mod abort;
mod accept;
mod ask;
mod assign;
mod catalogue;
mod check;
mod completions;
mod export;
mod follow;
mod halt;
mod inventory;
mod leader;
mod man;
mod package;
mod paths;
mod pause;
mod pki;
mod plan;
mod prepare;
mod prune;
mod report;
mod resume;
mod retry;
mod rollout;
mod runs;
mod serve;
mod show;
mod start;
mod status;
mod takeover;
mod upgrade;
mod usage;
mod verify;
mod wait;
mod watch;
mod why;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::Parser;

use context::Context;
pub use exit::Exit;
use output::Format;
pub use usage::parse;

/// Upgrades self-managed Redis Enterprise clusters in place: one node at a time, master first, never along a
/// path the vendor does not support, never past a node that is not healthy.
#[derive(Debug, Parser)]
#[command(name = "ratchet", version, propagate_version = false, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// What holds for every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done or nothing to do · 1 unexpected error · 2 usage or configuration · \
    3 blocked, nothing was changed · 4 the run failed or halted · 5 paused or interrupted, resumable · \
    6 an agent, the coordinator or the store cannot be reached";

/// What holds for every verb.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// The configuration [default: /etc/ratchet/ratchet.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A newer table of upgrade paths than the built-in one, and than `paths` of the configuration
    #[arg(long, global = true, value_name = "FILE")]
    pub paths: Option<PathBuf>,
    /// Tell more on stderr; twice for still more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Ask the coordinator at this address instead of hosting one in this process; of several, separated by commas,
    /// the one that leads
    #[arg(long, global = true, value_name = "HOST:PORT[,…]", env = "RATCHET_COORDINATOR")]
    pub coordinator: Option<String>,
    /// For whom the output is
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub output: Format,
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident($args:ty),)*) => {
        /// The verbs.
        #[derive(Debug, clap::Subcommand)]
        pub enum Verb {
            $($(#[$doc])* $name($args),)*
        }

        impl Verb {
            async fn run(&self, context: &mut Context) -> Result<Exit, proto::Failure> {
                match self {
                    $(Self::$name(args) => args.run(context).await,)*
                }
            }
        }
    };
}

verbs! {
    /// Nodes, roles, versions, health, claims, packages held
    Status(status::Args),
    /// The vendor's table of supported upgrades; the path between two versions, or why there is none
    Paths(paths::Args),
    /// The catalogue of installation packages
    Package(package::Args),
    /// The fleet owner's signed list of what may be installed: keys, signing, looking into it
    Catalogue(catalogue::Args),
    /// Run the preflight checks only; changes nothing
    Check(check::Args),
    /// Plan an upgrade and show the plan; changes nothing
    Plan(plan::Args),
    /// Fetch, verify and unpack packages on every node ahead of an upgrade; installs nothing
    Prepare(prepare::Args),
    /// Upgrade a cluster in place, one node at a time
    Upgrade(upgrade::Args),
    /// All runs, oldest first
    Runs(runs::Args),
    /// One run
    Show(show::Args),
    /// A run for the record: what was approved and accepted, what happened, how it ended
    Report(report::Args),
    /// Follow a run to its end
    Watch(watch::Args),
    /// Pause a run; takes effect between turns
    Pause(pause::Args),
    /// Go on with a paused or interrupted run, and follow it
    Resume(resume::Args),
    /// End a run before its next install starts
    Abort(abort::Args),
    /// Allow another attempt at what failed, and follow the run
    Retry(retry::Args),
    /// Upgrade many clusters in waves, as a file says
    Rollout(rollout::Args),
    /// Take a cluster over from a coordinator that is gone for good, hung or out of reach
    Takeover(takeover::Args),
    /// Put an agent that connects by itself in a cluster, or take it out
    Assign(assign::Args),
    /// Wait until a run or a rollout stands still or is over; exits as it ended
    Wait(wait::Args),
    /// What a cluster or a run waits for, since when, until when, and who can unblock it
    Why(why::Args),
    /// Stop everything: nothing begins anywhere in the fleet until the halt is lifted
    Halt(halt::Args),
    /// Every cluster as it was seen last, and agents that belong to none
    Inventory(inventory::Args),
    /// Who leads, of several coordinators on one store, and who answers
    Leader(leader::Args),
    /// Write a run down for an archive, with its plan and its journal
    Export(export::Args),
    /// Remove runs from the store that were over long ago
    Prune(prune::Args),
    /// Host the coordinator for other command lines, until stopped
    Serve(serve::Args),
    /// Certificates for those without their own authority, and nodes that enrol
    Pki(pki::Args),
    /// Print the completions for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
}

/// Carries out a verb. Failures are reported here; the exit is the whole result.
pub async fn run(verb: &Verb, context: &mut Context) -> Exit {
    match verb.run(context).await {
        Ok(exit) => exit,
        Err(failure) => {
            context.out.failure(&failure);
            Exit::of(&failure)
        }
    }
}
