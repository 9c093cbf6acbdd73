//! What `rladmin info` shows: settings of the cluster, of nodes and of databases, and somebody changing them.

use std::collections::BTreeMap;

use super::{Model, Node};
use crate::fault::Configured;
use crate::spec::DatabaseSpec;

/// A new cluster's, as the documentation's example shows them.
const CLUSTER: &[(&str, &str)] = &[
    ("acl_pubsub_default", "allchannels"),
    ("bigstore_driver", "speedb"),
    ("cm_port", "8443"),
    ("cm_session_timeout_minutes", "15"),
    ("cnm_http_port", "8080"),
    ("cnm_https_port", "9443"),
    ("data_internode_encryption", "disabled"),
    ("db_conns_auditing", "disabled"),
    ("default_concurrent_restore_actions", "10"),
    ("default_non_sharded_proxy_policy", "single"),
    ("default_sharded_proxy_policy", "single"),
    ("default_shards_placement", "dense"),
    ("endpoint_rebind_propagation_grace_time", "15"),
    ("failure_detection_sensitivity", "high"),
    ("handle_redirects", "disabled"),
    ("http support", "enabled"),
    ("login_lockout_threshold", "5"),
    ("max_simultaneous_backups", "4"),
    ("parallel_shards_upgrade", "0"),
    ("private key encryption", "disabled"),
    ("redis_migrate_node_threshold", "0KB (0 bytes)"),
    ("redis_upgrade_policy", "major"),
    ("repl_diskless", "yes"),
    ("reserved_ports", "[]"),
    ("resp3_default", "enabled"),
    ("shards_overbooking", "disabled"),
    ("show_internals", "disabled"),
    ("slave_ha", "enabled"),
    ("slave_ha_bdb_cooldown_period", "7200"),
    ("slave_ha_cooldown_period", "3600"),
    ("slave_ha_grace_period", "600"),
    ("slow_log_max_len", "1024"),
    ("watchdog profile", "local-network"),
];

/// A new node's.
const NODE: &[(&str, &str)] = &[
    ("external addresses", "N/A"),
    ("max listeners", "100"),
    ("max redis servers", "100"),
    ("rack ID", "N/A"),
    ("recovery path", "N/A"),
];

/// A new database's.
const DATABASE: &[(&str, &str)] = &[
    ("client_buffer_limits", "1GB (hard limit)/512MB (soft limit) in 30 seconds"),
    ("conns", "5"),
    ("conns_type", "per-thread"),
    ("data_internode_encryption", "disabled"),
    ("db_conns_auditing", "disabled"),
    ("dedicated_replicaof_threads", "5"),
    ("gradual_src_mode", "disabled"),
    ("gradual_sync_mode", "auto"),
    ("master_persistence", "disabled"),
    ("max_aof_file_size", "300GB"),
    ("max_aof_load_time", "3600 seconds"),
    ("max_client_pipeline", "200"),
    ("max_connections", "0"),
    ("max_shard_pipeline", "2000"),
    ("maxclients", "10000"),
    ("mkms", "enabled"),
    ("mtls_allow_outdated_certs", "disabled"),
    ("mtls_allow_weak_hashing", "disabled"),
    ("oss_cluster", "disabled"),
    ("oss_sharding", "disabled"),
    ("proxy_client_buffer_limits", "0KB (hard limit)/0KB (soft limit) in 0 seconds"),
    ("proxy_policy", "single"),
    ("pubsub_buffer_limits", "32MB (hard limit)/8MB (soft limit) in 60 seconds"),
    ("repl_backlog", "1.02MB (1073741 bytes)"),
    ("repl_diskless", "default"),
    ("repl_timeout", "360 seconds"),
    ("resp3", "enabled"),
    ("sched_policy", "cmp"),
    ("slave_buffer", "auto"),
    ("slave_ha", "disabled (database)"),
    ("syncer_mode", "centralized"),
];

pub(super) fn of_cluster() -> BTreeMap<String, String> {
    owned(CLUSTER)
}

pub(super) fn of_node() -> BTreeMap<String, String> {
    owned(NODE)
}

pub(super) fn of_database(spec: &DatabaseSpec) -> BTreeMap<String, String> {
    let mut settings = owned(DATABASE);
    settings.extend(spec.config.clone());
    settings
}

fn owned(settings: &[(&str, &str)]) -> BTreeMap<String, String> {
    settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Model {
    /// Changes a setting, or adds one; nothing happens if there is no such node or database.
    pub(super) fn configure(&mut self, of: Configured, node: Option<u32>, key: &str, value: &str) {
        let settings = match of {
            Configured::Cluster => Some(&mut self.config),
            Configured::Node(_) => node.and_then(|uid| self.nodes.get_mut(&uid)).map(|node| &mut node.config),
            Configured::Database(id) => self.databases.get_mut(&id).map(|database| &mut database.config),
        };
        if let Some(settings) = settings {
            settings.insert(key.to_owned(), value.to_owned());
        }
    }

    /// All that `rladmin info cluster` shows.
    pub fn cluster_settings(&self) -> BTreeMap<String, String> {
        let mode = if self.upgrade_mode { "enabled" } else { "disabled" };
        let mut settings = self.config.clone();
        settings.insert("upgrade mode".to_owned(), mode.to_owned());
        settings
    }
}

impl Node {
    /// Whether the node takes no shards: somebody made it so, or maintenance mode did.
    pub fn is_quorum_only(&self) -> bool {
        self.settings().get("quorum only").is_some_and(|word| word == "enabled")
    }

    /// All that `rladmin info node` shows; in maintenance mode a node is quorum-only unless somebody says otherwise.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = self.config.clone();
        settings.insert("address".to_owned(), self.address.clone());
        settings.entry("quorum only".to_owned()).or_insert_with(|| "disabled".to_owned());
        if self.maintenance > 0 {
            settings.insert("quorum only".to_owned(), "enabled".to_owned());
        }
        settings
    }
}
