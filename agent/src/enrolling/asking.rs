//! Asking the coordinator with a token, again and again, until there is an answer.

use std::time::Duration;

use jiff::Timestamp;
use proto::transport::{Timeouts, coordinator_client, dial_pinned};
use proto::wire::failure_of;
use proto::{EnrolToken, Failure, FailureKind, PeerName, pb};
use tokio::time::{Instant, sleep, timeout};

use super::granted::{Expected, Owner, check_revoked};
use super::key::Key;
use super::layout::Files;
use super::{EnrolError, Home};

/// How long one answer may take: a person may hold the authority's lock, a machine does not.
const ANSWER: Duration = Duration::from_secs(30);
/// The first pause before asking again, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long nobody may answer: somebody who runs this by hand wants to know that the address is wrong.
const SILENCE: Duration = Duration::from_secs(60);

/// Where words for a person go while a node waits.
pub type Tell<'a> = dyn FnMut(&str) + Send + 'a;

/// A node that wants to belong to a fleet.
#[derive(Debug)]
pub struct Node {
    /// Where the coordinator is.
    pub coordinator: String,
    /// What it may enrol with.
    pub token: EnrolToken,
    /// The name that it wants.
    pub name: PeerName,
    /// The hosts that it is dialled at.
    pub hosts: Vec<String>,
    /// Where its certificate is to be.
    pub home: Home,
    /// How long it waits for a person.
    pub wait: Duration,
}

impl Node {
    /// Enrols: afterwards the certificate, its key and what is to be trusted are in their directory.
    ///
    /// # Errors
    /// [`EnrolError`]; nothing of an answer that cannot be used is kept. With the same directory it may be repeated.
    pub async fn enroll(
        &self,
        now: impl Fn() -> Timestamp + Send + Sync,
        tell: &mut Tell<'_>,
    ) -> Result<(), EnrolError> {
        let pending = self.home.pending();
        if self.home.path("cert.pem").exists() && !pending.exists() {
            return Err(EnrolError::Enrolled(self.home.path("cert.pem")));
        }
        self.home.make()?;
        let key = Key::kept(&pending, self.home.disk())?;
        tell(&format!("the key of {} is {}", self.name, key.digest()));
        let reply = self.until_answered(key.request()?, tell).await?;
        let expected = Expected {
            key: key.digest(),
            owner: Owner::Named(&self.name),
            authorities: &reply.authority,
            pin: Some(self.token.authority),
            now: now(),
        };
        expected.check(&reply.certificate)?;
        self.home.install(&files(reply, &key)?)
    }

    /// Asks until there is a certificate, it is refused, or it has taken too long.
    async fn until_answered(&self, csr: Vec<u8>, tell: &mut Tell<'_>) -> Result<pb::EnrolReply, EnrolError> {
        let (begun, mut heard, mut pause) = (Instant::now(), Instant::now(), PAUSE.0);
        let mut told = String::new();
        loop {
            let waits_for = match self.ask(csr.clone()).await {
                Ok(reply) if !reply.certificate.is_empty() => return Ok(reply),
                Ok(reply) => {
                    heard = Instant::now();
                    reply.waits_for
                }
                Err(failure) if failure.kind == FailureKind::Retry && heard.elapsed() < SILENCE => {
                    failure.to_string()
                }
                Err(failure) => return Err(EnrolError::refused(failure)),
            };
            if told != waits_for {
                tell(&format!("waiting: {waits_for}"));
                told = waits_for;
            }
            let left = self.wait.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(EnrolError::Waited(told));
            }
            sleep(pause.min(left)).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// One question on a connection of its own: there may be half a minute until the next.
    async fn ask(&self, csr: Vec<u8>) -> Result<pb::EnrolReply, Failure> {
        let channel = dial_pinned(&self.coordinator, self.token.authority, Timeouts::default())
            .map_err(|error| Failure::operator("usage", error.to_string(), "correct --coordinator"))?;
        let request = pb::EnrolRequest {
            token: self.token.id.clone(),
            secret: self.token.secret.to_vec(),
            name: self.name.to_string(),
            hosts: self.hosts.clone(),
            csr,
        };
        let mut client = coordinator_client(channel);
        match timeout(ANSWER, client.enrol(request)).await {
            Ok(Ok(reply)) => Ok(reply.into_inner()),
            Ok(Err(status)) => Err(explained(failure_of(status))),
            Err(_) => {
                Err(Failure::retry(proto::wire::UNREACHABLE, "the coordinator has not answered in time"))
            }
        }
    }
}

/// A coordinator of another authority looks like one that does not answer.
fn explained(failure: Failure) -> Failure {
    if !failure.cause.as_ref().is_some_and(|cause| cause.contains("UnknownIssuer")) {
        return failure;
    }
    let message = "whoever answers does not show the authority that the token is for";
    let remedy = "see that --coordinator is right and that its certificate file ends with the authority's; if it is, \
                  somebody else answers in its place: look into that before the token is used anywhere";
    Failure::operator("other-authority", message, remedy).because(failure.cause.unwrap_or_default())
}

/// What is to be written, once the certificate was checked.
pub(super) fn files(reply: pb::EnrolReply, key: &Key) -> Result<Files, EnrolError> {
    let pb::EnrolReply { certificate, authority, revoked, .. } = reply;
    if !revoked.is_empty() {
        check_revoked(&revoked)?;
    }
    let crl = Some(revoked).filter(|revoked| !revoked.is_empty());
    Ok(Files { ca: authority, cert: certificate, key: key.pem(), crl })
}
