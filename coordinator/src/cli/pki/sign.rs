//! `ratchet pki sign REQUEST ROLE NAME`.

use std::path::PathBuf;

use jiff::Timestamp;
use proto::{Failure, PeerName, Role};

use super::common::{Dir, answer, issued, order, read, row};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::pki::{Authority, CertificateRequest, Host, Order};

/// Arguments of `pki sign`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: PKCS #10, PEM. Only its public key counts
    #[arg(value_name = "REQUEST.csr")]
    request: PathBuf,
    /// What they are to the fleet: coordinator, agent, operator or viewer
    role: Role,
    /// Their name
    name: PeerName,
    /// A name or an IP address at which they are dialled; once for each
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<Host>,
    /// For how many days it is valid; never for longer than the authority
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    /// Although there is a certificate of that name that still counts
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    dir: Dir,
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let now = Timestamp::now();
        let request = CertificateRequest::from_pem(&read(&self.request)?)?;
        let mut authority = Authority::open(&self.dir.dir, now)?;
        let order = order(&authority, self.role, &self.name, &self.hosts, self.days);
        let signed = authority.sign(&Order { follows: self.renew, ..order }, &request, now)?;
        answer(context, issued(vec![row(&signed, None, now)], Vec::new()), render::signed)?;
        Ok(Exit::Done)
    }
}
