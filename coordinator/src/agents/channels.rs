//! Channels to agents that are dialled: no more than so many, those that were used last. A channel costs tens of KiB for
//! as long as it lives, and there are thousands of agents; one that is let go is dialled again when it is asked next.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Channels by address. Whoever has a clone of one goes on using it: only the place here is lost.
#[derive(Debug)]
pub(super) struct Channels<T> {
    most: usize,
    kept: HashMap<Arc<str>, Kept<T>>,
    /// The addresses by their last use: the first is the next to go.
    by_use: BTreeMap<u64, Arc<str>>,
    /// Counts uses.
    uses: u64,
}

#[derive(Debug)]
struct Kept<T> {
    used: u64,
    channel: T,
}

impl<T: Clone> Channels<T> {
    /// Keeps at most so many.
    pub(super) fn keeping(most: usize) -> Self {
        Self { most, kept: HashMap::new(), by_use: BTreeMap::new(), uses: 0 }
    }

    /// The channel to an address, if it is kept. It is the last that was used, now.
    pub(super) fn get(&mut self, address: &str) -> Option<T> {
        let kept = self.kept.get_mut(address)?;
        self.uses += 1;
        if let Some(address) = self.by_use.remove(&kept.used) {
            self.by_use.insert(self.uses, address);
        }
        kept.used = self.uses;
        Some(kept.channel.clone())
    }

    /// Keeps a channel, and gives back the one to use: that of whoever was faster, if somebody was. The one that was used
    /// the longest time ago goes when there are too many.
    pub(super) fn put(&mut self, address: &str, channel: T) -> T {
        if let Some(faster) = self.get(address) {
            return faster;
        }
        self.uses += 1;
        let address = Arc::<str>::from(address);
        self.by_use.insert(self.uses, Arc::clone(&address));
        self.kept.insert(address, Kept { used: self.uses, channel: channel.clone() });
        while self.kept.len() > self.most {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            self.kept.remove(&oldest);
        }
        channel
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_that_is_busy_stays_whoever_else_is_asked() {
        let mut channels = Channels::keeping(3);
        channels.put("busy", 0);
        for other in 1..1000 {
            assert_eq!(channels.get("busy"), Some(0));
            channels.put(&other.to_string(), other);
        }
        let kept = ["997", "998", "999"].map(|other| channels.get(other).is_some());
        assert_eq!(kept, [false, true, true]);
    }

    #[test]
    fn of_two_that_dial_at_once_both_use_the_first_channel() {
        let mut channels = Channels::keeping(3);
        assert_eq!((channels.put("a", 1), channels.put("a", 2), channels.get("a")), (1, 1, Some(1)));
    }

    proptest! {
        #[test]
        fn there_are_never_more_than_the_bound_and_they_are_the_last_used(
            most in 1_usize..8,
            asked in prop::collection::vec(0_u8..16, 0..200),
        ) {
            let mut channels = Channels::keeping(most);
            let mut last_used: Vec<u8> = Vec::new();
            for address in asked {
                let expected = last_used.contains(&address).then_some(address);
                prop_assert_eq!(channels.get(&address.to_string()), expected);
                channels.put(&address.to_string(), address);
                last_used.retain(|other| *other != address);
                last_used.insert(0, address);
                last_used.truncate(most);
                prop_assert_eq!(channels.kept.len(), last_used.len());
                prop_assert_eq!(channels.by_use.len(), channels.kept.len());
            }
        }
    }
}
