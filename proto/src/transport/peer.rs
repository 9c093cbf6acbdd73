//! Who is at the other end of a connection, as the gate sees it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::holder::Holder;
use super::keyring::lock;
use super::live::{Cut, Standing};
use crate::{Caller, Clock, FleetName};

/// Denials of one connection that are told in the log; somebody who goes on asking must not fill it.
const TOLD: u32 = 10;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    who: Who,
    address: Option<SocketAddr>,
    bucket: Option<Bucket>,
    denials: AtomicU32,
}

/// Who it is, as far as the handshake told.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// This machine.
    Local,
    /// Somebody without a certificate.
    Anonymous,
    /// Somebody whose certificate says who they are.
    Known(Known),
    /// Somebody whose certificate is the authority's and does not say who they are.
    Stranger(String),
}

/// Somebody known, and what is needed to see that they still are.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) holder: Holder,
    /// The fleet of this side.
    pub(super) own: FleetName,
    pub(super) standing: Standing,
    pub(super) clock: Clock,
}

impl Known {
    /// Why the certificate does not count any more, if it does not.
    pub(super) fn cut(&self) -> Option<Cut> {
        let until = self.holder.not_after;
        let expired = || (until < self.clock.now()).then_some(Cut::Expired(until));
        self.standing.get().cloned().or_else(expired)
    }
}

impl Peer {
    pub(super) fn new(who: Who, address: Option<SocketAddr>, requests_per_second: u32) -> Self {
        let bucket = match &who {
            // What this machine's user wants to do to this machine needs no connection.
            Who::Local => None,
            Who::Known(_) => Some(Bucket::new(requests_per_second)),
            Who::Anonymous | Who::Stranger(_) => Some(Bucket::new(ANONYMOUS_REQUESTS)),
        };
        Self(Arc::new(Inner { who, address, bucket, denials: AtomicU32::new(0) }))
    }

    /// This machine.
    pub(super) fn local() -> Self {
        Self::new(Who::Local, None, 0)
    }

    pub(super) fn who(&self) -> &Who {
        &self.0.who
    }

    /// Where they come from.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// Who they are.
    pub fn caller(&self) -> Caller {
        match &self.0.who {
            Who::Local => Caller::Local,
            Who::Known(known) => Caller::Known(known.holder.identity.clone()),
            Who::Anonymous | Who::Stranger(_) => Caller::Anonymous,
        }
    }

    /// Whether another request is within what one connection may ask.
    pub(super) fn may_ask(&self) -> bool {
        self.0.bucket.as_ref().is_none_or(|bucket| bucket.take(Instant::now()))
    }

    /// Whether another denial is worth a line in the log.
    pub(super) fn is_worth_telling(&self) -> bool {
        self.0.denials.fetch_add(1, Ordering::Relaxed) < TOLD
    }
}

/// What somebody without a certificate may ask in a second: to be enrolled, now and then.
const ANONYMOUS_REQUESTS: u32 = 5;

/// So many in a second, and as many as two seconds' worth at once.
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    left: Mutex<(f64, Instant)>,
}

impl Bucket {
    fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, left: Mutex::new((2.0 * per_second, Instant::now())) }
    }

    fn take(&self, now: Instant) -> bool {
        let mut state = lock(&self.left);
        let (left, at) = *state;
        let since: Duration = now.saturating_duration_since(at);
        let left = (left + since.as_secs_f64() * self.per_second).min(2.0 * self.per_second);
        let taken = left >= 1.0;
        *state = (if taken { left - 1.0 } else { left }, now);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bucket_gives_two_seconds_at_once_and_then_its_rate() {
        let bucket = Bucket::new(10);
        let began = Instant::now();
        let taken = |at| (0..100).filter(|_| bucket.take(at)).count();
        let full = began + Duration::from_secs(60);
        assert_eq!(taken(full), 20);
        assert_eq!(taken(full), 0);
        assert_eq!(taken(full + Duration::from_millis(500)), 5);
        assert_eq!(taken(began), 0, "a clock that goes back gives nothing");
    }
}
