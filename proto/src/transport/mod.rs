//! Listening and dialling: the one place that knows how agents, coordinators and the command line reach each other.
//!
//! Either mutual TLS with certificates from files, or plain, and then on loopback addresses only. Who dials and who asks
//! are two things: an agent may dial its coordinator ([`offer`]), and be asked over that connection.

mod address;
mod arrived;
mod caller;
mod connection;
mod dial;
mod expiry;
mod in_process;
mod incoming;
mod listen;
mod offer;
mod pinned;
mod preface;
mod services;
mod tls;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use address::{TransportError, check_listen};
pub use arrived::Arrived;
pub use caller::caller;
pub use connection::{Connection, Gone};
pub use dial::dial;
pub use in_process::{IncomingInProcess, in_process};
pub use incoming::{Clients, Incoming, incoming};
pub use listen::{plain_server_builder, server_builder};
pub use offer::{OfferError, check_dial, offer};
pub use pinned::dial_pinned;
pub use preface::{Hello, Unwelcome, answer as read_answer};
pub use services::{MAX_MESSAGE_BYTES, agent_client, agent_server, coordinator_client, coordinator_server};
pub use tls::{Tls, TlsError, TlsMistake};

/// How the two sides of a connection know each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Mutual TLS: each side shows a certificate of the same authority.
    Tls(Tls),
    /// Nothing at all, accepted on loopback addresses only: `insecure_loopback = true`.
    InsecureLoopback,
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
