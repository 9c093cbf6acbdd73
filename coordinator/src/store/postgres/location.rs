//! Where a PostgreSQL store is: `postgres://user@host:port,host:port/database?parameters`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::catalogue::shown_url;
use crate::store::StoreError;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// After this time the server gives up a statement that nobody may wait for any more.
const STATEMENT: Duration = Duration::from_secs(10);

/// After this time the server ends a transaction whose client has fallen silent, and frees what it has locked.
const SILENT_CLIENT: Duration = Duration::from_secs(3);

/// One of the servers.
pub(super) struct Host {
    /// Host and port, as they are told.
    pub(super) name: String,
    pub(super) options: PgConnectOptions,
}

impl Host {
    fn is_safe(&self) -> bool {
        let here = self.options.get_socket().is_some() || is_on_this_machine(self.options.get_host());
        here || matches!(self.options.get_ssl_mode(), PgSslMode::VerifyFull)
    }
}

/// All servers of a store, of which one takes writes.
pub(super) struct Location {
    pub(super) hosts: Vec<Host>,
    /// The location without its secrets.
    pub(super) shown: String,
}

/// The options hold a password.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Location").field(&self.shown).finish()
    }
}

/// A location taken apart, as text.
#[derive(Clone, Copy)]
struct Parts<'l> {
    user: Option<&'l str>,
    hosts: &'l str,
    database: &'l str,
    parameters: &'l str,
}

impl<'l> Parts<'l> {
    fn of(location: &'l str) -> Option<Self> {
        let rest = SCHEMES.iter().find_map(|scheme| location.strip_prefix(scheme))?;
        let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        Some(Self { user, hosts, database, parameters })
    }

    fn parameters(&self) -> impl Iterator<Item = (&'l str, &'l str)> {
        let pairs = self.parameters.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    fn parameter(&self, name: &str) -> Option<&'l str> {
        self.parameters().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn without_secrets(&self) -> String {
        let user = self.user.map(|user| user.split(':').next().unwrap_or_default());
        let user = user.map(|user| format!("{user}@")).unwrap_or_default();
        let said: Vec<String> = self
            .parameters()
            .map(|(key, value)| format!("{key}={}", if key == "password" { "…" } else { value }))
            .collect();
        let (mark, said) = (if said.is_empty() { "" } else { "?" }, said.join("&"));
        format!("postgres://{user}{}/{}{mark}{said}", self.hosts, self.database)
    }

    /// What is wrong with it, and what to write instead.
    fn mistake(&self) -> Option<(String, &'static str)> {
        const WRITE: &str =
            "write `postgres://user@host/database?sslmode=verify-full&sslrootcert=/absolute/ca.pem`";
        // What only a parameter can say of a socket, which is no host of a URL.
        const OF_A_SOCKET: [&str; 3] = ["host", "port", "user"];
        if self.database.is_empty() {
            return Some(("it names no database".to_owned(), WRITE));
        }
        let by_parameter =
            self.parameter("host").is_some_and(|host| is_socket(host) && self.hosts.is_empty());
        let doubtful = ["host", "hostaddr", "port", "dbname", "user"];
        let twice = doubtful
            .iter()
            .find(|name| self.parameter(name).is_some() && !(by_parameter && OF_A_SOCKET.contains(name)));
        if let Some(name) = twice {
            return Some((format!("`{name}` is a parameter, and has a place of its own before it"), WRITE));
        }
        if !by_parameter && self.hosts.split(',').any(str::is_empty) {
            return Some(("it names no host".to_owned(), WRITE));
        }
        let far = self.hosts.split(',').find(|host| !by_parameter && !is_on_this_machine(host))?;
        if self.parameter("sslmode") == Some("verify-full") {
            return None;
        }
        Some(unproven(far))
    }
}

/// Why a host on another machine is not connected to, and what to write.
fn unproven(far: &str) -> (String, &'static str) {
    let reason = "is another machine, and no connection leaves this one unencrypted or to somebody unproven";
    (format!("{far} {reason}"), "add `?sslmode=verify-full&sslrootcert=/absolute/ca.pem`")
}

/// Whether it is the location of such a store, right or wrong.
pub(in crate::store) fn is_one(location: &str) -> bool {
    SCHEMES.iter().any(|scheme| location.starts_with(scheme))
}

/// What is wrong with a location of such a store, if anything is. Reads nothing but the text.
pub(in crate::store) fn mistake(location: &str) -> Option<(String, &'static str)> {
    Parts::of(location)?.mistake()
}

/// The location as it may be told: without its password.
pub(in crate::store) fn shown(location: &str) -> String {
    Parts::of(location).map_or_else(|| shown_url(location), |parts| parts.without_secrets())
}

impl Location {
    pub(super) fn of(location: &str) -> Result<Self, StoreError> {
        let not_a_store = || StoreError::NotAStore(shown(location));
        let parts = Parts::of(location).ok_or_else(not_a_store)?;
        let shown = parts.without_secrets();
        let unusable = |(reason, remedy): (String, &str)| {
            let location = shown.clone();
            StoreError::Unusable { location, reason, remedy: remedy.to_owned() }
        };
        if let Some(mistake) = parts.mistake() {
            return Err(unusable(mistake));
        }
        let hosts = parts.hosts.split(',').map(|host| options(parts, host).ok_or_else(not_a_store));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        // However the text is read, what counts is what would be done.
        if let Some(host) = hosts.iter().find(|host| !host.is_safe()) {
            return Err(unusable(unproven(host.options.get_host())));
        }
        Ok(Self { hosts, shown })
    }
}

/// How one of the hosts is connected to. The cause of a failure is not told: it may quote the password.
fn options(parts: Parts<'_>, host: &str) -> Option<Host> {
    let Parts { user, database, parameters, .. } = parts;
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let options =
        PgConnectOptions::from_str(&format!("postgres://{user}{host}/{database}?{parameters}")).ok()?;
    let options = options.application_name("ratchet").options([
        ("statement_timeout", STATEMENT.as_millis().to_string()),
        ("idle_in_transaction_session_timeout", SILENT_CLIENT.as_millis().to_string()),
        // Whatever the server's default is: what is acknowledged is durable, and on the standby if there is one.
        ("synchronous_commit", "on".to_owned()),
    ]);
    let name = if host.is_empty() { "the local server".to_owned() } else { host.to_owned() };
    Some(Host { name, options })
}

fn is_socket(host: &str) -> bool {
    host.starts_with('/') || host.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"))
}

fn is_on_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    is_socket(host)
        || name == "localhost"
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
