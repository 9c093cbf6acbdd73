//! How much anybody may ask of a port.

/// The limits of one port: `[limits]` in the configuration. What is counted by address is counted for those whose
/// certificate is accepted, too: one of them that went wild must not take all places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. Those that were not greeted yet, and those without a certificate, have places of their own.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// Greetings at once: from a connection's first packet until it is known whose it is. When all places are taken, the
    /// oldest greeting with the address that has the most of them is broken off, at once if another address needs the
    /// place, else as soon as it had a fair time.
    pub greetings: usize,
    /// Requests in a second over one connection; twice as many may come at once.
    pub requests_per_second: u32,
}

impl Limits {
    /// An agent is asked by a few coordinators, a few times a second.
    pub const AGENT: Self =
        Self { connections: 256, connections_per_address: 64, greetings: 256, requests_per_second: 200 };
    /// A coordinator may have all agents of a large fleet, many of them behind one address, and is asked by others on
    /// behalf of everybody.
    pub const COORDINATOR: Self = Self {
        connections: 20_000,
        connections_per_address: 2_000,
        greetings: 1024,
        requests_per_second: 500,
    };
}

/// The time that a greeting has for itself when others of its kind need its place. A handshake takes a few milliseconds;
/// in a storm of thousands, each waits for its turn meanwhile.
pub(super) const FAIR: std::time::Duration = std::time::Duration::from_millis(500);
/// Connections of those without a certificate: a place is needed for one question only.
pub(super) const ANONYMOUS: usize = 64;
/// How long such a connection may be kept.
pub(super) const ANONYMOUS_LIFE: std::time::Duration = std::time::Duration::from_secs(60);
/// Requests at once over one connection. A coordinator that stands by passes everybody's on over one.
pub(super) const STREAMS: u32 = 256;
