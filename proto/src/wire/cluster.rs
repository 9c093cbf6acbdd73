//! The cluster as a node sees it.

use super::WireError;
use super::field::{Field, message, record, word};
use crate::{
    ClusterView, DatabaseRow, EndpointRow, Health, NodeRole, NodeRow, ShardRole, ShardRow, pb,
    pb::health::Kind,
};

impl Field<pb::Health> for Health {
    fn put(&self) -> pb::Health {
        let kind = match self {
            Self::Ok => Kind::Ok(()),
            Self::OkWith(remark) => Kind::OkWith(remark.clone()),
            Self::NotOk(text) => Kind::NotOk(text.clone()),
            Self::NotShown => Kind::NotShown(()),
        };
        pb::Health { kind: Some(kind) }
    }

    fn take(wire: pb::Health) -> Result<Self, WireError> {
        Ok(match wire.kind.ok_or_else(WireError::nothing_set)? {
            Kind::Ok(()) => Self::Ok,
            Kind::OkWith(remark) => Self::OkWith(remark),
            Kind::NotOk(text) => Self::NotOk(text),
            Kind::NotShown(()) => Self::NotShown,
        })
    }
}

message!(Health => Health);
word!(NodeRole { Master, Replica });
word!(ShardRole { Primary, Replica });

record!(ClusterView => ClusterView as "view" {
    health, master, local, nodes, databases, endpoints, shards, remarks
});
record!(NodeRow => NodeRow { uid, role, address, hostname, shards, max_shards, version, status });
record!(DatabaseRow => DatabaseRow { uid, name, status, replicated, exec_state, redis_version, endpoints });
record!(EndpointRow => EndpointRow { id, database, node, watchdog });
record!(ShardRow => ShardRow { id, database, node, role, slots, status, watchdog });
