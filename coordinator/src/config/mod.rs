//! `ratchet.toml`, read once at the start into values that need no further checking.
//!
//! Reading a configuration is text → value: it opens no other file, resolves no name and runs nothing.

mod agents;
mod catalogue;
mod deadlines;
mod enrolment;
mod error;
mod files;
mod hooks;
mod inventory;
mod metrics;
mod notify;
mod packages;
mod parse;
pub(crate) mod reader;
mod security;
mod settings;
mod watch;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use proto::transport::{Limits, Security};
use proto::{Arch, ClusterName, OsToken, OwnerKey, Setting, Sha256, Version};

pub use enrolment::EnrolmentConfig;
pub(crate) use enrolment::days as span_of_days;
pub use error::{ConfigError, Mistake};
pub use notify::{Format, NotifyConfig, Receiver, WebhookUrl};

use crate::run::Deadlines;

/// Where the configuration is looked for when nobody names a file.
pub const DEFAULT_PATH: &str = "/etc/ratchet/ratchet.toml";

/// Where runs and the catalogue are kept when the configuration names no store.
pub const DEFAULT_STORE: &str = "sqlite:///var/lib/ratchet/ratchet.db";

/// Where `ratchet serve` listens when the configuration says nothing: this machine only.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7444);

/// How often a run looks at the whole cluster while it waits, when the configuration says nothing: often enough to see a
/// failing node before the next one is touched, seldom enough not to burden the product's management.
pub const DEFAULT_WATCH: Duration = Duration::from_secs(10);

/// How long one hook may take when the configuration says nothing.
pub const DEFAULT_HOOK_DEADLINE: Duration = Duration::from_secs(60);

/// The coordinator's configuration (design §7).
#[derive(Clone, Debug)]
pub struct Config {
    /// Where runs and the catalogue are kept: `sqlite:///…`.
    pub store: StoreLocation,
    /// How agents and coordinators are talked to.
    pub security: Security,
    /// How much anybody may ask of the port of `ratchet serve`.
    pub limits: Limits,
    /// Where `ratchet serve` listens; [`DEFAULT_LISTEN`] if `None`.
    pub listen: Option<SocketAddr>,
    /// Where other coordinators and command lines reach `ratchet serve`; the address it listens on if `None`.
    pub advertise: Option<String>,
    /// How often the whole fleet is looked at in the background.
    pub inventory: InventoryConfig,
    /// The fleet.
    pub clusters: Vec<ClusterConfig>,
    /// The fleet owner's signed catalogue; none if `None`.
    pub catalogue: Option<CatalogueConfig>,
    /// Packages named by the operator.
    pub packages: Vec<PackageConfig>,
    /// How long a run waits, and for what.
    pub deadlines: Deadlines,
    /// How often a run looks at the whole cluster while it waits.
    pub watch_every: Duration,
    /// What settings of the product are to be while a run is under way; one that is not here is left as it is.
    pub settings: BTreeMap<Setting, u64>,
    /// A newer table of upgrade paths than the built-in one.
    pub paths: Option<PathBuf>,
    /// The operator's own advisories, added to the built-in ones.
    pub advisories: Option<PathBuf>,
    /// The operator's own programs at fixed points of an upgrade; none if `None`.
    pub hooks: Option<HooksConfig>,
    /// Where metrics are told; nowhere if `None`.
    pub metrics: Option<SocketAddr>,
    /// The authority that this coordinator signs certificates of nodes with; none if `None`.
    pub enrolment: Option<EnrolmentConfig>,
    /// Who is told of news.
    pub notify: Vec<NotifyConfig>,
}

/// How often the whole fleet is looked at in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryConfig {
    /// Between two looks at a cluster that has changed, is not healthy or has a run.
    pub fast: Duration,
    /// Between two looks at a quiet one; at one that is quiet for long, up to five times this.
    pub every: Duration,
    /// How many clusters are looked at at once.
    pub at_once: usize,
}

impl Default for InventoryConfig {
    /// A minute is soon enough to see a failing cluster before a rollout gets there; 64 at once is a fleet of thousands
    /// within a minute.
    fn default() -> Self {
        Self { fast: Duration::from_secs(10), every: Duration::from_secs(60), at_once: 64 }
    }
}

/// Where a store is. A password may be part of it, so it is told without one.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreLocation(pub String);

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::store::shown(&self.0))
    }
}

/// Where the fleet owner's signed catalogue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueConfig {
    /// The catalogue; its signature is beside it, with `.minisig` after its name.
    pub file: PathBuf,
    /// Keys it is verified with here already. The nodes have their own, and theirs decide.
    pub keys: Vec<OwnerKey>,
}

/// Where hooks are, and how long one may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksConfig {
    /// The directory with one directory for each point.
    pub directory: PathBuf,
    /// How long one hook may take.
    pub deadline: Duration,
}

/// A cluster of the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// Its name, for people and commands.
    pub name: ClusterName,
    /// Its agents, `host:port`, one for each node; of one that connects by itself, `@name`.
    pub agents: Vec<String>,
    /// What rollouts select it by.
    pub labels: BTreeMap<String, String>,
    /// Names of agents that connect by themselves and belong to it, with `*` and `?`.
    pub connecting: Vec<String>,
}

/// A package that the operator vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageConfig {
    /// Where nodes fetch it: `https://`, `http://` or `file://`.
    pub url: String,
    /// What its bytes must hash to (promise P10).
    pub sha256: Sha256,
    /// The version it installs.
    pub version: Version,
    /// The operating system it is built for.
    pub os: OsToken,
    /// The architecture it is built for.
    pub arch: Arch,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or says something wrong; then all mistakes are in the error.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Checks a configuration at hand; `path` is for the error only.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let table: toml::Table = text.parse().map_err(|error| ConfigError::syntax(path, text, &error))?;
        parse::config(table).map_err(|mistakes| ConfigError::Mistakes { path: path.to_owned(), mistakes })
    }
}

#[cfg(test)]
mod tests;
