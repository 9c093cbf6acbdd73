//! Listening and dialling: the one place that knows how agents, coordinators and the command line reach each other.
//!
//! Either mutual TLS with certificates from files, or plain, and then on loopback addresses only. Who dials and who asks
//! are two things: an agent may dial its coordinator ([`offer`]), and be asked over that connection.

mod address;
mod arrived;
mod caller;
mod configs;
mod connection;
mod dial;
mod expiry;
mod gate;
mod greeting;
mod holder;
mod in_process;
mod incoming;
mod keyring;
mod limits;
mod listen;
mod live;
mod now_and_then;
mod offer;
mod peer;
mod pinned;
mod places;
mod preface;
mod reach;
mod services;
mod short;
mod tls;
mod words;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::{Identity, Role};

pub use address::{TransportError, check_listen};
pub use arrived::Arrived;
pub use caller::caller;
use connection::Stream;
pub use connection::{Connection, Gone};
pub use dial::dial;
pub use gate::{Gate, is_gates, on_behalf_of};
pub use holder::Holder;
pub use in_process::{InProcess, IncomingInProcess, in_process};
pub use incoming::{Clients, Door, Incoming, incoming, incoming_at};
use keyring::Keyring;
pub use limits::Limits;
pub use listen::plain_server_builder;
pub use live::PeerExpiry;
pub use offer::{OfferError, check_dial, offer};
pub use peer::Peer;
pub use pinned::dial_pinned;
pub use preface::{Hello, Unwelcome, answer as read_answer};
pub use services::{
    MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES, agent_client, agent_server, coordinator_client, coordinator_server,
};
pub use tls::{Tls, TlsError, TlsMistake};

/// How the two sides of a connection know each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Mutual TLS: each side shows a certificate of the same authority.
    Tls(Tls),
    /// Nothing at all, accepted on loopback addresses only: `insecure_loopback = true`.
    InsecureLoopback,
}

/// Whether this side's certificate files can be used, and its own certificate is that of one of these roles. Plain
/// connections need none.
///
/// # Errors
/// All that is wrong with the files.
pub fn check_own(security: &Security, roles: &[Role]) -> Result<(), TransportError> {
    match security {
        Security::InsecureLoopback => Ok(()),
        Security::Tls(tls) => Keyring::of(tls)?.fit(roles),
    }
}

/// Who this side is by its own certificate; nobody in particular where connections are plain or the files cannot be used.
pub fn own_identity(security: &Security) -> Option<Identity> {
    let Security::Tls(tls) = security else { return None };
    Some(Keyring::of(tls).ok()?.current().own.identity.clone())
}

/// Who is connected now through the files of this `[tls]`, and until when their certificates are good.
pub fn peer_expiries(security: &Security) -> Vec<PeerExpiry> {
    match security {
        Security::InsecureLoopback => Vec::new(),
        Security::Tls(tls) => Keyring::in_use(tls).map_or_else(Vec::new, |keyring| keyring.peers()),
    }
}

/// How long to wait for a peer before it counts as unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection to stand, TLS included.
    pub connect: Duration,
    /// Between two questions whether the peer is still there; HTTP/2 pings, sent on an idle connection too.
    pub keepalive_interval: Duration,
    /// For the answer to such a question.
    pub keepalive_timeout: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            keepalive_interval: Duration::from_secs(10),
            keepalive_timeout: Duration::from_secs(10),
        }
    }
}

/// The most that the headers and trailers of one answer may weigh, in bytes: failures travel in them.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
