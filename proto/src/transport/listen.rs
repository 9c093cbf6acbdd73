//! Serving.

use tonic::transport::Server;

use super::limits::STREAMS;
use super::{MAX_HEADER_BYTES, Timeouts};

/// A server for connections that are ready to be served: those that [`incoming`](super::incoming) has greeted, that of an
/// agent that was let in, and those within this process.
///
/// Whoever does not answer pings is gone within two of the timeouts; whoever does not read gets no more than HTTP/2's
/// window.
pub fn plain_server_builder(timeouts: Timeouts) -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(timeouts.keepalive_interval))
        .http2_keepalive_timeout(Some(timeouts.keepalive_timeout))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .max_concurrent_streams(STREAMS)
}
