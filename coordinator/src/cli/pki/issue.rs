//! `ratchet pki issue ROLE NAME`.

use jiff::Timestamp;
use proto::{Failure, PeerName, Role};

use super::common::{Dir, Out, answer, bundle, issued, order};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::pki::{Authority, Host};

/// Arguments of `pki issue`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What they are to the fleet: coordinator, agent, operator or viewer
    role: Role,
    /// Their name; an agent's is the one that it is known by
    name: PeerName,
    /// A name or an IP address at which they are dialled; once for each
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<Host>,
    /// For how many days it is valid; never for longer than the authority
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    dir: Dir,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let now = Timestamp::now();
        let mut authority = Authority::open(&self.dir.dir, now)?;
        let order = order(&authority, self.role, &self.name, &self.hosts, self.days);
        let row = bundle(&mut authority, &order, &self.out, now)?;
        answer(context, issued(vec![row], Vec::new()), render::issued)?;
        Ok(Exit::Done)
    }
}
