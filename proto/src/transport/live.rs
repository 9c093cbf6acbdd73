//! Connections that are open, and whose certificates they were opened with.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustls::client::danger::ServerCertVerifier;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::sync::oneshot;

use super::configs::{Configs, unix_time};
use super::holder::Holder;
use super::keyring::Keyring;
use crate::Identity;

/// Why a connection does not count any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Expired(Timestamp),
    Revoked,
    /// By what is in `ca` now.
    Untrusted(String),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(at) => write!(f, "the certificate expired at {at}"),
            Self::Revoked => f.write_str("the certificate was revoked"),
            Self::Untrusted(why) => write!(f, "the certificate is not accepted any more: {why}"),
        }
    }
}

/// Set once, when a connection is cut.
pub(super) type Standing = Arc<OnceLock<Cut>>;

/// Somebody at the other end of a connection, as the handshake showed them.
pub(super) struct Met {
    pub(super) holder: Holder,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) how: How,
}

/// Who dialled.
pub(super) enum How {
    /// This side did, to this address, under this name.
    Dialled(String, ServerName<'static>),
    /// The other side did.
    Arrived,
}

/// Somebody who is connected, and until when their certificate is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerExpiry {
    /// How they are reached: `HOST:PORT` as it was dialled, or `@name` of one that dialled by itself.
    pub reached: String,
    /// Who they are.
    pub identity: Identity,
    /// Until when their certificate is good.
    pub until: Timestamp,
}

/// The connections, by number.
#[derive(Default)]
pub(super) struct Live {
    count: u64,
    open: HashMap<u64, Open>,
}

struct Open {
    met: Met,
    standing: Standing,
    cut: Option<oneshot::Sender<Cut>>,
}

/// A connection that is looked after. It is forgotten with this.
pub(super) struct Registered {
    number: u64,
    keyring: Arc<Keyring>,
    pub(super) standing: Standing,
    /// Resolves when the connection is to end.
    pub(super) cut: Option<oneshot::Receiver<Cut>>,
}

impl Registered {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.keyring.forget(self.number);
    }
}

/// What is taken off the list; nobody looks at it again.
pub(super) struct Forgotten(
    #[expect(dead_code, reason = "it is dropped where no lock is held")] Option<Open>,
);

impl Live {
    pub(super) fn register(&mut self, met: Met, keyring: Arc<Keyring>) -> Registered {
        self.count += 1;
        let (cut, cutting) = oneshot::channel();
        let standing = Standing::default();
        self.open.insert(self.count, Open { met, standing: Arc::clone(&standing), cut: Some(cut) });
        Registered { number: self.count, keyring, standing, cut: Some(cutting) }
    }

    pub(super) fn forget(&mut self, number: u64) -> Forgotten {
        Forgotten(self.open.remove(&number))
    }

    pub(super) fn cut_expired(&mut self, now: Timestamp) {
        for open in self.open.values_mut().filter(|open| open.met.holder.not_after < now) {
            open.end(Cut::Expired(open.met.holder.not_after));
        }
    }

    pub(super) fn cut_all(&mut self, configs: &Configs, now: Timestamp) {
        for open in self.open.values_mut() {
            open.judge(configs, now);
        }
    }

    pub(super) fn cut_one(&mut self, number: u64, configs: &Configs, now: Timestamp) {
        if let Some(open) = self.open.get_mut(&number) {
            open.judge(configs, now);
        }
    }

    pub(super) fn peers(&self) -> Vec<PeerExpiry> {
        let mut peers: Vec<PeerExpiry> = self
            .open
            .values()
            .map(|Open { met: Met { holder, how, .. }, .. }| PeerExpiry {
                reached: match how {
                    How::Dialled(address, _) => address.clone(),
                    How::Arrived => format!("@{}", holder.identity.name),
                },
                identity: holder.identity.clone(),
                until: holder.not_after,
            })
            .collect();
        peers.sort_by(|one, other| one.reached.cmp(&other.reached).then(one.until.cmp(&other.until)));
        peers
    }
}

impl Open {
    fn judge(&mut self, configs: &Configs, now: Timestamp) {
        let until = self.met.holder.not_after;
        let Some((leaf, others)) = self.met.chain.split_first() else { return };
        let judged = match &self.met.how {
            How::Arrived => configs.clients.verify_client_cert(leaf, others, unix_time(now)).map(|_| ()),
            How::Dialled(_, name) => {
                configs.servers.verify_server_cert(leaf, others, name, &[], unix_time(now)).map(|_| ())
            }
        };
        match judged {
            Err(error) => self.end(Cut::of(&error, until)),
            Ok(()) if until < now => self.end(Cut::Expired(until)),
            Ok(()) => {}
        }
    }

    fn end(&mut self, cut: Cut) {
        let Some(sender) = self.cut.take() else { return };
        tracing::warn!(peer = %self.met.holder.identity, why = %cut, "a connection is closed");
        let _first = self.standing.set(cut.clone());
        // Nobody there: it is closing already.
        let _told = sender.send(cut);
    }
}
