//! Any cluster view.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{node_uid, text, texts, version};
use crate::*;

fn health() -> impl Strategy<Value = Health> {
    prop_oneof![
        Just(Health::Ok),
        text().prop_map(Health::OkWith),
        text().prop_map(Health::NotOk),
        Just(Health::NotShown)
    ]
}

pub(crate) fn node_role() -> impl Strategy<Value = NodeRole> {
    prop_oneof![Just(NodeRole::Master), Just(NodeRole::Replica)]
}

fn shard_role() -> impl Strategy<Value = ShardRole> {
    prop_oneof![Just(ShardRole::Primary), Just(ShardRole::Replica)]
}

prop_compose! {
    fn node_row()(
        uid in node_uid(), role in option::of(node_role()), address in text(), hostname in text(),
        shards in any::<Option<u32>>(), max_shards in any::<Option<u32>>(), version in option::of(version()),
        status in health(),
    ) -> NodeRow {
        NodeRow { uid, role, address, hostname, shards, max_shards, version, status }
    }
}

prop_compose! {
    fn database_row()(
        uid in any::<u32>(), name in text(), status in health(), replicated in any::<Option<bool>>(),
        exec_state in option::of(text()), redis_version in option::of(text()), endpoints in texts(),
    ) -> DatabaseRow {
        DatabaseRow { uid, name, status, replicated, exec_state, redis_version, endpoints }
    }
}

prop_compose! {
    fn endpoint_row()(
        id in text(), database in any::<u32>(), node in node_uid(), watchdog in health(),
    ) -> EndpointRow {
        EndpointRow { id, database, node, watchdog }
    }
}

prop_compose! {
    fn shard_row()(
        id in text(), database in any::<u32>(), node in node_uid(), role in option::of(shard_role()), slots in text(),
        status in health(), watchdog in health(),
    ) -> ShardRow {
        ShardRow { id, database, node, role, slots, status, watchdog }
    }
}

prop_compose! {
    pub(crate) fn cluster_view()(
        health in health(), master in option::of(node_uid()), local in node_uid(), nodes in vec(node_row(), 0..3),
        databases in vec(database_row(), 0..3), endpoints in vec(endpoint_row(), 0..3),
        shards in vec(shard_row(), 0..3), remarks in texts(),
    ) -> ClusterView {
        ClusterView { health, master, local, nodes, databases, endpoints, shards, remarks }
    }
}
