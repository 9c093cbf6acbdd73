//! Named facts: what a condition may ask for. One function each, and one line in [`ALL`].
//!
//! A fact that cannot be had is an error that says why; none maps what is missing to a value.

mod cluster;
mod database;
mod ldap;
mod modules;
mod node;

use super::place::Place;
use super::value::{Kind, Value};

/// A fact that a condition may ask for.
#[derive(Clone, Copy, Debug)]
pub struct NamedFact {
    /// The word conditions use.
    pub id: &'static str,
    /// What it is told of.
    pub scope: Scope,
    /// What its value is.
    pub kind: Kind,
    /// What it says, for people who write advisories.
    pub title: &'static str,
    derive: fn(&Place<'_>) -> Result<Value, String>,
}

/// What a fact is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The cluster, from any agent that knows.
    Cluster,
    /// Each node that a hop would change.
    Node,
    /// Each database.
    Database,
}

/// All named facts.
pub const ALL: &[NamedFact] = &[
    named("method", Scope::Cluster, Kind::Text, "how nodes are upgraded: always `in-place`", cluster::method),
    named("nodes", Scope::Cluster, Kind::Number, "how many nodes the cluster has", cluster::nodes),
    named(
        "modules",
        Scope::Cluster,
        Kind::Set,
        "kinds of modules the cluster holds; `custom` for others",
        modules::held,
    ),
    named(
        "active-active",
        Scope::Cluster,
        Kind::Flag,
        "whether there is an Active-Active database",
        cluster::active_active,
    ),
    named(
        "active-active.protocol",
        Scope::Cluster,
        Kind::Number,
        "the lowest CRDT protocol",
        cluster::protocol,
    ),
    named(
        "active-active.featureset",
        Scope::Cluster,
        Kind::Number,
        "the lowest feature set",
        cluster::featureset,
    ),
    named(
        "parallel-shards-upgrade",
        Scope::Cluster,
        Kind::Number,
        "the policy of that name",
        cluster::parallel_shards,
    ),
    named(
        "automatic-node-offload",
        Scope::Cluster,
        Kind::Flag,
        "the policy of that name",
        cluster::node_offload,
    ),
    named(
        "tls.lowest",
        Scope::Cluster,
        Kind::Dotted,
        "the lowest TLS version that is let in",
        cluster::lowest_tls,
    ),
    named(
        "ciphers.old",
        Scope::Cluster,
        Kind::Flag,
        "whether RC4 or 3DES is let in by name",
        cluster::old_ciphers,
    ),
    named(
        "ldap",
        Scope::Cluster,
        Kind::Flag,
        "whether LDAP is used for the cluster or databases",
        ldap::used,
    ),
    named(
        "ldap.active-directory",
        Scope::Cluster,
        Kind::Flag,
        "whether that is an Active Directory",
        ldap::active_directory,
    ),
    named(
        "ldap.filter-without-parentheses",
        Scope::Cluster,
        Kind::Flag,
        "whether a filter lacks them",
        ldap::bare_filter,
    ),
    named("ldap.or-filter", Scope::Cluster, Kind::Flag, "whether a filter has an OR in it", ldap::or_filter),
    named(
        "ldap.client-certificate",
        Scope::Node,
        Kind::Flag,
        "whether there is an LDAP client certificate",
        ldap::client_certificate,
    ),
    named(
        "os",
        Scope::Node,
        Kind::Text,
        "the token of packages, such as `rhel9`; else the system's name",
        node::os,
    ),
    named("os-id", Scope::Node, Kind::Text, "`ID` of `os-release`, such as `rocky`", node::os_id),
    named("arch", Scope::Node, Kind::Text, "`amd64` or `arm64`", node::arch),
    named("openssl", Scope::Node, Kind::Dotted, "the version of OpenSSL", node::openssl),
    named("memory", Scope::Node, Kind::Number, "memory in bytes", node::memory),
    named("fips", Scope::Node, Kind::Flag, "whether the kernel runs in FIPS mode", node::fips),
    named(
        "custom-directories",
        Scope::Node,
        Kind::Flag,
        "whether it is installed elsewhere than usual",
        node::custom_directories,
    ),
    named(
        "circular-links",
        Scope::Node,
        Kind::Flag,
        "whether a symbolic link of the product leads back to itself",
        node::circular_links,
    ),
    named(
        "proxy-certificate-comments",
        Scope::Node,
        Kind::Flag,
        "whether the proxy's certificate has text around it",
        node::proxy_comments,
    ),
    named(
        "services-down",
        Scope::Node,
        Kind::Set,
        "the product's services that failed to run",
        node::services_down,
    ),
    named(
        "install-args",
        Scope::Node,
        Kind::Set,
        "the arguments that `install.sh` is given",
        node::install_args,
    ),
    named("database.redis", Scope::Database, Kind::Dotted, "its Redis version", database::redis),
    named("database.modules", Scope::Database, Kind::Set, "kinds of modules it uses", modules::of_database),
    named(
        "database.active-active",
        Scope::Database,
        Kind::Flag,
        "whether it is Active-Active",
        database::active_active,
    ),
    named(
        "database.auto-tiering",
        Scope::Database,
        Kind::Flag,
        "whether it keeps data on flash",
        database::auto_tiering,
    ),
    named(
        "database.auto-upgrade",
        Scope::Database,
        Kind::Flag,
        "whether it is upgraded by itself after the cluster",
        database::auto_upgrade,
    ),
    named(
        "database.replication",
        Scope::Database,
        Kind::Flag,
        "whether it has replicas",
        database::replication,
    ),
];

const fn named(
    id: &'static str,
    scope: Scope,
    kind: Kind,
    title: &'static str,
    derive: fn(&Place<'_>) -> Result<Value, String>,
) -> NamedFact {
    NamedFact { id, scope, kind, title, derive }
}

/// The fact of this name.
pub fn find(id: &str) -> Option<&'static NamedFact> {
    ALL.iter().find(|fact| fact.id == id)
}

impl NamedFact {
    /// Its value in a place, or why it is not known; `None` for a fact of databases where there are none.
    pub(super) fn look_up(&self, place: &Place<'_>) -> Result<Option<Value>, String> {
        let of_nothing = place.database == Some(super::place::Database::None);
        if self.scope == Scope::Database && of_nothing {
            return Ok(None);
        }
        (self.derive)(place).map(Some)
    }
}

/// A flag as the product's interfaces write it.
fn flag(text: &str) -> Result<bool, String> {
    match text {
        "true" | "enabled" | "yes" => Ok(true),
        "false" | "disabled" | "no" => Ok(false),
        other => Err(format!("`{other}` is neither yes nor no")),
    }
}

/// A number as the product's interfaces write it.
fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}
