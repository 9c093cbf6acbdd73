//! Dialling.

use tonic::transport::{Channel, Endpoint};

use super::address::{Address, TransportError};
use super::{MAX_HEADER_BYTES, Security, Timeouts};

/// A channel to `HOST:PORT`. It connects when it is first used and again whenever the connection is lost; certificate
/// files are read here. With TLS the peer's certificate must name the host.
///
/// Must be called inside a tokio runtime.
///
/// # Errors
/// An address that is none, a plain connection that would leave the machine, unusable certificate files. Whether
/// anybody answers is for the calls to see.
pub fn dial(address: &str, security: &Security, timeouts: Timeouts) -> Result<Channel, TransportError> {
    let parsed = Address::parse(address)?;
    let endpoint = match security {
        Security::InsecureLoopback if parsed.is_loopback() => endpoint("http", &parsed, address)?,
        Security::InsecureLoopback => return Err(TransportError::PlainAddress(address.to_owned())),
        Security::Tls(tls) => {
            let config = tls.read()?.client(&parsed.host).timeout(timeouts.connect);
            endpoint("https", &parsed, address)?
                .tls_config(config)
                .map_err(|source| TransportError::Config { tls: tls.clone(), source: source.into() })?
        }
    };
    Ok(with_limits(endpoint, timeouts).connect_lazy())
}

fn endpoint(scheme: &str, parsed: &Address, address: &str) -> Result<Endpoint, TransportError> {
    let uri = format!("{scheme}://{}", parsed.authority());
    let wrong =
        |_| TransportError::Address { address: address.to_owned(), reason: "it cannot be part of a URI" };
    Endpoint::from_shared(uri).map_err(wrong)
}

/// A peer behind a cut that swallows everything is noticed by pings only.
pub(super) fn with_limits(endpoint: Endpoint, timeouts: Timeouts) -> Endpoint {
    endpoint
        .connect_timeout(timeouts.connect)
        .http2_keep_alive_interval(timeouts.keepalive_interval)
        .keep_alive_timeout(timeouts.keepalive_timeout)
        .keep_alive_while_idle(true)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
}
