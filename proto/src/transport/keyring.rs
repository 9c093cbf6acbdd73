//! The certificate files of one `[tls]` as they are now, and every connection that was made with them.
//!
//! Files are looked at every few seconds. New ones count for what is dialled and accepted from then on; ones that cannot
//! be used are told and kept out. Connections whose certificate does not count any more are cut.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::configs::Configs;
use super::holder::Holder;
use super::live::{Cut, Live, Met, Registered};
use super::now_and_then::NowAndThen;
use super::tls::{RENEW, Tls, TlsError, TlsMistake};
use super::{PeerExpiry, TransportError};
use crate::{Clock, Role, Sha256};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(2);

/// What the files held when they were last found usable.
pub(super) struct Loaded {
    digest: Sha256,
    pub(super) own: Holder,
    pub(super) configs: Configs,
}

/// The files of one side, and the connections made with them.
pub(super) struct Keyring {
    pub(super) tls: Tls,
    pub(super) clock: Clock,
    every: Duration,
    current: Mutex<Current>,
    live: Mutex<Live>,
    watch: Mutex<Option<JoinHandle<()>>>,
    /// When it was last told that the other side does not like this side's certificate.
    pub(super) refused: NowAndThen,
}

struct Current {
    loaded: Arc<Loaded>,
    looked_at: Instant,
    /// What was wrong with newer files when they were last looked at.
    told: Option<String>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// Between two words about peers that refuse this side's certificate.
const REFUSED_EVERY: Duration = Duration::from_secs(1);

/// Those in use in this process. Whatever is dialled and accepted with the same files shares one, so that thousands of
/// connections cost one look at the files.
static OPEN: Mutex<Vec<(Tls, Weak<Keyring>)>> = Mutex::new(Vec::new());

impl Keyring {
    /// The one of these files.
    pub(super) fn of(tls: &Tls) -> Result<Arc<Self>, TransportError> {
        let mut open = lock(&OPEN);
        open.retain(|(_, keyring)| keyring.strong_count() > 0);
        let known = open.iter().find(|(known, _)| known == tls).and_then(|(_, keyring)| keyring.upgrade());
        if let Some(keyring) = known {
            return Ok(keyring);
        }
        let keyring = Self::open(tls, Clock::system(), LOOK)?;
        open.push((tls.clone(), Arc::downgrade(&keyring)));
        Ok(keyring)
    }

    /// The one of these files if something uses it now.
    pub(super) fn in_use(tls: &Tls) -> Option<Arc<Self>> {
        lock(&OPEN).iter().find(|(known, _)| known == tls).and_then(|(_, keyring)| keyring.upgrade())
    }

    /// One of its own, with a clock and a pace of its own.
    pub(super) fn open(tls: &Tls, clock: Clock, every: Duration) -> Result<Arc<Self>, TransportError> {
        let loaded = load(tls, &clock)?;
        let current = Current { loaded: Arc::new(loaded), looked_at: Instant::now(), told: None };
        Ok(Arc::new(Self {
            tls: tls.clone(),
            clock,
            every,
            current: Mutex::new(current),
            live: Mutex::default(),
            watch: Mutex::default(),
            refused: NowAndThen::once_in(REFUSED_EVERY),
        }))
    }

    /// Whether this side may be what it is about to be.
    pub(super) fn fit(&self, roles: &[Role]) -> Result<(), TransportError> {
        let own = self.current().own.identity.clone();
        if roles.contains(&own.role) {
            return Ok(());
        }
        let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        let reason = format!("it is that of {own}, and the role needed here is {}", words.join(" or "));
        Err(TlsError { mistakes: vec![self.mistake(reason, FITTING)] }.into())
    }

    /// What the files hold; they are looked at if that was long ago.
    pub(super) fn current(&self) -> Arc<Loaded> {
        if lock(&self.current).looked_at.elapsed() >= self.every {
            self.look();
        }
        Arc::clone(&lock(&self.current).loaded)
    }

    /// What the files hold at this very moment.
    pub(super) fn fresh(&self) -> Arc<Loaded> {
        self.look();
        Arc::clone(&lock(&self.current).loaded)
    }

    /// Looks at the files, and cuts what does not count any more.
    pub(super) fn look(&self) {
        lock(&self.current).looked_at = Instant::now();
        let now = self.clock.now();
        match self.newer() {
            Ok(None) => {
                lock(&self.current).told = None;
                lock(&self.live).cut_expired(now);
            }
            Ok(Some(loaded)) => {
                let loaded = Arc::new(loaded);
                tracing::info!(own = %loaded.own.identity, until = %loaded.own.not_after, "the files of [tls] have changed and are in use");
                {
                    let mut current = lock(&self.current);
                    (current.loaded, current.told) = (Arc::clone(&loaded), None);
                }
                // After the exchange: whoever registers meanwhile sees the new files.
                lock(&self.live).cut_all(&loaded.configs, now);
            }
            Err(error) => {
                self.tell(error.to_string());
                lock(&self.live).cut_expired(now);
            }
        }
    }

    fn newer(&self) -> Result<Option<Loaded>, TransportError> {
        let contents = self.tls.contents()?;
        if contents.digest() == lock(&self.current).loaded.digest {
            return Ok(None);
        }
        load(&self.tls, &self.clock).map(Some)
    }

    fn tell(&self, error: String) {
        let mut current = lock(&self.current);
        if current.told.as_ref() != Some(&error) {
            tracing::error!(
                error,
                "the files of [tls] have changed and cannot be used; those from before stay in use"
            );
            current.told = Some(error);
        }
    }

    /// One's own certificate, if it has expired by now.
    pub(super) fn expired(&self, loaded: &Loaded) -> Option<TlsMistake> {
        let until = loaded.own.not_after;
        (until < self.clock.now()).then(|| self.mistake(format!("it expired at {until}"), RENEW))
    }

    fn mistake(&self, reason: String, remedy: &'static str) -> TlsMistake {
        TlsMistake { key: "cert", file: self.tls.cert.clone(), reason, remedy }
    }

    /// Keeps an eye on a connection that was made with what was loaded then.
    pub(super) fn register(self: &Arc<Self>, met: Met, with: &Arc<Loaded>) -> Registered {
        self.watched();
        let registered = lock(&self.live).register(met, Arc::clone(self));
        let now = Arc::clone(&lock(&self.current).loaded);
        if !Arc::ptr_eq(&now, with) {
            lock(&self.live).cut_one(registered.number(), &now.configs, self.clock.now());
        }
        registered
    }

    pub(super) fn forget(&self, number: u64) {
        // Dropped outside the lock.
        let _gone = lock(&self.live).forget(number);
    }

    /// Until when the certificates of those who are connected now are good.
    pub(super) fn peers(&self) -> Vec<PeerExpiry> {
        lock(&self.live).peers()
    }

    /// A task of the runtime that makes connections looks after them; one whose runtime is gone is replaced.
    fn watched(self: &Arc<Self>) {
        let mut watch = lock(&self.watch);
        if watch.as_ref().is_none_or(JoinHandle::is_finished) {
            *watch = Some(tokio::spawn(watch_over(Arc::downgrade(self), self.every)));
        }
    }
}

/// What to do about one's own certificate with a role that does not fit.
const FITTING: &str =
    "name the certificate of the right side; one is issued by `ratchet pki issue ROLE NAME`";

async fn watch_over(keyring: Weak<Keyring>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(keyring) = keyring.upgrade() else { return };
        keyring.look();
    }
}

fn load(tls: &Tls, clock: &Clock) -> Result<Loaded, TransportError> {
    let contents = tls.contents()?;
    let material = contents.material(tls, clock.now())?;
    let configs = Configs::of(&material, clock)
        .map_err(|source| TransportError::Config { tls: tls.clone(), source })?;
    Ok(Loaded { digest: contents.digest(), own: material.own, configs })
}

/// What is behind these locks is whole between any two statements.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cut {
    /// Whether what was said of a certificate is that it has expired, or was revoked, or is of nobody any more.
    pub(super) fn of(error: &rustls::Error, until: jiff::Timestamp) -> Self {
        use rustls::CertificateError::{Expired, ExpiredContext, Revoked};
        match error {
            rustls::Error::InvalidCertificate(Revoked) => Self::Revoked,
            rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => Self::Expired(until),
            other => Self::Untrusted(other.to_string()),
        }
    }
}
