//! `ratchet pki renew NAME…|--expiring SPAN`.

use jiff::{SignedDuration, Timestamp};
use proto::Failure;

use super::common::{Dir, Out, answer, bundle, days, issued};
use crate::cli::context::Context;
use crate::cli::{Exit, render};
use crate::config::span_of_days;
use crate::documents::CertificateRow;
use crate::pki::{Authority, Issued, KeyMadeBy, Order, Register};

/// Arguments of `pki renew`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose: NAME, or ROLE/NAME where several roles have the name
    #[arg(required_unless_present = "expiring", conflicts_with = "expiring")]
    names: Vec<String>,
    /// All whose newest certificate expires within this time, like 30d; those whose key is on their node are only named
    #[arg(long, value_name = "SPAN", value_parser = span)]
    expiring: Option<SignedDuration>,
    /// For how many days the new one is valid
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    dir: Dir,
}

fn span(text: &str) -> Result<SignedDuration, String> {
    span_of_days(text).ok_or_else(|| "it is not a number of days or hours, like 30d".to_owned())
}

impl Args {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let now = Timestamp::now();
        let mut authority = Authority::open(&self.dir.dir, now)?;
        let (ours, left) = self.meant(authority.register(), now)?;
        let mut rows = Vec::new();
        for old in ours {
            let (identity, hosts) = (old.identity, old.hosts);
            let order = Order { identity, hosts, valid: days(self.days), follows: true };
            rows.push(bundle(&mut authority, &order, &self.out, now)?);
        }
        let left = left.iter().map(|old| CertificateRow::of(old, now)).collect();
        answer(context, issued(rows, left), render::issued)?;
        Ok(Exit::Done)
    }

    /// Those to renew here, and those whose owners do it themselves.
    fn meant(&self, register: &Register, now: Timestamp) -> Result<(Vec<Issued>, Vec<Issued>), Failure> {
        if let Some(within) = self.expiring {
            let expiring = register.expiring(within, now).into_iter().cloned();
            return Ok(expiring.partition(|issued| issued.key == KeyMadeBy::Authority));
        }
        let newest = |name: &String| {
            let identity = register.identity(name)?;
            let valid = register.valid(&identity, now).cloned();
            valid.ok_or_else(|| nothing_to_renew(name))
        };
        Ok((self.names.iter().map(newest).collect::<Result<_, _>>()?, Vec::new()))
    }
}

fn nothing_to_renew(name: &str) -> Failure {
    let message = format!("`{name}` has no certificate that still counts: it expired or was revoked");
    Failure::operator("no-such-certificate", message, "make a new one: ratchet pki issue ROLE NAME")
}
