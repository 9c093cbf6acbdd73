//! Listening.

use tonic::transport::Server;

use super::{MAX_HEADER_BYTES, Security, Timeouts, TransportError};

/// A server that asks every client for a certificate of the authority (or, on loopback, for none). Certificate files are
/// read here. Call [`check_listen`](super::check_listen) with the address first.
///
/// # Errors
/// Unusable certificate files.
pub fn server_builder(security: &Security) -> Result<Server, TransportError> {
    let timeouts = Timeouts::default();
    let server = plain_server_builder(timeouts);
    match security {
        Security::InsecureLoopback => Ok(server),
        Security::Tls(tls) => server
            .tls_config(tls.read()?.server().timeout(timeouts.connect))
            .map_err(|source| TransportError::Config { tls: tls.clone(), source: source.into() }),
    }
}

/// A server with the same limits for connections that are ready to be served: those that
/// [`incoming`](super::incoming) has greeted, and that of an agent that was let in.
pub fn plain_server_builder(timeouts: Timeouts) -> Server {
    Server::builder()
        .http2_keepalive_interval(Some(timeouts.keepalive_interval))
        .http2_keepalive_timeout(Some(timeouts.keepalive_timeout))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
}
