//! Passing on to the leader what only the leader may do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use proto::transport::{Timeouts, dial};
use proto::{Failure, Role};
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use super::Core;
use crate::failures::chain;
use crate::store::Leader;

/// Marks what was passed on once: it is never passed on again.
pub(super) const FORWARDED: &str = "ratchet-forwarded";

/// How long to wait for somebody to lead: until the lease of a leader that died has run out, and another has taken over.
const PATIENCE: Duration = Duration::from_secs(8);

/// Between two looks at who leads.
const LOOK: Duration = Duration::from_millis(200);

/// The connection to the leader, kept for as long as it is the same one.
#[derive(Debug, Default)]
pub(super) struct Peers(Mutex<Option<Peer>>);

/// A coordinator that leads.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// Where it answers.
    pub(super) address: String,
    /// The way there.
    pub(super) channel: Channel,
}

impl Core {
    /// Who is to do what was asked: `None` if this coordinator does it itself.
    ///
    /// # Errors
    /// Nobody leads, whoever leads cannot be told what to do, or it was passed on to us and we do not lead.
    pub(super) async fn leader_elsewhere(&self, forwarded: bool) -> Result<Option<Peer>, Failure> {
        if !self.serves() {
            return Ok(None);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            if self.leading().is_some() {
                return Ok(None);
            }
            let leader = self.store().leader().await;
            match leader {
                Ok(Some(leader)) if !forwarded && !self.is_reached_at(&leader) => {
                    return self.peer(leader).map(Some);
                }
                Err(error) if Instant::now() >= until => return Err(error.into()),
                Ok(leader) if Instant::now() >= until => return Err(no_leader(leader.as_ref())),
                Ok(_) | Err(_) => sleep(LOOK).await,
            }
        }
    }

    /// Whether the leader's address leads to this coordinator, which does not lead: it is that of a turn that is over, or a
    /// wrong one.
    fn is_reached_at(&self, leader: &Leader) -> bool {
        leader.address.is_some() && leader.address.as_deref() == self.leadership.address()
    }

    fn peer(&self, leader: Leader) -> Result<Peer, Failure> {
        let Some(address) = leader.address else { return Err(led_by_a_command(&leader.holder)) };
        let mut peer = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        match peer.as_ref().filter(|peer| peer.address == address) {
            Some(peer) => Ok(peer.clone()),
            None => {
                let channel = dial(&address, Role::Coordinator, &self.config.security, Timeouts::default())
                    .map_err(|error| undialable(&address, &chain(&error)))?;
                Ok(peer.insert(Peer { address, channel }).clone())
            }
        }
    }
}

fn no_leader(leader: Option<&Leader>) -> Failure {
    let cause = match leader {
        None => "the one that led is gone, and no other has taken over yet".to_owned(),
        Some(leader) => {
            format!("{} leads, and its address led here: see `advertise` in its ratchet.toml", leader.holder)
        }
    };
    let failure = Failure::retry("no-leader", "no coordinator leads at the moment, so nothing was changed");
    Failure { remedy: Some("ask again; who leads: ratchet leader".to_owned()), ..failure }.because(cause)
}

fn led_by_a_command(holder: &str) -> Failure {
    let message = format!("the fleet is led by {holder}, which answers nobody else; nothing was changed");
    let remedy = "wait until that command ends, or end it; if it is `ratchet serve`, set `advertise` in its ratchet.toml";
    Failure::operator("led-elsewhere", message, remedy)
}

fn undialable(address: &str, cause: &str) -> Failure {
    let remedy = "correct `advertise` in the leader's ratchet.toml, or the [tls] files in this one's";
    Failure::operator("undialable", format!("the leader at {address} cannot be dialled"), remedy)
        .because(cause)
}

/// What is said of a leader that did not answer.
pub(super) fn silent(peer: &Peer, failure: &Failure) -> Failure {
    let message = format!(
        "the leader at {} cannot be reached from the coordinator that was asked; whether it has done it is not known",
        peer.address
    );
    let again = Failure::retry(proto::wire::UNREACHABLE, message).because(failure.to_string());
    Failure { remedy: Some("ask again: the same request twice is done once".to_owned()), ..again }
}
