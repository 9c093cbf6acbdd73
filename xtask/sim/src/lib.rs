//! A simulated Redis Enterprise cluster for tests and demonstrations: the vendor's tools, packages and installer, real
//! `redis-server` shards, one linearizable model of roles, versions and health, and faults by script.
//!
//! Built from public facts about the product ("fact sheet §n"). It states assumptions about the product, not knowledge: where
//! the sources are silent, the strictest plausible behaviour was taken.

mod binary;
mod cluster;
mod engine;
pub mod facts;
pub mod fault;
mod meter;
pub mod model;
mod package;
mod pki;
pub mod programs;
mod redis_shard;
mod roots;
mod spec;
pub mod tools;
pub mod wire;

pub use binary::{BinaryError, built_binary, tool_binary};
pub use cluster::{Cluster, ClusterError, Machines, ask};
pub use meter::{DatabaseReport, Gap, Meter, MeterReport};
pub use package::{PackageError, PackageSpec, build_package};
pub use pki::{Pki, PkiError, Sides};
pub use spec::{ClusterSpec, DatabaseSpec, MAX_NODES, Module, ShardMode, Timing, UsedModule};
