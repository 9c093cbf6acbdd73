//! A bounded number of places, some of which are taken away again from those who have too many.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::keyring::lock;

/// Places at a port.
#[derive(Clone, Debug)]
pub(super) struct Places {
    taken: Arc<Mutex<Taken>>,
    left: Arc<Notify>,
}

#[derive(Debug)]
struct Taken {
    most: usize,
    count: u64,
    /// The time a place is kept for, whoever else of the same address comes.
    fair: Duration,
    /// In the order in which they came.
    by_number: BTreeMap<u64, (IpAddr, Instant, oneshot::Sender<()>)>,
    by_address: HashMap<IpAddr, usize>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    places: Places,
    /// Resolves when the place is needed for somebody else.
    pub(super) lost: Option<oneshot::Receiver<()>>,
}

impl Places {
    pub(super) fn new(most: usize, fair: Duration) -> Self {
        let taken = Taken { most, count: 0, fair, by_number: BTreeMap::new(), by_address: HashMap::new() };
        Self { taken: Arc::new(Mutex::new(taken)), left: Arc::default() }
    }

    /// Takes a place, and waits for one if need be: no longer than the fair time of whoever has one.
    pub(super) async fn enter(&self, address: IpAddr) -> Place {
        loop {
            let left = self.left.notified();
            match self.enter_now(address, Instant::now()) {
                Ok(place) => return place,
                Err(until) => {
                    tokio::select! {
                        () = left => {}
                        () = tokio::time::sleep_until(until) => {}
                    }
                }
            }
        }
    }

    /// Takes a place; if there is none, that of whoever came first from the address that has the most.
    ///
    /// # Errors
    /// When to ask again.
    pub(super) fn enter_now(&self, address: IpAddr, now: Instant) -> Result<Place, Instant> {
        let mut taken = lock(&self.taken);
        if taken.by_number.len() >= taken.most {
            taken.make_room(address, now)?;
        }
        let entered = taken.enter(address, now);
        drop(taken);
        Ok(self.place(entered))
    }

    /// Takes a place if there is one, and the address has not too many.
    pub(super) fn enter_if_free(&self, address: IpAddr, most_of_one: usize) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let of_one = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.by_number.len() >= taken.most || of_one >= most_of_one {
            return None;
        }
        let entered = taken.enter(address, Instant::now());
        drop(taken);
        Some(self.place(entered))
    }

    fn place(&self, (number, lost): (u64, oneshot::Receiver<()>)) -> Place {
        Place { number, places: self.clone(), lost: Some(lost) }
    }
}

impl Taken {
    fn enter(&mut self, address: IpAddr, now: Instant) -> (u64, oneshot::Receiver<()>) {
        self.count += 1;
        let (lose, lost) = oneshot::channel();
        self.by_number.insert(self.count, (address, now, lose));
        *self.by_address.entry(address).or_default() += 1;
        (self.count, lost)
    }

    fn make_room(&mut self, newcomer: IpAddr, now: Instant) -> Result<(), Instant> {
        let most = self.by_address.values().copied().max().unwrap_or(0);
        let crowded = |address: &IpAddr| self.by_address.get(address) == Some(&most);
        let first = self.by_number.iter().find(|(_, (address, ..))| crowded(address));
        let Some((&number, (_, since, _))) = first else { return Ok(()) };
        let fair = *since + self.fair;
        // One of a crowd waits for its own; everybody else does not wait for the crowd.
        let own = self.by_address.get(&newcomer).copied().unwrap_or(0);
        if own + 1 >= most && fair > now {
            return Err(fair);
        }
        if let Some(lose) = self.leave(number) {
            // Nobody there: it is leaving already.
            let _told = lose.send(());
        }
        Ok(())
    }

    fn leave(&mut self, number: u64) -> Option<oneshot::Sender<()>> {
        let (address, _, lose) = self.by_number.remove(&number)?;
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
        Some(lose)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places.taken).leave(self.number);
        self.places.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAIR: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn has_lost(place: &mut Place) -> bool {
        place.lost.as_mut().is_some_and(|lost| lost.try_recv().is_ok())
    }

    #[tokio::test]
    async fn whoever_has_the_most_loses_the_oldest() {
        let places = Places::new(4, FAIR);
        let now = Instant::now();
        let mut quiet = places.enter_now(address(1), now).unwrap();
        let mut flood: Vec<Place> = (0..3).map(|_| places.enter_now(address(2), now).unwrap()).collect();
        assert_eq!(places.enter_now(address(2), now).err(), Some(now + FAIR), "it waits for its own");
        let mut late = places.enter_now(address(3), now).unwrap();
        assert!(has_lost(&mut flood[0]), "but nobody else waits for it");
        for turn in 1..10 {
            flood.push(places.enter_now(address(2), now + FAIR * turn).unwrap());
        }
        assert!(!has_lost(&mut quiet) && !has_lost(&mut late));
        drop((flood, quiet, late));
        let taken = lock(&places.taken);
        assert!(taken.by_number.is_empty() && taken.by_address.is_empty(), "{taken:?}");
    }

    /// A storm of many addresses, each with one: they take turns, and nobody is put out before its time.
    #[tokio::test(start_paused = true)]
    async fn those_who_are_alike_wait_for_each_other() {
        let places = Places::new(2, FAIR);
        let began = Instant::now();
        let (mut one, two) = (places.enter(address(1)).await, places.enter(address(2)).await);
        let _three = places.enter(address(3)).await;
        assert_eq!(began.elapsed(), FAIR);
        assert!(has_lost(&mut one));
        let waiting = {
            let places = places.clone();
            tokio::spawn(async move { places.enter(address(4)).await })
        };
        tokio::task::yield_now().await;
        drop(two);
        let _four = waiting.await.unwrap();
        assert_eq!(began.elapsed(), FAIR, "it has the place of one who left");
    }

    #[tokio::test]
    async fn nobody_is_put_out_by_one_who_enters_if_there_is_room() {
        let places = Places::new(3, FAIR);
        let one = places.enter_if_free(address(1), 2).unwrap();
        let _two = places.enter_if_free(address(1), 2).unwrap();
        assert!(places.enter_if_free(address(1), 2).is_none(), "too many of one");
        let _other = places.enter_if_free(address(2), 2).unwrap();
        assert!(places.enter_if_free(address(3), 2).is_none(), "full");
        drop(one);
        assert!(places.enter_if_free(address(3), 2).is_some());
    }
}
