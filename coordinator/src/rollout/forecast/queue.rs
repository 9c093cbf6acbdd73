//! The clusters of one wave, started in their order as room, partners and windows allow.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use jiff::Timestamp;
use proto::ClusterName;

use super::{Openings, Stay, Turns};
use crate::rollout::Partners;

/// Clusters by their place in the wave.
pub(super) struct Queue<'a> {
    clusters: Vec<(&'a ClusterName, Turns)>,
    partners: Vec<Vec<usize>>,
    unclear: BTreeSet<usize>,
    at_once: usize,
}

impl<'a> Queue<'a> {
    pub(super) fn new(
        clusters: impl Iterator<Item = (&'a ClusterName, Turns)>,
        partners: &Partners,
        at_once: usize,
    ) -> Self {
        let clusters: Vec<_> = clusters.collect();
        let places: BTreeMap<&ClusterName, usize> =
            clusters.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
        let mut edges = vec![Vec::new(); clusters.len()];
        for (one, other) in &partners.pairs {
            if let (Some(one), Some(other)) = (places.get(one), places.get(other)) {
                for (from, to) in [(*one, *other), (*other, *one)] {
                    edges.get_mut(from).into_iter().for_each(|edges: &mut Vec<usize>| edges.push(to));
                }
            }
        }
        let unclear = partners.unclear.iter().filter_map(|name| places.get(name).copied()).collect();
        Self { clusters, partners: edges, unclear, at_once }
    }

    /// Plays the wave from its beginning; clusters that do not get through are left out.
    pub(super) fn play(&self, windows: &Openings, start: Timestamp) -> Vec<Stay<'a>> {
        let mut waiting: Vec<usize> = (0..self.clusters.len()).collect();
        let mut flying: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
        let mut busy = BTreeSet::new();
        let (mut now, mut stays) = (start, Vec::new());
        loop {
            let mut opens = None;
            waiting.retain(|place| {
                if flying.len() >= self.at_once || self.in_the_way(*place, &busy) {
                    return true;
                }
                let Some((cluster, turns)) = self.clusters.get(*place) else { return false };
                match windows.next(now, turns.takes) {
                    None => return false,
                    Some((at, _)) if at > now => {
                        opens = Some(opens.map_or(at, |before: Timestamp| before.min(at)));
                        return true;
                    }
                    Some(_) => {}
                }
                let Some((ends, windows)) = windows.stay(now, *turns) else { return false };
                stays.push(Stay { cluster, begins: now, ends, windows });
                flying.push(Reverse((ends, *place)));
                busy.insert(*place);
                false
            });
            let lands = flying.peek().map(|Reverse((at, _))| *at);
            let Some(next) = lands.into_iter().chain(opens).min() else { return stays };
            now = now.max(next);
            while let Some(Reverse((_, place))) = flying.pop_if_over(now) {
                busy.remove(&place);
            }
        }
    }

    fn in_the_way(&self, place: usize, busy: &BTreeSet<usize>) -> bool {
        let partners = self.partners.get(place).map(Vec::as_slice).unwrap_or_default();
        partners.iter().any(|partner| *partner != place && busy.contains(partner))
            || self.unclear.contains(&place) && busy.iter().any(|other| self.unclear.contains(other))
    }
}

trait Landing {
    /// Takes out who has landed by then.
    fn pop_if_over(&mut self, now: Timestamp) -> Option<Reverse<(Timestamp, usize)>>;
}

impl Landing for BinaryHeap<Reverse<(Timestamp, usize)>> {
    fn pop_if_over(&mut self, now: Timestamp) -> Option<Reverse<(Timestamp, usize)>> {
        let landed = self.peek().is_some_and(|Reverse((at, _))| *at <= now);
        if landed { self.pop() } else { None }
    }
}
