//! A port: clients, and agents that dial by themselves, told apart by their first bytes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::arrived::Arrived;
use super::connection::Connection;
use super::greeting::{Greeted, Greeter};
use super::keyring::Keyring;
use super::limits::{FAIR, Limits};
use super::places::{Place, Places};
use super::{Security, TransportError};
use crate::Role;

/// How long anybody may take from the first packet to the end of what is said before HTTP/2.
const GREETING: Duration = Duration::from_secs(10);
/// Greeted connections that may wait to be served.
const GREETED: usize = 64;
/// After an accept that failed for want of something, as of file descriptors: for some to become free.
const BREATH: Duration = Duration::from_millis(200);
/// Between two words in the log about such failures.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Connections of clients, for `serve_with_incoming`. The port is closed when this is dropped.
pub type Clients =
    tokio_stream::adapters::Map<ReceiverStream<Connection>, fn(Connection) -> io::Result<Connection>>;

/// What comes in at a port.
#[derive(Debug)]
pub struct Incoming {
    /// Clients, as they come.
    pub clients: Clients,
    /// Agents, as they come: each waits for an answer. They are closed if nobody receives them.
    pub agents: mpsc::Receiver<Arrived>,
}

/// Whose port it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// An agent's: everybody shows a certificate.
    Agent,
    /// A coordinator's: who has no certificate may ask for one.
    Coordinator,
}

/// How a port is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub(super) door: Door,
    pub(super) limits: Limits,
    pub(super) greeting: Duration,
}

impl Opening {
    pub(super) fn of(door: Door, limits: Limits) -> Self {
        Self { door, limits, greeting: GREETING }
    }
}

/// Accepts at a coordinator's port with the limits that hold when the configuration says nothing; see [`incoming_at`].
///
/// # Errors
/// As for [`incoming_at`].
pub fn incoming(listener: TcpListener, security: &Security) -> Result<Incoming, TransportError> {
    incoming_at(listener, security, Door::Coordinator, Limits::COORDINATOR)
}

/// Accepts on a bound listener. Peers are greeted here: TLS with a certificate of the authority (or, on loopback, none),
/// then their first bytes. Call [`check_listen`](super::check_listen) with the address first, and serve the clients with
/// [`plain_server_builder`](super::plain_server_builder). Must be called inside a tokio runtime.
///
/// # Errors
/// Unusable certificate files, or a certificate of one's own that is not for this door.
pub fn incoming_at(
    listener: TcpListener,
    security: &Security,
    door: Door,
    limits: Limits,
) -> Result<Incoming, TransportError> {
    let keyring = match security {
        Security::InsecureLoopback => None,
        Security::Tls(tls) => Some(Keyring::of(tls)?),
    };
    open(listener, keyring, Opening::of(door, limits))
}

/// The same with certificate files at hand.
pub(super) fn open(
    listener: TcpListener,
    keyring: Option<Arc<Keyring>>,
    opening: Opening,
) -> Result<Incoming, TransportError> {
    if let Some(keyring) = &keyring {
        let own = match opening.door {
            Door::Agent => Role::Agent,
            Door::Coordinator => Role::Coordinator,
        };
        keyring.fit(&[own])?;
    }
    let (to_clients, clients) = mpsc::channel(GREETED);
    let (to_agents, agents) = mpsc::channel(GREETED);
    let greeter = Greeter::new(keyring, opening.door, opening.limits);
    let reception = Arc::new(Reception { greeter, greeting: opening.greeting, to_clients, to_agents });
    tokio::spawn(accept(listener, Places::new(opening.limits.greetings, FAIR), reception));
    let ok: fn(Connection) -> io::Result<Connection> = Ok;
    Ok(Incoming { clients: ReceiverStream::new(clients).map(ok), agents })
}

struct Reception {
    greeter: Greeter,
    greeting: Duration,
    to_clients: mpsc::Sender<Connection>,
    to_agents: mpsc::Sender<Arrived>,
}

/// Until nobody serves clients any more.
async fn accept(listener: TcpListener, greetings: Places, reception: Arc<Reception>) {
    let mut told: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            () = reception.to_clients.closed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                let place = greetings.enter(peer.ip()).await;
                tokio::spawn(greet_in_time(tcp, place, Arc::clone(&reception)));
            }
            // Somebody was gone before he was greeted.
            Err(error) if is_of_peer(&error) => {}
            Err(error) => {
                if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
                    told = Some(Instant::now());
                    tracing::error!(%error, "connections cannot be accepted; it is tried again and again");
                }
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted, TimedOut};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | BrokenPipe | Interrupted | TimedOut)
}

async fn greet_in_time(tcp: TcpStream, mut place: Place, reception: Arc<Reception>) {
    let peer = tcp.peer_addr();
    let Some(lost) = place.lost.take() else { return };
    let greeted = tokio::select! {
        greeted = tokio::time::timeout(reception.greeting, reception.greeter.greet(tcp)) => greeted,
        // A port that is full of those who say nothing must be free for those who speak.
        _ = lost => Ok(Err(io::Error::new(io::ErrorKind::QuotaExceeded, "others need the place"))),
    };
    let error = match greeted {
        Ok(Ok(greeted)) => {
            drop(place);
            // Nobody serves any more: it is closed.
            let _handed_over = match greeted {
                Greeted::Client(connection) => reception.to_clients.send(connection).await.is_ok(),
                Greeted::Agent(arrived) => reception.to_agents.send(arrived).await.is_ok(),
            };
            return;
        }
        Ok(Err(error)) => error,
        Err(_) => io::ErrorKind::TimedOut.into(),
    };
    tracing::debug!(?peer, %error, "a connection was closed before it was served");
}
