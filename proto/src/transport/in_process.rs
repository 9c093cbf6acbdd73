//! A server inside the process that calls it: no socket, no certificate, the same code path.

use std::io;

use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::{Channel, Endpoint, Uri};

use super::MAX_HEADER_BYTES;

/// Connections of an in-process channel, for `serve_with_incoming`. It ends when the channel and all its clones are
/// gone.
pub type IncomingInProcess = tokio_stream::adapters::Map<
    UnboundedReceiverStream<DuplexStream>,
    fn(DuplexStream) -> io::Result<DuplexStream>,
>;

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
    (channel, UnboundedReceiverStream::new(incoming).map(Ok))
}
