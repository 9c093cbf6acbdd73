//! A server inside the process that calls it: no socket, no certificate, the same code path.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint, Uri};

use super::MAX_HEADER_BYTES;
use super::peer::Peer;

/// Connections of an in-process channel, for `serve_with_incoming`. It ends when the channel and all its clones are
/// gone.
pub type IncomingInProcess = tokio_stream::adapters::Map<
    UnboundedReceiverStream<DuplexStream>,
    fn(DuplexStream) -> io::Result<InProcess>,
>;

/// One connection within the process: whoever calls over it is this machine.
#[derive(Debug)]
pub struct InProcess(DuplexStream);

impl Connected for InProcess {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer::local()
    }
}

impl AsyncRead for InProcess {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for InProcess {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Bytes under way in one direction before the writer waits.
const BUFFER: usize = 256 * 1024;

/// A channel, and the connections that it makes. Must be called inside a tokio runtime.
pub fn in_process() -> (Channel, IncomingInProcess) {
    let (connections, incoming) = mpsc::unbounded_channel();
    let connector = tower::service_fn(move |_: Uri| {
        let connections = connections.clone();
        async move {
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            connections.send(theirs).map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
            Ok::<_, io::Error>(TokioIo::new(ours))
        }
    });
    let channel = Endpoint::from_static("http://in-process")
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .connect_with_connector_lazy(connector);
    let ours: fn(DuplexStream) -> io::Result<InProcess> = |stream| Ok(InProcess(stream));
    (channel, UnboundedReceiverStream::new(incoming).map(ours))
}
