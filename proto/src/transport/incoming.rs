//! A coordinator's port: clients, and agents that dial by themselves, told apart by their first bytes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::arrived::Arrived;
use super::connection::{Connection, Stream};
use super::preface::{self, Announced, Hello};
use super::{Security, TransportError};

/// How long anybody may take from the first packet to the end of what is said before HTTP/2.
const GREETING: Duration = Duration::from_secs(10);
/// Greetings at once. More wait in the kernel: their peers are patient, and a storm of them must not eat the memory.
const GREETINGS: usize = 512;
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
    /// Agents, as they come: each waits for an answer.
    pub agents: mpsc::Receiver<Arrived>,
}

/// Accepts on a bound listener. Peers are greeted here: TLS with a certificate of the authority (or, on loopback, none),
/// then their first bytes. Call [`check_listen`](super::check_listen) with the address first, and serve the clients with
/// [`plain_server_builder`](super::plain_server_builder). Must be called inside a tokio runtime.
///
/// # Errors
/// Unusable certificate files.
pub fn incoming(listener: TcpListener, security: &Security) -> Result<Incoming, TransportError> {
    incoming_within(listener, security, GREETING)
}

/// The same with another time for greetings.
pub(super) fn incoming_within(
    listener: TcpListener,
    security: &Security,
    greeting: Duration,
) -> Result<Incoming, TransportError> {
    let acceptor = match security {
        Security::InsecureLoopback => None,
        Security::Tls(tls) => Some(TlsAcceptor::from(tls.read()?.accepting(tls)?)),
    };
    let (to_clients, clients) = mpsc::channel(GREETED);
    let (to_agents, agents) = mpsc::channel(GREETED);
    let reception = Arc::new(Reception { acceptor, greeting, to_clients, to_agents });
    tokio::spawn(accept(listener, reception));
    let ok: fn(Connection) -> io::Result<Connection> = Ok;
    Ok(Incoming { clients: ReceiverStream::new(clients).map(ok), agents })
}

struct Reception {
    acceptor: Option<TlsAcceptor>,
    greeting: Duration,
    to_clients: mpsc::Sender<Connection>,
    to_agents: mpsc::Sender<Arrived>,
}

/// Until nobody serves clients any more.
async fn accept(listener: TcpListener, reception: Arc<Reception>) {
    let greetings = Arc::new(Semaphore::new(GREETINGS));
    let mut told: Option<Instant> = None;
    loop {
        let next = async {
            let permit = Arc::clone(&greetings).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(tcp, _)| (tcp, permit))
        };
        let accepted = tokio::select! {
            () = reception.to_clients.closed() => return,
            accepted = next => accepted,
        };
        match accepted {
            Ok((tcp, permit)) => {
                tokio::spawn(greet_in_time(tcp, permit, Arc::clone(&reception)));
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

async fn greet_in_time(tcp: TcpStream, permit: OwnedSemaphorePermit, reception: Arc<Reception>) {
    let peer = tcp.peer_addr();
    let greeted = tokio::time::timeout(reception.greeting, greet(tcp, &reception)).await;
    let error = match greeted {
        Ok(Ok(greeted)) => {
            drop(permit);
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

enum Greeted {
    Client(Connection),
    Agent(Arrived),
}

async fn greet(tcp: TcpStream, reception: &Reception) -> io::Result<Greeted> {
    tcp.set_nodelay(true)?;
    let stream = match &reception.acceptor {
        None => Stream::Plain(tcp),
        Some(acceptor) => Stream::Tls(Box::new(acceptor.accept(tcp).await?.into())),
    };
    let mut connection = Connection::new(stream);
    let (announced, head) = preface::sniff(&mut connection).await?;
    match announced {
        Announced::Client => {
            connection.put_back(&head);
            Ok(Greeted::Client(connection))
        }
        Announced::Agent => {
            let (line, rest) = preface::line(&mut connection, head).await?;
            if !rest.is_empty() {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "an agent spoke out of turn"));
            }
            Ok(Greeted::Agent(Arrived { hello: Hello::read(&line)?, connection }))
        }
        Announced::Nothing | Announced::Stranger => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "it is neither a client nor an agent"))
        }
    }
}
