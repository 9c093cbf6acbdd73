//! What `ratchet-agent enroll` and `ratchet-agent renew` do.

use jiff::Timestamp;
use proto::PeerName;
use proto::transport::Security;

use super::renewing::{self, Own};
use super::{EnrolError, EnrollArgs, Home, Node, RenewArgs, Tell};
use crate::config::Config;
use crate::durable::Disk;

/// Enrols this node.
///
/// # Errors
/// [`EnrolError`].
pub async fn enroll(args: &EnrollArgs, tell: &mut Tell<'_>) -> Result<(), EnrolError> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = match &args.name {
        Some(name) => name.clone(),
        None => named(&host)?,
    };
    let hosts = if args.hosts.is_empty() { vec![host] } else { args.hosts.clone() };
    let node = Node {
        coordinator: args.coordinator.clone(),
        token: args.token()?,
        name,
        hosts,
        home: Home::at(&args.out, Disk::real()),
        wait: args.wait,
    };
    node.enroll(Timestamp::now, tell).await?;
    let out = args.out.display();
    tell(&format!(
        "{} is enrolled; its certificate is {out}/cert.pem: name the files in [tls] of agent.toml",
        node.name
    ));
    Ok(())
}

fn named(host: &str) -> Result<PeerName, EnrolError> {
    host.parse().map_err(|error: proto::InvalidName| EnrolError::Usage(format!("{error}; give --name")))
}

/// Renews this node's certificate. One that is not due is left alone, if that is wanted.
///
/// # Errors
/// [`EnrolError`].
pub async fn renew(config: &Config, args: &RenewArgs, tell: &mut Tell<'_>) -> Result<(), EnrolError> {
    let Security::Tls(tls) = &config.security else {
        let message = "there is no certificate to renew: the configuration has no [tls]";
        return Err(EnrolError::Unfit(message.to_owned()));
    };
    let (own, now) = (Own::read(tls)?, Timestamp::now());
    if args.due && !own.is_due(now) {
        tell(&format!("the certificate of {} is valid until {}: nothing to do yet", own.identity, own.until));
        return Ok(());
    }
    let addresses = if args.coordinator.is_empty() { &config.connect } else { &args.coordinator };
    renewing::renew(tls, addresses, Disk::real(), now).await?;
    tell(&format!("the certificate of {} is valid until {}", own.identity, Own::read(tls)?.until));
    Ok(())
}
