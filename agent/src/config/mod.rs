//! `agent.toml`: read once at start, all mistakes reported together (design §7).

mod archive;
mod args;
mod connecting;
mod rest;
mod security;
mod table;
mod trust;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use args::{answer_file, refused_install_args};
use proto::transport::{Limits, Security};
use proto::{AgentName, RunnerKind};
pub use rest::Rest;
use table::Keys;
pub use trust::{Fingerprint, Trust, VendorPolicy};

use crate::package;

/// Where the configuration is unless told otherwise.
pub const DEFAULT_FILE: &str = "/etc/ratchet/agent.toml";

/// How long one hook may take when the configuration says nothing.
pub const DEFAULT_HOOK_DEADLINE: Duration = Duration::from_secs(60);

/// Everything an agent is told by its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The file it was read from; the op runner is given the same.
    pub file: PathBuf,
    /// The `ratchet-agent` program that runs installs, where it is not the program that is running: for tests that host an
    /// agent in their own process. Not a key of the file.
    pub program: Option<PathBuf>,
    /// The address to listen on; `None` if nothing is listened on.
    pub listen: Option<SocketAddr>,
    /// Coordinators that the agent dials by itself, `HOST:PORT`, in the order in which they are tried; none if empty.
    pub connect: Vec<String>,
    /// The agent's name where it dials; the host name if `None`.
    pub name: Option<AgentName>,
    /// Where claims, steps, archives and unpacked trees are kept.
    pub state_dir: PathBuf,
    /// How callers are known.
    pub security: Security,
    /// How much anybody may ask of the agent's port.
    pub limits: Limits,
    /// Prefix of `opt/redislabs`, `etc/opt/redislabs` and `var/opt/redislabs`.
    pub root: PathBuf,
    /// How an install is started; `None` decides by what the machine is, see [`Config::runner`].
    pub runner: Option<RunnerKind>,
    /// What `install.sh` is given. Refused ones are no configuration error: see [`refused_install_args`].
    pub install_args: Vec<String>,
    /// After this long an install is killed, unless the plan names its own time.
    pub install_deadline: Duration,
    /// The longest a confirmation goes on; a plan's longer time is cut to it.
    pub confirm_deadline: Duration,
    /// How the product's REST API is asked; `None` if the operator gave no credential for it.
    pub rest: Option<Rest>,
    /// The operator's own programs on this node; none if `None`.
    pub hooks: Option<HooksConfig>,
    /// Where metrics are told; nowhere if `None`.
    pub metrics: Option<SocketAddr>,
    /// What an archive may not exceed.
    pub archive: package::Limits,
    /// Whose packages may be installed.
    pub trust: Trust,
}

/// Where hooks are, and how long one may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksConfig {
    /// The directory with one directory for each point.
    pub directory: PathBuf,
    /// How long one hook may take.
    pub deadline: Duration,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}; create it or name another with --config")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML.
    #[error("{path} is not valid TOML")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Keys are wrong, unknown or missing.
    #[error("{path} has {} mistake(s):{}", .mistakes.len(), listed(.mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// All of them, in the order of the keys.
        mistakes: Vec<Mistake>,
    },
}

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key, with its table: `redis_enterprise.runner`.
    pub key: String,
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.reason, self.remedy)
    }
}

fn listed(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| format!("\n  {mistake}")).collect()
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`], with all mistakes at once.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads a configuration from text; `file` is where it came from.
    ///
    /// # Errors
    /// [`ConfigError`], with all mistakes at once.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let path = || file.to_owned();
        let table = text
            .parse::<toml::Table>()
            .map_err(|source| ConfigError::Syntax { path: path(), source: Box::new(source) })?;
        let mut keys = Keys::new(table);
        let config = Self::read(&mut keys, file);
        match keys.finish() {
            mistakes if mistakes.is_empty() => Ok(config),
            mistakes => Err(ConfigError::Mistakes { path: path(), mistakes }),
        }
    }

    fn read(keys: &mut Keys, file: &Path) -> Self {
        let (connect, name) = (connecting::addresses(keys), connecting::name(keys));
        let listen = connecting::listen(keys, !connect.is_empty());
        let state_dir = keys.absolute_path("state_dir", "/var/lib/ratchet-agent");
        let (security, limits) = (security::security(keys, listen), security::limits(keys));
        connecting::check(keys, &connect, &security);
        let rest = rest::rest(keys);
        let hooks = hooks(keys);
        let metrics = metrics(keys);
        let archive = archive::limits(keys);
        let trust = trust::trust(keys);
        let mut product = keys.table("redis_enterprise");
        let config = Self {
            file: std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
            program: None,
            listen,
            connect,
            name,
            state_dir,
            security,
            limits,
            root: product.absolute_path("root", "/"),
            runner: runner(&mut product),
            install_args: product.strings("install_args", &["-y"]),
            install_deadline: product.duration("install_deadline", Duration::from_secs(2 * 3600)),
            confirm_deadline: product.duration("confirm_deadline", Duration::from_secs(15 * 60)),
            rest,
            hooks,
            metrics,
            archive,
            trust,
        };
        keys.put_back(product);
        config
    }

    /// Whether this is a node, and no stand-in for tests.
    pub fn is_real(&self) -> bool {
        self.root == Path::new("/")
    }

    /// How this agent starts an install. Undecided, it is a unit of its own where systemd runs and the node is this
    /// very machine; a detached process for a stand-in node or where there is no systemd, as in a container.
    pub fn runner(&self) -> RunnerKind {
        self.runner.unwrap_or_else(|| {
            let systemd = sd_notify::booted().unwrap_or(false);
            if systemd && self.root == Path::new("/") { RunnerKind::Systemd } else { RunnerKind::Process }
        })
    }
}

/// No table, no hooks. A table without a directory is a mistake: somebody believes that there are some.
fn hooks(keys: &mut Keys) -> Option<HooksConfig> {
    if !keys.has("hooks") {
        return None;
    }
    let mut table = keys.table("hooks");
    if !table.has("directory") {
        table.mistake("directory", "it is missing", "name the directory that the hooks are in");
    }
    let directory = table.absolute_path("directory", "/");
    let deadline = table.duration("deadline", DEFAULT_HOOK_DEADLINE);
    keys.put_back(table);
    Some(HooksConfig { directory, deadline })
}

/// No table, no listener. A table without an address is a mistake: somebody believes that there is one.
fn metrics(keys: &mut Keys) -> Option<SocketAddr> {
    if !keys.has("metrics") {
        return None;
    }
    let mut table = keys.table("metrics");
    if !table.has("listen") {
        table.mistake("listen", "it is missing", "write an address and a port, like \"127.0.0.1:9465\"");
    }
    let listen = table.address("listen", "127.0.0.1:9465");
    keys.put_back(table);
    Some(listen)
}

fn runner(product: &mut Keys) -> Option<RunnerKind> {
    let word = product.string("runner", "auto");
    match word.as_str() {
        "auto" => None,
        "systemd" => Some(RunnerKind::Systemd),
        "process" => Some(RunnerKind::Process),
        other => {
            product.mistake("runner", format!("`{other}` is not known"), "use auto, systemd or process");
            None
        }
    }
}

#[cfg(test)]
mod tests;
