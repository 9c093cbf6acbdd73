//! The watchdog of real shards, and their change of roles.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::RedisResult;
use redis::aio::MultiplexedConnection;

use super::Engine;
use crate::model::{Promotion, Role, Shard, ShardState};
use crate::redis_shard::{self, ShardInfo};
use crate::spec::ShardMode;

/// A replica that has once been in sync stays so while it is no more than this many bytes behind.
const TOLERATED_LAG: u64 = 1 << 20;
/// How long a planned takeover waits for equal offsets before it gives up and leaves everything as it was.
const TAKEOVER_PATIENCE: Duration = Duration::from_secs(3);

/// Open connections by shard and process, so that a restarted process gets a new one.
pub(super) type Connections = BTreeMap<(u32, Option<u32>), MultiplexedConnection>;

impl Engine {
    /// Looks at every real shard once: primaries first, so that a replica is compared with an offset read before its own.
    pub(super) async fn poll_shards(&self, connections: &mut Connections) {
        let mut shards: Vec<Shard> = self.read(|model| {
            if model.mode == ShardMode::Redis { model.shards.values().cloned().collect() } else { Vec::new() }
        });
        shards.sort_by_key(|shard| shard.role == Role::Replica);
        connections.retain(|key, _| shards.iter().any(|shard| (shard.id, shard.pid) == *key));
        let mut offsets: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for shard in &shards {
            let info = self.ask(shard, connections).await;
            if let (Some(info), Role::Primary) = (info, shard.role) {
                offsets.insert((shard.db, shard.group), info.offset);
            }
            let state = judge(shard, info, offsets.get(&(shard.db, shard.group)).copied());
            self.note_state(shard, state);
        }
    }

    async fn ask(&self, shard: &Shard, connections: &mut Connections) -> Option<ShardInfo> {
        shard.pid?;
        let key = (shard.id, shard.pid);
        let mut connection = match connections.remove(&key) {
            Some(connection) => connection,
            None => self.connect(shard.id).await.ok()?,
        };
        // A connection that failed is not kept: the next look opens another.
        let info = redis_shard::info(&mut connection).await.ok()?;
        connections.insert(key, connection);
        Some(info)
    }

    /// Only a verdict about the process and role that were looked at counts; a newer one is looked at next time.
    fn note_state(&self, seen: &Shard, state: ShardState) {
        if seen.state == state && state != ShardState::Syncing {
            return;
        }
        self.change(|model, now| {
            let up = model.nodes.get(&seen.node).is_some_and(crate::model::Node::is_up);
            let same = |shard: &Shard| (shard.pid, shard.role) == (seen.pid, seen.role);
            if up && model.shards.get(&seen.id).is_some_and(same) {
                model.observe_shard(seen.id, state, now);
            }
        });
    }

    async fn connect(&self, id: u32) -> RedisResult<MultiplexedConnection> {
        let (address, port) = self.read(|model| {
            let place =
                model.shards.get(&id).and_then(|shard| Some((model.nodes.get(&shard.node)?, shard.port)));
            place.map(|(node, port)| (node.address.clone(), port)).unwrap_or_default()
        });
        redis_shard::connect(&address, port).await
    }

    /// Promotes a replica whose primary is gone.
    pub(super) async fn fail_over(&self, promotion: Promotion) {
        let _roles = self.roles.lock().await;
        if self.read(|model| model.mode) == ShardMode::Redis {
            let promoted =
                async { redis_shard::replica_of(&mut self.connect(promotion.to).await?, None).await };
            if promoted.await.is_err() {
                return;
            }
        }
        self.change(|model, now| model.promote(promotion, now));
    }

    /// Moves all primaries away from a node that is about to stop, where a replica is in sync.
    pub(super) async fn take_over_from(&self, uid: u32) {
        for promotion in self.read(|model| model.planned_takeovers(uid)) {
            let _roles = self.roles.lock().await;
            if self.read(|model| model.mode) == ShardMode::Redis
                && let Err(error) = self.hand_over(promotion).await
            {
                tracing::warn!(?promotion, %error, "the planned takeover failed; the primary stops as it is");
                continue;
            }
            self.change(|model, now| model.promote(promotion, now));
        }
    }

    /// Pause writes, wait for equal offsets, promote, follow: no acknowledged write is missing on the new primary.
    async fn hand_over(&self, promotion: Promotion) -> RedisResult<()> {
        let (mut old, mut new) = (self.connect(promotion.from).await?, self.connect(promotion.to).await?);
        redis_shard::pause_writes(&mut old, true).await?;
        let in_step = tokio::time::timeout(TAKEOVER_PATIENCE, in_step(&mut old, &mut new)).await;
        let result = match in_step {
            Ok(Ok(())) => self.swap(promotion, &mut old, &mut new).await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err((redis::ErrorKind::Io, "the replica did not catch up in time").into()),
        };
        // A pause that cannot be lifted ends by itself, and the process is about to stop anyway.
        let _ = redis_shard::pause_writes(&mut old, false).await;
        result
    }

    async fn swap(
        &self,
        promotion: Promotion,
        old: &mut MultiplexedConnection,
        new: &mut MultiplexedConnection,
    ) -> RedisResult<()> {
        redis_shard::replica_of(new, None).await?;
        let place = self.read(|model| {
            let shard = model.shards.get(&promotion.to)?;
            Some((model.nodes.get(&shard.node)?.address.clone(), shard.port))
        });
        match place {
            Some((address, port)) => redis_shard::replica_of(old, Some((&address, port))).await,
            None => Ok(()),
        }
    }
}

async fn in_step(old: &mut MultiplexedConnection, new: &mut MultiplexedConnection) -> RedisResult<()> {
    loop {
        let wanted = redis_shard::info(old).await?.offset;
        let reached = redis_shard::info(new).await?;
        if reached.link_up && reached.offset >= wanted {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A shard's state from what it said; silence of a process that runs is `Loading`, of one that does not, `Down`.
fn judge(shard: &Shard, info: Option<ShardInfo>, primary_offset: Option<u64>) -> ShardState {
    let Some(info) = info else {
        let gone =
            shard.state == ShardState::Ok || (shard.pid.is_none() && shard.state != ShardState::Loading);
        return if gone { ShardState::Down } else { shard.state };
    };
    let in_sync = |offset: u64| {
        let lag = offset.saturating_sub(info.offset);
        lag == 0 || (shard.state == ShardState::Ok && lag <= TOLERATED_LAG)
    };
    match shard.role {
        _ if info.loading => ShardState::Loading,
        Role::Primary if info.is_replica => ShardState::Syncing,
        Role::Primary => ShardState::Ok,
        Role::Replica if info.is_replica && info.link_up && primary_offset.is_some_and(in_sync) => {
            ShardState::Ok
        }
        Role::Replica => ShardState::Syncing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(state: ShardState) -> Shard {
        let (role, port, pid) = (Role::Replica, 1, Some(1));
        Shard {
            id: 1,
            db: 1,
            group: 0,
            node: 1,
            role,
            state,
            port,
            pid,
            in_sync: false,
            ready_at: None,
            down_since: None,
        }
    }

    #[test]
    fn a_link_that_is_up_is_not_enough_to_be_in_sync() {
        let info = ShardInfo { loading: false, is_replica: true, link_up: true, offset: 100 };
        assert_eq!(judge(&replica(ShardState::Syncing), Some(info), Some(101)), ShardState::Syncing);
        assert_eq!(judge(&replica(ShardState::Syncing), Some(info), Some(100)), ShardState::Ok);
        assert_eq!(judge(&replica(ShardState::Ok), Some(info), Some(101)), ShardState::Ok);
        assert_eq!(judge(&replica(ShardState::Ok), Some(info), None), ShardState::Syncing);
        let cut = ShardInfo { link_up: false, ..info };
        assert_eq!(judge(&replica(ShardState::Ok), Some(cut), Some(100)), ShardState::Syncing);
    }

    #[test]
    fn silence_is_never_ok() {
        assert_eq!(judge(&replica(ShardState::Ok), None, Some(1)), ShardState::Down);
        assert_eq!(judge(&replica(ShardState::Loading), None, Some(1)), ShardState::Loading);
    }
}
