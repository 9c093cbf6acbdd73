//! The first words with somebody who has dialled: TLS, then what they are.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::arrived::Arrived;
use super::connection::{Connection, End, Stream};
use super::holder::holder;
use super::incoming::Door;
use super::keyring::{Keyring, Loaded};
use super::limits::{ANONYMOUS, ANONYMOUS_LIFE, Limits};
use super::live::{How, Met};
use super::now_and_then::NowAndThen;
use super::peer::{Peer, Who};
use super::places::{Place, Places};
use super::preface::{self, Announced, Hello};
use super::reach::{chain, cut, known};
use super::words;

/// What is read, and for how long, from somebody whose handshake has failed.
const LINGER_BYTES: usize = 64 * 1024;
const LINGER: Duration = Duration::from_secs(1);
/// Between two words in the log about peers for whom there is no place.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Between two about handshakes that failed.
const TURNED_AWAY_EVERY: Duration = Duration::from_secs(1);

/// What greets at one port.
pub(super) struct Greeter {
    /// `None` for a plain port, on loopback.
    keyring: Option<Arc<Keyring>>,
    door: Door,
    limits: Limits,
    known: Places,
    anonymous: Places,
    no_place: NowAndThen,
    turned_away: NowAndThen,
}

/// Somebody who was greeted.
pub(super) enum Greeted {
    Client(Connection),
    Agent(Arrived),
}

impl Greeter {
    pub(super) fn new(keyring: Option<Arc<Keyring>>, door: Door, limits: Limits) -> Self {
        Self {
            keyring,
            door,
            limits,
            known: Places::new(limits.connections, Duration::ZERO),
            anonymous: Places::new(ANONYMOUS, Duration::ZERO),
            no_place: NowAndThen::once_in(TOLD_EVERY),
            turned_away: NowAndThen::once_in(TURNED_AWAY_EVERY),
        }
    }

    pub(super) async fn greet(&self, tcp: TcpStream) -> io::Result<Greeted> {
        tcp.set_nodelay(true)?;
        let address = tcp.peer_addr()?;
        let mut connection = match &self.keyring {
            None => {
                let place = self.place(address.ip(), usize::MAX)?;
                let peer = Peer::new(Who::Local, Some(address), 0);
                Connection::new(Stream::Plain(tcp), peer).until(holding(place))
            }
            Some(keyring) => {
                let loaded = keyring.current();
                let tls = self.shake_hands(tcp, keyring, &loaded).await?;
                self.known_or_not(tls, keyring, &loaded)?
            }
        };
        let (announced, head) = preface::sniff(&mut connection).await?;
        sorted(connection, announced, head).await
    }

    async fn shake_hands(
        &self,
        tcp: TcpStream,
        keyring: &Keyring,
        loaded: &Loaded,
    ) -> io::Result<TlsStream<TcpStream>> {
        let config = match self.door {
            Door::Agent => &loaded.configs.strict,
            Door::Coordinator => &loaded.configs.open,
        };
        match TlsAcceptor::from(Arc::clone(config)).accept(tcp).into_fallible().await {
            Ok(tls) => Ok(tls),
            Err((error, tcp)) => {
                let address = tcp.peer_addr().ok();
                let error = words::told(error, keyring);
                if self.turned_away.is_due() {
                    tracing::warn!(?address, %error, "somebody was not let in");
                }
                // What is sent in vain must be read, or the other side never sees why it was refused.
                let _in_time = tokio::time::timeout(LINGER, linger(tcp)).await;
                Err(error)
            }
        }
    }

    fn known_or_not(
        &self,
        tls: TlsStream<TcpStream>,
        keyring: &Arc<Keyring>,
        loaded: &Arc<Loaded>,
    ) -> io::Result<Connection> {
        let address = tls.get_ref().0.peer_addr()?;
        let shown = chain(tls.get_ref().1.peer_certificates());
        let stranger = |who| {
            let place = self.anonymous.enter_now(address.ip(), Instant::now()).map_err(|_| full())?;
            Ok::<_, io::Error>((Peer::new(who, Some(address), 0), passing(place)))
        };
        let (peer, end) = match holder(&shown, &keyring.tls.names) {
            _ if shown.is_empty() => stranger(Who::Anonymous)?,
            Err(unnamed) => stranger(Who::Stranger(unnamed.to_string()))?,
            Ok(holder) => {
                let place = self.place(address.ip(), self.limits.connections_per_address)?;
                let met = Met { holder: holder.clone(), chain: shown, how: How::Arrived };
                let registered = keyring.register(met, loaded);
                let who = Who::Known(known(holder, loaded, keyring, &registered));
                let peer = Peer::new(who, Some(address), self.limits.requests_per_second);
                (peer, cut(registered, place))
            }
        };
        Ok(Connection::new(Stream::Tls(Box::new(tls.into())), peer).until(end))
    }

    fn place(&self, address: IpAddr, most_of_one: usize) -> io::Result<Place> {
        self.known.enter_if_free(address, most_of_one).ok_or_else(|| {
            if self.no_place.is_due() {
                tracing::warn!(
                    %address,
                    "there is no place for another connection; see `connections` and `connections_per_address` of [limits]"
                );
            }
            full()
        })
    }
}

/// What the first bytes say that somebody is.
async fn sorted(mut connection: Connection, announced: Announced, head: Vec<u8>) -> io::Result<Greeted> {
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

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::QuotaExceeded, "there is no place for another connection")
}

async fn linger(mut tcp: TcpStream) {
    let mut left = LINGER_BYTES;
    let mut bytes = [0; 2048];
    if tcp.shutdown().await.is_err() {
        return;
    }
    while let Ok(read @ 1..) = tcp.read(&mut bytes).await {
        match left.checked_sub(read) {
            Some(less) => left = less,
            None => return,
        }
    }
}

/// No end; the place is taken for as long as the connection is there.
fn holding(place: Place) -> End {
    Box::pin(async move {
        let _place = place;
        std::future::pending().await
    })
}

/// The end of a connection that is for one question: when its time is over, or another one needs its place.
fn passing(mut place: Place) -> End {
    Box::pin(async move {
        let lost = place.lost.take();
        let lost = async {
            match lost {
                Some(lost) => _ = lost.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = lost => "others without a certificate need the place".to_owned(),
            () = tokio::time::sleep(ANONYMOUS_LIFE) => "the time without a certificate is over".to_owned(),
        }
    })
}
