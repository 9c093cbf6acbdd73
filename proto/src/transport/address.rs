//! Addresses, and which of them may be used without TLS.

use std::net::{IpAddr, SocketAddr};

use super::{Security, TlsError};

/// Why nothing can be listened on or dialled.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// A listener that anybody on the network could use.
    #[error(
        "`listen = \"{0}\"` is refused without TLS: `insecure_loopback = true` is for loopback addresses only; \
         listen on 127.0.0.1 or [::1], or remove `insecure_loopback` and give `[tls]` with `ca`, `cert` and `key`"
    )]
    PlainListener(SocketAddr),
    /// A connection that anybody on the network could read.
    #[error(
        "`{0}` is not dialled without TLS: `insecure_loopback = true` is for 127.0.0.1, [::1] and `localhost` only; \
         use one of these, or remove `insecure_loopback` and give `[tls]` with `ca`, `cert` and `key`"
    )]
    PlainAddress(String),
    /// Not an address.
    #[error(
        "`{address}` is not an address: {reason}; an address reads HOST:PORT, like 10.0.0.1:7443 or [fd00::1]:7443"
    )]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The certificate files cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The certificate files were read, but TLS refuses them as a whole.
    #[error(
        "the files of `[tls]` cannot be used together (`ca = {}`, `cert = {}`, `key = {}`); \
         see that `key` belongs to `cert` and that `ca` holds the authority's certificate",
        tls.ca.display(), tls.cert.display(), tls.key.display()
    )]
    Config {
        /// The files.
        tls: super::Tls,
        /// What TLS says of them.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// Whether a listener may be opened on an address: a plain one on loopback only.
pub fn check_listen(address: SocketAddr, security: &Security) -> Result<(), TransportError> {
    match security {
        Security::Tls(_) => Ok(()),
        Security::InsecureLoopback if address.ip().to_canonical().is_loopback() => Ok(()),
        Security::InsecureLoopback => Err(TransportError::PlainListener(address)),
    }
}

/// A host and a port to dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// A name, or an IP address without brackets.
    pub(super) host: String,
    /// The TCP port.
    pub(super) port: u16,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, TransportError> {
        let wrong = |reason| TransportError::Address { address: text.to_owned(), reason };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("it has no port"))?;
        let port = match port.parse::<u16>() {
            Ok(port) if port > 0 && port.to_string().len() == text.len() - host.len() - 1 => port,
            Ok(_) | Err(_) => return Err(wrong("its port is not a number from 1 to 65535")),
        };
        let bare = match host.strip_prefix('[').map(|host| host.strip_suffix(']')) {
            Some(Some(bare)) if bare.parse::<std::net::Ipv6Addr>().is_ok() => bare,
            Some(_) => return Err(wrong("there is no IPv6 address in its brackets")),
            None => host,
        };
        if bare == host && !is_name(host) {
            return Err(wrong("its host is neither a name nor an IP address"));
        }
        Ok(Self { host: bare.to_owned(), port })
    }

    /// Whether the address certainly stays on this machine. Other names are not looked up: what they mean may change.
    pub(super) fn is_loopback(&self) -> bool {
        let by_address = self.host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
        by_address || self.host.eq_ignore_ascii_case("localhost")
    }

    /// `host:port` as a URI wants it.
    pub(super) fn authority(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// Letters, digits, dots, hyphens and underscores; this covers IPv4 addresses too.
fn is_name(host: &str) -> bool {
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}
