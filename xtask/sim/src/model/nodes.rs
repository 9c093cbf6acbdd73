//! Nodes coming and going, and who is master.

use jiff::Timestamp;
use proto::Version;

use super::{Happened, Model, Node, Services};

impl Model {
    /// A node's services run and say which version they are. A returning node is a slave unless the role is still its own.
    pub fn services_up(&mut self, uid: u32, pid: u32, version: Version, now: Timestamp) {
        let Some(node) = self.nodes.get_mut(&uid) else { return };
        node.services = Services::Up { pid, since: now };
        node.version = version;
        node.stopped.clear();
        self.note(now, Happened::ServicesUp { uid, version });
        self.shards_return(uid, now);
    }

    /// A node's services ended.
    pub fn services_down(&mut self, uid: u32, now: Timestamp) {
        let Some(node) = self.nodes.get_mut(&uid) else { return };
        if !node.is_up() {
            return;
        }
        node.services = Services::Down { since: now };
        node.hears = None;
        node.cut_off = None;
        self.note(now, Happened::ServicesDown { uid });
        self.shards_leave(uid, now);
    }

    /// Elects another master once the loss of the present one has been detected: the node a fault names, else the lowest
    /// uid that is up; none without a majority of nodes.
    pub fn elect(&mut self, now: Timestamp) {
        if self.master.is_some_and(|uid| !self.is_detected_down(uid, now)) {
            return;
        }
        let up = |uid: &u32| self.nodes.get(uid).is_some_and(Node::is_member);
        let has_quorum = self.nodes.keys().filter(|uid| up(uid)).count() * 2 > self.nodes.len();
        let lowest = self.nodes.keys().copied().find(|uid| up(uid));
        let elected = self.script.elected().filter(|uid| up(uid)).or(lowest).filter(|_| has_quorum);
        if elected != self.master {
            self.set_master(elected, now);
        }
    }

    /// Moves the master role.
    pub fn set_master(&mut self, to: Option<u32>, now: Timestamp) {
        self.master = to;
        if let Some(uid) = to {
            self.note(now, Happened::Master { uid });
        }
    }

    /// Whether the rest of the cluster shows this node as down: the loss is noticed only after the detection delay.
    pub fn is_detected_down(&self, uid: u32, now: Timestamp) -> bool {
        self.down_for(uid, now).is_some_and(|millis| millis >= self.timing.detect.as_millis())
    }

    /// How long a node's services have been gone or cut off, in milliseconds.
    pub fn down_for(&self, uid: u32, now: Timestamp) -> Option<u128> {
        let node = self.nodes.get(&uid)?;
        let since = match node.services {
            Services::Up { .. } => node.cut_off?,
            Services::Down { since } => since,
        };
        Some(millis_between(since, now))
    }
}

/// Milliseconds from one moment to a later one; 0 if it is not later.
pub(crate) fn millis_between(from: Timestamp, to: Timestamp) -> u128 {
    u128::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClusterSpec;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).unwrap()
    }

    fn cluster(nodes: u32) -> Model {
        let version = Version::new(7, 4, 2, 54);
        let mut model = Model::new(&ClusterSpec::modelled(nodes, version), "127.9.9", at(0));
        for uid in 1..=nodes {
            model.services_up(uid, 100 + uid, version, at(0));
        }
        model
    }

    #[test]
    fn the_lowest_node_that_is_up_is_elected_after_the_detection_delay() {
        let mut model = cluster(3);
        model.services_down(1, at(0));
        model.elect(at(149));
        assert_eq!(model.master, Some(1));
        model.elect(at(150));
        assert_eq!(model.master, Some(2));
        model.services_up(1, 9, Version::new(7, 4, 6, 22), at(400));
        model.elect(at(900));
        assert_eq!(model.master, Some(2), "the returning node is a slave");
    }

    #[test]
    fn a_short_absence_keeps_the_role() {
        let mut model = cluster(3);
        model.services_down(1, at(0));
        model.services_up(1, 9, Version::new(7, 4, 2, 54), at(100));
        model.elect(at(900));
        assert_eq!(model.master, Some(1));
    }

    #[test]
    fn a_fault_chooses_the_elected_one_but_only_if_it_is_up() {
        let mut model = cluster(5);
        model.script.add(crate::fault::parse("on election: master to node 4").unwrap());
        model.services_down(1, at(0));
        model.elect(at(400));
        assert_eq!(model.master, Some(4));
        model.services_down(4, at(500));
        model.elect(at(900));
        assert_eq!(model.master, Some(2));
    }

    #[test]
    fn without_a_majority_nobody_is_elected() {
        let mut model = cluster(3);
        model.services_down(1, at(0));
        model.services_down(2, at(0));
        model.elect(at(400));
        assert_eq!(model.master, None);
        model.services_up(2, 9, Version::new(7, 4, 2, 54), at(500));
        model.elect(at(500));
        assert_eq!(model.master, Some(2));
    }
}
