//! Whose turn it is.

use std::collections::BTreeSet;

use proto::NodeUid;

/// The node to upgrade next: the master as observed now if it is not done, else the lowest uid (promise P2); `None` when
/// all are done.
///
/// "Upgrade the primary node first" (fact sheet §6.1). A master that moved to a node not yet done goes next rather than
/// being moved back, because moving it between versions is where the vendor's known faults are.
pub fn next_turn(not_done: &BTreeSet<NodeUid>, master: NodeUid) -> Option<NodeUid> {
    not_done.get(&master).or_else(|| not_done.first()).copied()
}

/// The whole order, as long as the master role moves to no node that is not done.
pub(super) fn expected_order(mut not_done: BTreeSet<NodeUid>, master: NodeUid) -> Vec<NodeUid> {
    let mut order = Vec::with_capacity(not_done.len());
    while let Some(node) = next_turn(&not_done, master) {
        not_done.remove(&node);
        order.push(node);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uids(uids: &[u32]) -> BTreeSet<NodeUid> {
        uids.iter().copied().map(NodeUid).collect()
    }

    #[test]
    fn the_master_goes_first_then_the_lowest_uid() {
        assert_eq!(next_turn(&uids(&[1, 2, 3]), NodeUid(2)), Some(NodeUid(2)));
        assert_eq!(next_turn(&uids(&[1, 3]), NodeUid(2)), Some(NodeUid(1)));
        assert_eq!(next_turn(&uids(&[]), NodeUid(2)), None);
        assert_eq!(expected_order(uids(&[1, 2, 10, 3]), NodeUid(3)), [3, 1, 2, 10].map(NodeUid));
    }

    #[test]
    fn a_master_that_moves_to_a_node_not_done_is_next() {
        let mut not_done = uids(&[1, 2, 3]);
        let mut order = Vec::new();
        for master in [1, 3, 3] {
            let node = next_turn(&not_done, NodeUid(master)).unwrap();
            not_done.remove(&node);
            order.push(node.0);
        }
        assert_eq!(order, [1, 3, 2]);
    }
}
