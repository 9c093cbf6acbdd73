//! The network between nodes: who hears whom, and who is cut off from the majority.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Model;

impl Model {
    /// Takes over what a node hears, and draws the conclusion for all.
    pub fn hears(&mut self, uid: u32, heard: BTreeSet<u32>, now: Timestamp) {
        let Some(node) = self.nodes.get_mut(&uid) else { return };
        node.hears = Some(heard);
        let cut_off: Vec<u32> = self.nodes.keys().copied().filter(|uid| !self.has_majority(*uid)).collect();
        for (uid, node) in &mut self.nodes {
            node.cut_off = cut_off.contains(uid).then(|| node.cut_off.unwrap_or(now));
        }
    }

    /// Whether a node and those it is linked with are more than half of the cluster. One that does not listen is taken
    /// to be: nothing is known of a network.
    fn has_majority(&self, uid: u32) -> bool {
        let listens = self.nodes.get(&uid).is_some_and(|node| node.hears.is_some());
        let linked = self.nodes.keys().filter(|other| **other == uid || self.is_linked(uid, **other)).count();
        !listens || linked * 2 > self.nodes.len()
    }

    /// Two nodes are linked if each hears the other.
    fn is_linked(&self, one: u32, other: u32) -> bool {
        let hears = |one: u32, other: u32| {
            let heard = self.nodes.get(&one).and_then(|node| node.hears.as_ref());
            heard.is_some_and(|heard| heard.contains(&other))
        };
        hears(one, other) && hears(other, one)
    }
}

#[cfg(test)]
mod tests {
    use proto::Version;

    use super::*;
    use crate::ClusterSpec;

    #[test]
    fn a_node_that_hears_nobody_is_no_member_and_loses_the_role() {
        let at = |millis: i64| Timestamp::from_millisecond(1_000_000 + millis).unwrap();
        let version = Version::new(7, 4, 2, 54);
        let mut model = Model::new(&ClusterSpec::modelled(3, version), "127.9.9", at(0));
        for uid in 1..=3 {
            model.services_up(uid, 100 + uid, version, at(0));
        }
        for (uid, heard) in [(1, vec![2, 3]), (2, vec![1, 3]), (3, vec![1, 2])] {
            model.hears(uid, heard.into_iter().collect(), at(10));
        }
        assert!(model.nodes.values().all(super::super::Node::is_member));
        // The others hear it still: one direction is not enough.
        model.hears(1, BTreeSet::new(), at(20));
        assert_eq!(model.nodes[&1].cut_off, Some(at(20)));
        model.elect(at(900));
        assert_eq!(model.master, Some(2));
        model.hears(1, [2].into(), at(1000));
        assert!(model.nodes[&1].is_member(), "two of three are the majority");
    }
}
