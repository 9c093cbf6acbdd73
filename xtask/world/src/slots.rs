//! Moments that belong to one host or link alone.
//!
//! Virtual time has milliseconds, and an agent waits for its disk on a second thread: what happens within one millisecond
//! has an order that depends on real time. So the borders between hosts are crossed at moments of their own. All waits of
//! an agent are multiples of 4 ms, so what reaches it at a multiple of 4 keeps it busy at multiples of 4 only; what it
//! sends is gathered a millisecond later, when it has come to rest, and reaches a coordinator at moments that leave 2.

use tokio::time::{Duration, Instant};

/// After so many milliseconds every owner has had its moment.
const ROUND: u64 = 64;

/// Whose moment it is.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// What reaches an agent over the link of this number.
    ToAgent(u64),
    /// What reaches a coordinator over the link of this number.
    ToCoordinator(u64),
    /// What the product's tools and the machine of a node do, by uid.
    Node(u32),
    /// What comes from outside, when nobody else does anything.
    World,
}

impl Owner {
    fn moment(self) -> u64 {
        let moment = match self {
            Self::ToAgent(link) => 4 * (link % 8),
            Self::ToCoordinator(link) => 4 * (link % 16) + 2,
            Self::Node(uid) => 32 + 4 * (u64::from(uid) % 8),
            Self::World => 3,
        };
        moment % ROUND
    }
}

/// Waits at least so many milliseconds, until the next moment of this owner.
pub async fn wait(began: Instant, owner: Owner, at_least_ms: u64) {
    let due = next(now_ms(began) + at_least_ms, owner);
    tokio::time::sleep_until(began + Duration::from_millis(due)).await;
}

/// Waits until the first moment of this owner that is not before that millisecond.
pub async fn until(began: Instant, owner: Owner, ms: u64) {
    tokio::time::sleep_until(began + Duration::from_millis(next(ms, owner))).await;
}

/// Waits until everybody who is busy now has come to rest.
pub async fn rest(began: Instant) {
    tokio::time::sleep_until(began + Duration::from_millis(now_ms(began) + 1)).await;
}

fn now_ms(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The first moment of an owner that is not before this one.
fn next(ms: u64, owner: Owner) -> u64 {
    ms + (owner.moment() + ROUND - ms % ROUND) % ROUND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_moment_is_the_owners_and_never_earlier() {
        for ms in 0..200 {
            for owner in [Owner::ToAgent(5), Owner::ToCoordinator(5), Owner::Node(3), Owner::World] {
                let next = next(ms, owner);
                assert!(next >= ms && next < ms + ROUND && next % ROUND == owner.moment(), "{ms} {owner:?}");
            }
        }
    }

    #[test]
    fn nobody_shares_a_moment() {
        let links = (0..6).flat_map(|link| [Owner::ToAgent(link), Owner::ToCoordinator(link)]);
        let owners = links.chain((1..=3).map(Owner::Node)).chain([Owner::World]);
        let mut moments: Vec<u64> = owners.map(Owner::moment).collect();
        let count = moments.len();
        moments.sort_unstable();
        moments.dedup();
        assert_eq!(moments.len(), count);
    }
}
