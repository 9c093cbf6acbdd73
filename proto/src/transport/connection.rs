//! One connection, plain or with TLS, with bytes in front of it that were read to see what it is.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsStream;
use tonic::transport::server::Connected;

use super::keyring::Keyring;
use super::peer::Peer;
use super::words;

/// A connection between the two sides, whoever dialled. Both HTTP/2 roles can be served over it.
pub struct Connection {
    /// What was read ahead, and is read once more.
    head: Vec<u8>,
    stream: Stream,
    peer: Peer,
    /// Closed with the connection, whoever drops it.
    life: Option<watch::Sender<()>>,
    /// Resolves when the connection must not go on, with why.
    end: Option<End>,
    /// Whose files to name when the other side does not like them.
    keyring: Option<Arc<Keyring>>,
}

/// When a connection must not go on, and why. What it holds is held for as long as the connection.
pub(super) type End = Pin<Box<dyn Future<Output = String> + Send + Sync>>;

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Resolves when a connection is gone.
#[derive(Clone, Debug)]
pub struct Gone(watch::Receiver<()>);

impl Gone {
    /// Waits until the connection is closed or dropped.
    pub async fn wait(mut self) {
        // Nothing is ever sent: the only news is the end of the sender.
        while self.0.changed().await.is_ok() {}
    }
}

impl Connection {
    pub(super) fn new(stream: Stream, peer: Peer) -> Self {
        Self { head: Vec::new(), stream, peer, life: None, end: None, keyring: None }
    }

    /// The connection ends when the future does.
    pub(super) fn until(mut self, end: End) -> Self {
        self.end = Some(end);
        self
    }

    /// What the other side says of this side's certificate is told with the file's name.
    pub(super) fn with_words(mut self, keyring: Arc<Keyring>) -> Self {
        self.keyring = Some(keyring);
        self
    }

    /// Who is at the other end.
    pub fn who(&self) -> &Peer {
        &self.peer
    }

    fn told(&self, error: io::Error) -> io::Error {
        let said = self.keyring.as_ref().and_then(|keyring| Some((keyring, words::said(&error, keyring)?)));
        let Some((keyring, sentence)) = said else { return error };
        // HTTP/2 keeps it to itself: whoever has called learns that the connection is gone, and no more.
        if keyring.refused.is_due() {
            let address = self.peer();
            tracing::warn!(?address, "{sentence}");
        }
        io::Error::new(error.kind(), sentence)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(end) = &mut self.end else { return Ok(()) };
        match end.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(why) => {
                self.end = Some(Box::pin(std::future::ready(why.clone())));
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, why))
            }
        }
    }

    /// Puts bytes that were read back in front.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        let mut head = bytes.to_vec();
        head.append(&mut self.head);
        self.head = head;
    }

    /// Tells when the connection will be gone.
    pub fn gone(&mut self) -> Gone {
        match &self.life {
            Some(life) => Gone(life.subscribe()),
            None => {
                let (life, gone) = watch::channel(());
                self.life = Some(life);
                Gone(gone)
            }
        }
    }

    /// The other side, where it can still be told.
    pub fn peer(&self) -> Option<std::net::SocketAddr> {
        self.tcp().peer_addr().ok()
    }

    fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.get_ref().0,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Err(ended) = self.poll_end(cx) {
            return Poll::Ready(Err(ended));
        }
        if !self.head.is_empty() {
            let fits = self.head.len().min(buffer.remaining());
            buffer.put_slice(&self.head[..fits]);
            self.head.drain(..fits);
            if self.head.is_empty() {
                // Connections live for months; what was read ahead is not kept that long.
                self.head = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        let read = match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buffer),
        };
        read.map_err(|error| self.told(error))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(tcp) => tcp.is_write_vectored(),
            Stream::Tls(tls) => tls.is_write_vectored(),
        }
    }
}
