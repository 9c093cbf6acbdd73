//! Keeps the seats that this process has: one task renews them all, and frees those that were let go of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::Epoch;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::door::Door;
use super::statement::Statement;
use crate::store::Seat;

/// A seat expires 6 s after it was renewed last: three renewals may fail.
const EVERY: Duration = Duration::from_millis(1500);

/// Whoever was superseded renews nothing: the epoch is another one.
const RENEW: &str = "
UPDATE seat SET expires_at = clock_timestamp() + interval '6 seconds'
FROM unnest($1::text[], $2::bigint[]) AS mine (key, epoch)
WHERE seat.key = mine.key AND seat.epoch = mine.epoch";

const FREE: &str = "UPDATE seat SET expires_at = clock_timestamp() WHERE key = $1 AND epoch = $2";

/// The seats of this process by their keys.
#[derive(Debug, Default)]
struct Seats {
    held: BTreeMap<String, Epoch>,
    /// The latest epoch of a seat that was let go of.
    let_go: BTreeMap<String, Epoch>,
}

/// A seat that was let go of.
type LetGo = (String, Epoch);

/// What is known here about seats. The task ends when this and all holds are gone.
#[derive(Clone, Debug)]
pub(super) struct Keeper {
    seats: Arc<Mutex<Seats>>,
    freed: mpsc::UnboundedSender<LetGo>,
}

/// A seat that is kept as long as this lives.
#[derive(Debug)]
pub(super) struct Hold {
    keeper: Keeper,
    key: String,
    epoch: Epoch,
}

impl Keeper {
    /// Starts the task. Needs a tokio runtime.
    pub(super) fn start(door: Arc<Door>) -> Self {
        let (freed, let_go) = mpsc::unbounded_channel();
        let seats = Arc::new(Mutex::default());
        tokio::spawn(keep(door, Arc::clone(&seats), let_go));
        Self { seats, freed }
    }

    pub(super) fn hold(&self, seat: &Seat, epoch: Epoch) -> Hold {
        lock(&self.seats).held.insert(seat.key().to_owned(), epoch);
        Hold { keeper: self.clone(), key: seat.key().to_owned(), epoch }
    }

    /// The latest epoch of a seat that was let go of here; 0, which no epoch is, if none was.
    pub(super) fn let_go(&self, seat: &Seat) -> Epoch {
        lock(&self.seats).let_go.get(seat.key()).copied().unwrap_or(Epoch(0))
    }

    /// Renews nothing that is held now.
    #[cfg(test)]
    pub(super) fn forget_all(&self) {
        lock(&self.seats).held.clear();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut seats = lock(&self.keeper.seats);
        if seats.held.get(&self.key) == Some(&self.epoch) {
            seats.held.remove(&self.key);
        }
        let latest = seats.let_go.entry(self.key.clone()).or_insert(self.epoch);
        *latest = self.epoch.max(*latest);
        // Where the runtime is gone, so is the task: the seat expires.
        let _gone = self.keeper.freed.send((self.key.clone(), self.epoch));
    }
}

fn lock(seats: &Mutex<Seats>) -> MutexGuard<'_, Seats> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep(door: Arc<Door>, seats: Arc<Mutex<Seats>>, mut let_go: mpsc::UnboundedReceiver<LetGo>) {
    let mut renewals = interval(EVERY);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            freed = let_go.recv() => match freed {
                Some((key, epoch)) => tell(&door, &Statement::new(FREE).text(key).count(epoch.0)).await,
                None => return,
            },
            _ = renewals.tick() => {
                if let Some(renew) = renewal(&seats) {
                    tell(&door, &renew).await;
                }
            }
        }
    }
}

fn renewal(seats: &Mutex<Seats>) -> Option<Statement> {
    let seats = lock(seats);
    let (keys, epochs): (Vec<_>, Vec<_>) =
        seats.held.iter().map(|(key, epoch)| (key.clone(), epoch.0.cast_signed())).unzip();
    (!keys.is_empty()).then(|| Statement::new(RENEW).texts(keys).numbers(epochs))
}

/// Best effort: a renewal is tried again soon, and a seat that is not freed expires.
async fn tell(door: &Door, statement: &Statement) {
    if let Err(error) = door.try_once(statement).await {
        tracing::warn!(error = crate::failures::chain(&error), "seats could not be renewed or freed");
    }
}
