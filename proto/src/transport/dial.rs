//! Dialling.

use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Uri};

use super::address::{Address, TransportError};
use super::keyring::Keyring;
use super::reach::Goal;
use super::{MAX_HEADER_BYTES, Security, Timeouts};
use crate::Role;

/// A channel to `HOST:PORT`, where somebody of that role must be. It connects when it is first used and again whenever
/// the connection is lost; certificate files are read here, and again for each connection. With TLS the peer's
/// certificate must name the host and come from the same fleet.
///
/// Must be called inside a tokio runtime.
///
/// # Errors
/// An address that is none, a plain connection that would leave the machine, unusable certificate files, or a certificate
/// with a role that has no business there. Whether anybody answers is for the calls to see.
pub fn dial(
    address: &str,
    whom: Role,
    security: &Security,
    timeouts: Timeouts,
) -> Result<Channel, TransportError> {
    let parsed = Address::parse(address)?;
    let endpoint = with_limits(endpoint(&parsed, address)?, timeouts);
    match security {
        Security::InsecureLoopback if parsed.is_loopback() => Ok(endpoint.connect_lazy()),
        Security::InsecureLoopback => Err(TransportError::PlainAddress(address.to_owned())),
        Security::Tls(tls) => {
            let keyring = Keyring::of(tls)?;
            keyring.fit(callers(whom))?;
            let goal = Goal::new(parsed, keyring, whom)?;
            Ok(endpoint.connect_with_connector_lazy(tower::service_fn(move |_: Uri| {
                let goal = goal.clone();
                async move { goal.reach().await.map(TokioIo::new) }
            })))
        }
    }
}

/// Who has any business with somebody of that role.
fn callers(whom: Role) -> &'static [Role] {
    match whom {
        Role::Agent => &[Role::Coordinator],
        Role::Coordinator => &Role::ALL,
        Role::Operator | Role::Viewer => &[],
    }
}

/// TLS, where there is any, is the connector's affair.
pub(super) fn endpoint(parsed: &Address, address: &str) -> Result<Endpoint, TransportError> {
    let uri = format!("http://{}", parsed.authority());
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
