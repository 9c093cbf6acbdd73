//! A new certificate for the same node, with a new key.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use proto::transport::{Security, Timeouts, Tls, coordinator_client, dial};
use proto::wire::failure_of;
use proto::{Failure, Identity, Role, pb};
use tokio::time::timeout;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::asking::files;
use super::granted::{Expected, Owner, certificates, identity};
use super::key::Key;
use super::{EnrolError, Home};
use crate::durable::Disk;

/// How long one answer may take.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(30);

/// The certificate that is there.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) identity: Identity,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Own {
    pub(super) fn read(tls: &Tls) -> Result<Self, EnrolError> {
        let unfit = |why: String| {
            EnrolError::Unfit(format!(
                "{} cannot be renewed: {why}; enrol: ratchet-agent enroll",
                tls.cert.display()
            ))
        };
        let pem = fs::read_to_string(&tls.cert).map_err(|error| unfit(error.to_string()))?;
        let chain = certificates(&pem).map_err(unfit)?;
        let (_, read) = X509Certificate::from_der(&chain[0]).map_err(|error| unfit(error.to_string()))?;
        let moment = |at: i64| Timestamp::from_second(at).map_err(|error| unfit(error.to_string()));
        let from = moment(read.validity().not_before.timestamp())?;
        let until = moment(read.validity().not_after.timestamp())?;
        let identity = identity(&read).ok_or_else(|| unfit("it does not say whose it is".to_owned()))?;
        Ok(Self { identity, from, until })
    }

    /// Whether less than a third of its time is left.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        let (whole, left) = (self.until.duration_since(self.from), self.until.duration_since(now));
        left.as_secs() < whole.as_secs() / 3
    }
}

/// Replaces the certificate of the configuration, if one of the coordinators gives a new one.
pub(super) async fn renew(
    tls: &Tls,
    addresses: &[String],
    disk: Disk,
    now: Timestamp,
) -> Result<(), EnrolError> {
    let own = Own::read(tls)?;
    let home = home(tls, disk)?;
    home.make()?;
    let key = Key::kept(&home.pending(), home.disk())?;
    let reply = ask_all(tls, addresses, &key.request()?).await?;
    // What is trusted now decides, so that an answer alone can bring in no other authority.
    let trusted = fs::read_to_string(&tls.ca).map_err(|error| EnrolError::Unfit(error.to_string()))?;
    let owner = Owner::Same(&own.identity);
    let expected = Expected { key: key.digest(), owner, authorities: &trusted, pin: None, now };
    expected.check(&reply.certificate)?;
    certificates(&reply.authority).map_err(EnrolError::answer)?;
    home.install(&files(reply, &key)?)
}

/// The directory with `cert.pem` and `key.pem`.
fn home(tls: &Tls, disk: Disk) -> Result<Home, EnrolError> {
    let dir = tls.cert.parent().unwrap_or(Path::new("/"));
    let together =
        tls.cert == dir.join("cert.pem") && tls.key == dir.join("key.pem") && tls.ca == dir.join("ca.pem");
    match together {
        true => Ok(Home::at(dir, disk)),
        false => Err(EnrolError::Unfit(
            "the files of [tls] cannot be replaced together: name them DIR/ca.pem, DIR/cert.pem and DIR/key.pem, as \
             ratchet-agent enroll does"
                .to_owned(),
        )),
    }
}

/// The first that has an answer gives it; else the last refusal is told.
async fn ask_all(tls: &Tls, addresses: &[String], csr: &[u8]) -> Result<pb::EnrolReply, EnrolError> {
    let mut last = EnrolError::Usage("no coordinator is named: give --coordinator HOST:PORT".to_owned());
    for address in addresses {
        match ask(tls, address, csr).await {
            Ok(reply) => return Ok(reply),
            Err(failure) => last = EnrolError::refused(failure),
        }
    }
    Err(last)
}

async fn ask(tls: &Tls, address: &str, csr: &[u8]) -> Result<pb::EnrolReply, Failure> {
    let channel = dial(address, Role::Coordinator, &Security::Tls(tls.clone()), Timeouts::default())
        .map_err(|error| Failure::operator("usage", error.to_string(), "correct --coordinator or [tls]"))?;
    let request = pb::RenewCertificateRequest { csr: csr.to_vec() };
    match timeout(ANSWER, coordinator_client(channel).renew_certificate(request)).await {
        Ok(reply) => reply.map(|reply| reply.into_inner()).map_err(failure_of),
        Err(_) => {
            Err(Failure::retry(proto::wire::UNREACHABLE, format!("{address} has not answered in time")))
        }
    }
}
