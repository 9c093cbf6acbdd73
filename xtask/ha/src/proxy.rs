//! The way from one coordinator to one server of the database, which can be broken in several ways and mended.
//!
//! What is on its way when it breaks is not lost: it arrives when the way is mended, as with a network that repeats what
//! was not confirmed. Late requests of somebody who was taken for dead are what a store must withstand.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::schedule::Weather;

/// How much is on its way at once in each direction.
const CHUNK: usize = 16 * 1024;

/// A way that can be broken. Ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    weather: watch::Sender<Weather>,
    _tasks: JoinSet<()>,
}

/// In which direction something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    ToServer,
    FromServer,
}

impl Proxy {
    /// A way to this port of 127.0.0.1.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn to(server: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (port, weather) = (listener.local_addr()?.port(), watch::Sender::new(Weather::Clear));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, weather.subscribe()));
        Ok(Self { port, weather, _tasks: tasks })
    }

    /// Its own port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Breaks or mends it, at once.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

async fn accept(listener: TcpListener, server: u16, weather: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(carry(client, server, weather.clone()))),
                // Out of descriptors: others have to be given back first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries what is said between a client and the server, until either is gone.
async fn carry(mut client: TcpStream, server: u16, mut weather: watch::Receiver<Weather>) {
    if *weather.borrow() == Weather::Refusing {
        // The best that can be done where the port itself stays open.
        let _reset = client.set_zero_linger();
        return;
    }
    if weather.wait_for(|weather| lets_through(*weather, Direction::ToServer)).await.is_err() {
        return;
    }
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { return };
    // A connection that is gone already is found out below.
    let _undelayed = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    tokio::select! {
        _ = pump(from_client, to_server, weather.clone(), Direction::ToServer) => {}
        _ = pump(from_server, to_client, weather.clone(), Direction::FromServer) => {}
    }
}

/// Passes on what comes, and in the end that nothing more comes, whenever the weather lets it.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    direction: Direction,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await;
        weather.wait_for(|weather| lets_through(*weather, direction)).await.map_err(io::Error::other)?;
        match read? {
            0 => return to.shutdown().await,
            length => to.write_all(&chunk[..length]).await?,
        }
    }
}

fn lets_through(weather: Weather, direction: Direction) -> bool {
    match weather {
        Weather::Clear => true,
        Weather::Silent | Weather::Refusing => false,
        Weather::Deaf => direction == Direction::ToServer,
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// A server that tells what it reads and answers each line with itself.
    async fn echo() -> (u16, mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (port, (heard, hearing)) = (listener.local_addr().unwrap().port(), mpsc::unbounded_channel());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let heard = heard.clone();
                tokio::spawn(async move {
                    let mut line = [0; 4];
                    while stream.read_exact(&mut line).await.is_ok() {
                        heard.send(String::from_utf8_lossy(&line).into_owned()).unwrap();
                        stream.write_all(&line).await.unwrap();
                    }
                });
            }
        });
        (port, hearing)
    }

    async fn connected(proxy: &Proxy) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).await.unwrap()
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut line = [0; 4];
        stream.read_exact(&mut line).await.unwrap();
        String::from_utf8_lossy(&line).into_owned()
    }

    async fn answers_nothing(stream: &mut TcpStream) {
        let mut line = [0; 4];
        let silence = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut line)).await;
        assert!(silence.is_err(), "{silence:?}");
    }

    #[tokio::test]
    async fn what_is_said_in_silence_arrives_when_it_is_over() {
        let (server, mut heard) = echo().await;
        let proxy = Proxy::to(server).await.unwrap();
        let mut client = connected(&proxy).await;
        client.write_all(b"one.").await.unwrap();
        assert_eq!(answer(&mut client).await, "one.");
        assert_eq!(heard.recv().await.unwrap(), "one.");
        proxy.set(Weather::Silent);
        client.write_all(b"two.").await.unwrap();
        let mut late = connected(&proxy).await;
        late.write_all(b"new.").await.unwrap();
        answers_nothing(&mut client).await;
        answers_nothing(&mut late).await;
        assert!(heard.try_recv().is_err());
        proxy.set(Weather::Clear);
        assert_eq!(answer(&mut client).await, "two.");
        assert_eq!(answer(&mut late).await, "new.");
    }

    #[tokio::test]
    async fn who_is_deaf_is_heard() {
        let (server, mut heard) = echo().await;
        let proxy = Proxy::to(server).await.unwrap();
        let mut client = connected(&proxy).await;
        proxy.set(Weather::Deaf);
        client.write_all(b"one.").await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), "one.");
        answers_nothing(&mut client).await;
        proxy.set(Weather::Clear);
        assert_eq!(answer(&mut client).await, "one.");
    }

    #[tokio::test]
    async fn whoever_comes_new_is_refused_and_whoever_was_there_hears_nothing() {
        let (server, _heard) = echo().await;
        let proxy = Proxy::to(server).await.unwrap();
        let mut client = connected(&proxy).await;
        client.write_all(b"one.").await.unwrap();
        assert_eq!(answer(&mut client).await, "one.");
        proxy.set(Weather::Refusing);
        client.write_all(b"two.").await.unwrap();
        answers_nothing(&mut client).await;
        let mut refused = connected(&proxy).await;
        let mut line = [0; 4];
        assert!(matches!(refused.read(&mut line).await, Err(_) | Ok(0)));
        proxy.set(Weather::Clear);
        assert_eq!(answer(&mut client).await, "two.");
    }

    #[tokio::test]
    async fn a_server_that_is_gone_is_told_at_once() {
        let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap().port();
        let proxy = Proxy::to(gone).await.unwrap();
        let mut client = connected(&proxy).await;
        let mut line = [0; 4];
        assert!(matches!(client.read(&mut line).await, Err(_) | Ok(0)));
    }
}
