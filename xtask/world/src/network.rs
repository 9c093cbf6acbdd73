//! The network: connections are pairs of pipes with somebody in between who delays, swallows and resets.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use hyper_util::rt::TokioIo;
use proto::Failure;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::life::Life;
use crate::rng::Stream;
use crate::slots::{self, Owner};

/// Bytes under way in one direction before the writer waits.
const BUFFER: usize = 256 * 1024;

/// Who listens at an address.
#[derive(Debug)]
struct Listener {
    life: Life,
    connections: mpsc::UnboundedSender<DuplexStream>,
}

/// All hosts and what lies between them.
#[derive(Debug)]
pub struct Network {
    seed: u64,
    began: Instant,
    listeners: Mutex<BTreeMap<String, Listener>>,
    links: Mutex<BTreeMap<(String, String), Arc<Link>>>,
}

/// How a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Weather {
    /// Nothing passes and nobody is told.
    cut: bool,
    /// The callee's machine has no power: as if cut, for a reason of its own.
    dark: bool,
    /// Milliseconds on top of the usual delay.
    slower_by: u64,
    /// How often all its connections were reset.
    resets: u64,
}

impl Weather {
    fn passes(&self) -> bool {
        !self.cut && !self.dark
    }
}

/// What lies between two hosts.
#[derive(Debug)]
struct Link {
    began: Instant,
    weather: watch::Sender<Weather>,
    there: Way,
    back: Way,
}

/// One direction of a link.
#[derive(Debug)]
struct Way {
    owner: Owner,
    draws: Mutex<Stream>,
}

impl Network {
    /// A network in which nobody listens yet.
    pub fn new(seed: u64, began: Instant) -> Arc<Self> {
        Arc::new(Self { seed, began, listeners: Mutex::default(), links: Mutex::default() })
    }

    /// Listens at an address for as long as a life lasts; whoever listened there before does no more.
    pub fn listen(
        &self,
        address: &str,
        life: &Life,
    ) -> impl tokio_stream::Stream<Item = io::Result<DuplexStream>> + Send + use<> {
        let (connections, incoming) = mpsc::unbounded_channel();
        lock(&self.listeners).insert(address.to_owned(), Listener { life: life.clone(), connections });
        UnboundedReceiverStream::new(incoming).map(Ok)
    }

    /// The channel of a caller to an address, with the waits of the real dialling.
    ///
    /// # Errors
    /// None; the form is that of the coordinator's door.
    pub fn dial(self: &Arc<Self>, caller: &str, life: &Life, address: &str) -> Result<Channel, Failure> {
        let link = self.link(caller, address);
        let (network, life, address) = (Arc::clone(self), life.clone(), address.to_owned());
        let connector = tower::service_fn(move |_: Uri| {
            let (network, link, life) = (Arc::clone(&network), Arc::clone(&link), life.clone());
            let address = address.clone();
            async move { network.connect(link, life, &address).await.map(TokioIo::new) }
        });
        let timeouts = proto::transport::Timeouts::default();
        Ok(Endpoint::from_static("http://agent")
            .connect_timeout(timeouts.connect)
            .http2_keep_alive_interval(timeouts.keepalive_interval)
            .keep_alive_timeout(timeouts.keepalive_timeout)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(connector))
    }

    /// Cuts or mends the link of a caller to an address.
    pub fn cut(&self, caller: &str, address: &str, cut: bool) {
        self.link(caller, address).weather.send_modify(|weather| weather.cut = cut);
    }

    /// The machine at an address loses its power, or has it again.
    pub fn dark(&self, caller: &str, address: &str, dark: bool) {
        self.link(caller, address).weather.send_modify(|weather| weather.dark = dark);
    }

    /// Resets every connection of a link.
    pub fn reset(&self, caller: &str, address: &str) {
        self.link(caller, address).weather.send_modify(|weather| weather.resets += 1);
    }

    /// Makes a link slower by so many milliseconds.
    pub fn slow(&self, caller: &str, address: &str, by_ms: u64) {
        self.link(caller, address).weather.send_modify(|weather| weather.slower_by = by_ms);
    }

    fn link(&self, caller: &str, address: &str) -> Arc<Link> {
        let mut links = lock(&self.links);
        let number = links.len() as u64;
        let made = links.entry((caller.to_owned(), address.to_owned())).or_insert_with(|| {
            let way = |name: &str, owner| Way {
                owner,
                draws: Mutex::new(Stream::of(self.seed, &format!("{caller} {name} {address}"))),
            };
            Arc::new(Link {
                began: self.began,
                weather: watch::Sender::new(Weather::default()),
                there: way("to", Owner::ToAgent(number)),
                back: way("from", Owner::ToCoordinator(number)),
            })
        });
        Arc::clone(made)
    }

    async fn connect(&self, link: Arc<Link>, caller: Life, address: &str) -> io::Result<DuplexStream> {
        caller.hang_if_over().await;
        link.pass(&link.there).await;
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let (ours, near) = tokio::io::duplex(BUFFER);
        let callee = {
            let listeners = lock(&self.listeners);
            let listener = listeners.get(address).filter(|listener| !listener.life.is_over());
            let listener = listener.ok_or_else(refused)?;
            let (far, theirs) = tokio::io::duplex(BUFFER);
            listener.connections.send(theirs).map_err(|_| refused())?;
            (listener.life.clone(), far)
        };
        link.pass(&link.back).await;
        tokio::spawn(carry(link, (caller, near), callee));
        Ok(ours)
    }
}

impl Link {
    /// Resolves when what was sent in a direction arrives.
    async fn pass(&self, way: &Way) {
        let mut weather = self.weather.subscribe();
        loop {
            let slower_by = weather.borrow_and_update().slower_by;
            let usual = lock(&way.draws).between(1, 6);
            slots::wait(self.began, way.owner, usual + slower_by).await;
            if weather.borrow_and_update().passes() {
                return;
            }
            // The sender lives in this very link, so waiting cannot fail.
            let _ = weather.wait_for(Weather::passes).await;
        }
    }

    async fn reset(&self) {
        let mut weather = self.weather.subscribe();
        let before = weather.borrow_and_update().resets;
        let _ = weather.wait_for(|weather| weather.resets != before).await;
    }
}

/// Carries one connection until both sides have closed it, either process dies, or the link is reset.
async fn carry(link: Arc<Link>, (caller, near): (Life, DuplexStream), (callee, far): (Life, DuplexStream)) {
    let (near_read, near_write) = tokio::io::split(near);
    let (far_read, far_write) = tokio::io::split(far);
    let both = async {
        let there = one_way(near_read, far_write, &link, &link.there);
        let back = one_way(far_read, near_write, &link, &link.back);
        tokio::join!(there, back)
    };
    tokio::select! {
        biased;
        () = caller.over() => {}
        () = callee.over() => {
            // That a process died is told by its machine, which the other side hears only over a link that works.
            let _ = link.weather.subscribe().wait_for(Weather::passes).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        () = link.reset() => {}
        _ = both => {}
    }
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    link: &Link,
    way: &Way,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        let mut bytes = buffer[..count].to_vec();
        let mut ended = count == 0;
        // What is sent together arrives together, in whatever order it was written.
        slots::rest(link.began).await;
        while !ended && let Some(count) = from.read(&mut buffer).now_or_never() {
            let count = count?;
            bytes.extend_from_slice(&buffer[..count]);
            ended = count == 0;
        }
        link.pass(way).await;
        to.write_all(&bytes).await?;
        if ended {
            return to.shutdown().await;
        }
    }
}

/// What is behind these locks is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
