//! Where shards live, their state, and which replica takes over.

use jiff::{SignedDuration, Timestamp};

use super::nodes::millis_between;
use super::{Database, Happened, Model, Node, Role, Shard, ShardState, settings};
use crate::fault::ShardHold;
use crate::spec::{ClusterSpec, ShardMode};

/// Shards listen below the ports that the kernel gives to outgoing connections, each on its node's own address.
const FIRST_PORT: u16 = 20_000;

/// A replica that is to become primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The shard that was primary.
    pub from: u32,
    /// The shard that is to be.
    pub to: u32,
}

impl Model {
    /// Spreads primaries round the nodes, each replica on the node after its primary's.
    pub(super) fn lay_out_databases(&mut self, spec: &ClusterSpec, now: Timestamp) {
        let mut turn = 0;
        for (id, database) in (1..).zip(&spec.databases) {
            let replication = database.replication && spec.nodes > 1;
            for group in 0..database.shards {
                let primary = turn % spec.nodes + 1;
                self.add_shard(id, group, primary, Role::Primary, now);
                if replication {
                    self.add_shard(id, group, primary % spec.nodes + 1, Role::Replica, now);
                }
                turn += 1;
            }
            let database = Database {
                id,
                name: database.name.clone(),
                replication,
                persistence: database.persistence,
                port: u16::try_from(12_000 + id).unwrap_or(u16::MAX),
                redis_version: crate::facts::default_database(spec.version),
                groups: database.shards,
                modules: database.modules.clone(),
                config: settings::of_database(database),
            };
            self.databases.insert(id, database);
        }
    }

    fn add_shard(&mut self, db: u32, group: u32, node: u32, role: Role, now: Timestamp) {
        let id = self.shards.last_key_value().map_or(1, |(last, _)| last + 1);
        let (state, down_since) = (ShardState::Down, Some(now));
        let port =
            if self.mode == ShardMode::Redis { FIRST_PORT + u16::try_from(id).unwrap_or(0) } else { 0 };
        self.shards.insert(
            id,
            Shard {
                id,
                db,
                group,
                node,
                role,
                state,
                port,
                pid: None,
                in_sync: false,
                ready_at: None,
                down_since,
            },
        );
    }

    /// Shards of a node that is back: they load first, whether real or modelled.
    pub(super) fn shards_return(&mut self, uid: u32, now: Timestamp) {
        let load = SignedDuration::try_from(self.timing.load).unwrap_or(SignedDuration::ZERO);
        for shard in self.shards.values_mut().filter(|shard| shard.node == uid) {
            shard.set_state(ShardState::Loading, now);
            shard.ready_at = now.checked_add(load).ok();
        }
    }

    /// Shards of a node that went away: their processes went with it.
    pub(super) fn shards_leave(&mut self, uid: u32, now: Timestamp) {
        for shard in self.shards.values_mut().filter(|shard| shard.node == uid) {
            shard.set_state(ShardState::Down, now);
            shard.pid = None;
        }
    }

    /// Lets modelled shards finish loading: a replica syncs only from a primary that is fine.
    pub fn advance_modelled(&mut self, now: Timestamp) {
        if self.mode != ShardMode::Modelled {
            return;
        }
        for id in self.shards.keys().copied().collect::<Vec<_>>() {
            let Some(shard) = self.shards.get(&id) else { continue };
            let loaded = shard.ready_at.is_some_and(|ready| ready <= now);
            let hold = self.nodes.get(&shard.node).and_then(|node| node.hold);
            let next = match (self.node_is_up(shard.node), hold) {
                (false, _) | (true, Some(ShardHold::Down)) => ShardState::Down,
                _ if !loaded => ShardState::Loading,
                _ if shard.role == Role::Replica && !self.primary_is_ok(shard) => ShardState::Syncing,
                _ => ShardState::Ok,
            };
            self.observe_shard(id, next, now);
        }
    }

    /// Takes over what was seen of a shard. A replica counts as out of sync only when it was seen behind a living primary
    /// twice in a row: the first time the primary may just have died.
    pub fn observe_shard(&mut self, id: u32, state: ShardState, now: Timestamp) {
        let behind = self.shards.get(&id).is_some_and(|shard| {
            (shard.state, state) == (ShardState::Syncing, ShardState::Syncing) && self.primary_is_ok(shard)
        });
        if let Some(shard) = self.shards.get_mut(&id) {
            shard.set_state(state, now);
            shard.in_sync &= !behind;
        }
    }

    fn node_is_up(&self, uid: u32) -> bool {
        self.nodes.get(&uid).is_some_and(Node::is_member)
    }

    fn primary_is_ok(&self, replica: &Shard) -> bool {
        self.primary_of(replica.db, replica.group).is_some_and(|shard| shard.state == ShardState::Ok)
    }

    /// The primary of a part of a database.
    pub fn primary_of(&self, db: u32, group: u32) -> Option<&Shard> {
        self.shards
            .values()
            .find(|shard| shard.db == db && shard.group == group && shard.role == Role::Primary)
    }

    /// Replicas to promote because their primary has been gone for longer than the fail-over delay. A replica that is not
    /// in sync is not promoted: its database waits for the primary.
    pub fn due_promotions(&self, now: Timestamp) -> Vec<Promotion> {
        let overdue = |shard: &&Shard| {
            shard.role == Role::Primary
                && shard
                    .down_since
                    .is_some_and(|since| millis_between(since, now) >= self.timing.failover.as_millis())
        };
        self.shards.values().filter(overdue).filter_map(|primary| self.successor(primary)).collect()
    }

    /// The planned takeovers that make a node free of primaries before it stops politely.
    pub fn planned_takeovers(&self, uid: u32) -> Vec<Promotion> {
        let leaving = |shard: &&Shard| shard.node == uid && shard.role == Role::Primary;
        self.shards.values().filter(leaving).filter_map(|primary| self.successor(primary)).collect()
    }

    fn successor(&self, primary: &Shard) -> Option<Promotion> {
        let fits = |shard: &&Shard| {
            (shard.db, shard.group, shard.role) == (primary.db, primary.group, Role::Replica)
                && shard.in_sync
                && self.nodes.get(&shard.node).is_some_and(|node| node.hold.is_none())
        };
        self.shards.values().find(fits).map(|replica| Promotion { from: primary.id, to: replica.id })
    }

    /// Swaps the roles and thereby publishes the new endpoint.
    pub fn promote(&mut self, promotion: Promotion, now: Timestamp) {
        if let Some(old) = self.shards.get_mut(&promotion.from) {
            old.role = Role::Replica;
        }
        if let Some(new) = self.shards.get_mut(&promotion.to) {
            new.role = Role::Primary;
            let what = Happened::Promoted { db: new.db, shard: new.id, node: new.node };
            self.note(now, what);
        }
    }

    /// A shard's state as the cluster shows it: what is known of its process, unless a fault holds it.
    pub fn shard_state(&self, shard: &Shard) -> ShardState {
        if shard.state == ShardState::Down {
            return ShardState::Down;
        }
        match self.nodes.get(&shard.node).and_then(|node| node.hold) {
            Some(ShardHold::Down) => ShardState::Down,
            Some(ShardHold::Loading) => ShardState::Loading,
            Some(ShardHold::Syncing) => ShardState::Syncing,
            None => shard.state,
        }
    }

    /// Whether every node is up and every shard fine.
    pub fn is_settled(&self) -> bool {
        self.nodes.values().all(Node::is_member)
            && self.shards.values().all(|shard| self.shard_state(shard) == ShardState::Ok)
    }
}

impl Shard {
    /// Sets the state and what follows from it: since when the shard is down, and whether it has everything.
    pub fn set_state(&mut self, state: ShardState, now: Timestamp) {
        self.state = state;
        self.in_sync = match state {
            ShardState::Ok => true,
            ShardState::Syncing => self.in_sync,
            ShardState::Loading | ShardState::Down => false,
        };
        self.down_since = match state {
            ShardState::Down => self.down_since.or(Some(now)),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use proto::Version;

    use super::*;
    use crate::DatabaseSpec;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + millis).unwrap()
    }

    fn settled(databases: Vec<DatabaseSpec>) -> Model {
        let version = Version::new(7, 4, 2, 54);
        let spec = ClusterSpec { databases, ..ClusterSpec::modelled(3, version) };
        let mut model = Model::new(&spec, "127.9.9", at(0));
        for uid in 1..=3 {
            model.services_up(uid, 100 + uid, version, at(0));
        }
        model.advance_modelled(at(1000));
        model.advance_modelled(at(1000));
        assert!(model.is_settled());
        model
    }

    #[test]
    fn a_replica_takes_over_and_the_old_primary_returns_as_replica() {
        let mut model = settled(vec![DatabaseSpec::replicated("a")]);
        model.services_down(1, at(2000));
        model.advance_modelled(at(2000));
        assert!(model.due_promotions(at(2299)).is_empty());
        let due = model.due_promotions(at(2300));
        assert_eq!(due, [Promotion { from: 1, to: 2 }]);
        model.promote(due[0], at(2300));
        model.services_up(1, 9, Version::new(7, 4, 6, 22), at(3000));
        assert_eq!(model.shards[&1].role, Role::Replica);
        assert_eq!(model.shard_state(&model.shards[&1]), ShardState::Loading);
        model.advance_modelled(at(4000));
        model.advance_modelled(at(4000));
        assert!(model.is_settled());
    }

    #[test]
    fn without_a_replica_in_sync_nothing_is_promoted() {
        let mut model = settled(vec![DatabaseSpec::single("a"), DatabaseSpec::replicated("b")]);
        let replica =
            model.shards.values().find(|shard| shard.db == 2 && shard.role == Role::Replica).unwrap();
        let holder = replica.node;
        model.nodes.get_mut(&holder).unwrap().hold = Some(ShardHold::Syncing);
        for uid in [1, 2] {
            model.services_down(uid, at(2000));
        }
        assert!(model.due_promotions(at(9000)).is_empty());
    }
}
