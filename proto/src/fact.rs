//! Facts that an agent looks up only when it is asked for them by name: what checks, advisories and the watch over
//! foreign changes need beyond [`crate::NodeFacts`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Probe;

/// The closed list of facts, with the word each travels under.
macro_rules! facts {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal, $kind:ident;)*) => {
        /// What can be asked for by name. Each says what its value holds; keys of rows are those of the tool or file it
        /// was read from, word for word, unless it says otherwise. A cell that could not be read is left out of its row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Fact {
            $($(#[doc = $doc])* #[serde(rename = $word)] $name,)*
        }

        impl Fact {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word it travels under.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The kind of value it has when it is known.
            pub fn kind(self) -> FactKind {
                match self {
                    $(Self::$name => FactKind::$kind,)*
                }
            }
        }
    };
}

facts! {
    /// Rows of who listens: `protocol` (`tcp`, `udp`), `address`, `port`, `process` (the program's name), `pid`, and
    /// `product`: `yes` if the program is the product's own (below its directories, or run by its user), else `no`.
    Listeners = "listeners", Rows;
    /// The effective user id that the agent, and so the installer, runs with.
    EffectiveUser = "effective-user", Number;
    /// The root directory of the product: `/` on a real node.
    Root = "root", Text;
    /// The umask that `install.sh` is run with, as four octal digits.
    Umask = "umask", Text;
    /// Names of the files that name enabled package repositories.
    Repositories = "repositories", Lines;
    /// Running programs that are known to stand in an installer's way, by name.
    SecurityAgents = "security-agents", Lines;
    /// Whether the operating system says that its clock is synchronised.
    TimeSynchronised = "time-synchronised", Flag;
    /// What manages this node from outside: `kubernetes`, or `none`.
    Orchestrator = "orchestrator", Text;
    /// Whether the kernel runs in FIPS mode.
    Fips = "fips", Flag;
    /// One row of `os-release`: `ID`, `VERSION_ID`, `ID_LIKE`, `PRETTY_NAME`.
    OsRelease = "os-release", Rows;
    /// Rows of certificate files below the product's configuration: `file`, `subject`, `not_before`, `not_after` (RFC
    /// 3339), and `comments`: `yes` if there is text outside the PEM blocks, else `no`.
    Certificates = "certificates", Rows;
    /// Whether the product's logrotate file is no longer as it was packaged.
    LogrotateChanged = "logrotate-changed", Flag;
    /// Symbolic links below the product's directories that lead back to themselves.
    CircularLinks = "circular-links", Lines;
    /// Rows of `supervisorctl status`: `service`, `state`.
    Services = "services", Rows;
    /// One row: `rladmin info cluster`.
    ClusterInfo = "cluster-info", Rows;
    /// One row: `rladmin info node N` of this node.
    NodeInfo = "node-info", Rows;
    /// Rows of `rladmin info db`: `uid`, `name`, and its keys.
    DatabaseInfo = "database-info", Rows;
    /// Rows of the cluster's modules in `rladmin status modules extra all`: `module`, `version`, `min_redis_version`, `id`.
    Modules = "modules", Rows;
    /// Rows of databases' modules there: `database` (the uid), `name`, `module`, `version`, `args`, `status`.
    DatabaseModules = "database-modules", Rows;
    /// One row: `GET /v1/cluster`, scalars only.
    Cluster = "cluster", Rows;
    /// One row: `GET /v1/cluster/policy`, scalars only.
    ClusterPolicy = "cluster-policy", Rows;
    /// One row: `GET /v1/cluster/ldap`, scalars only; objects are flattened to `outer.inner`.
    Ldap = "ldap", Rows;
    /// One row: `GET /v1/license`, scalars only and without the licence's text.
    Licence = "licence", Rows;
    /// Rows of `GET /v1/bdbs`: scalars; `module_list` is the modules' names joined by a comma, `replica_sources` the hosts that a
    /// Replica-Of database has its data from, likewise (empty if they could not be read).
    Databases = "databases", Rows;
    /// Rows of `GET /v1/crdbs`: `guid`, `name`, `protocol_version`, `featureset_version`, `clusters` (joined by a comma).
    ActiveActive = "active-active", Rows;
    /// Rows of active alerts: `scope` (`cluster`, `node:N`, `db:N`), `alert`, `severity`.
    Alerts = "alerts", Rows;
    /// Rows of actions and state machines that are not over: `name`, `status`, `object`.
    Actions = "actions", Rows;
    /// One row: `GET /v4/cluster/health` without its lists, plus `node:N.in_maintenance`, `node:N.quorum_only`,
    /// `node:N.status` and `certificate:TYPE.expired`.
    HealthReport = "health-report", Rows;
}

/// The kind of a fact's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// Yes or no.
    Flag,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list of texts.
    Lines,
    /// A table.
    Rows,
}

/// A row of a table: its cells by key.
pub type Row = BTreeMap<String, String>;

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactValue {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
    /// A list of texts.
    Lines(Vec<String>),
    /// A table.
    Rows(Vec<Row>),
}

impl FactValue {
    /// Its kind.
    pub fn kind(&self) -> FactKind {
        match self {
            Self::Flag(_) => FactKind::Flag,
            Self::Number(_) => FactKind::Number,
            Self::Text(_) => FactKind::Text,
            Self::Lines(_) => FactKind::Lines,
            Self::Rows(_) => FactKind::Rows,
        }
    }
}

/// What was asked for by name. A fact that is not in here was not asked for, or the agent has no answer to it: neither is
/// ever "fine".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Details(pub BTreeMap<Fact, Probe<FactValue>>);

impl Details {
    /// A yes or no. The error is why it is not known.
    pub fn flag(&self, fact: Fact) -> Result<bool, String> {
        match self.value(fact)? {
            FactValue::Flag(flag) => Ok(*flag),
            other => Err(unexpected(fact, other)),
        }
    }

    /// A number. The error is why it is not known.
    pub fn number(&self, fact: Fact) -> Result<u64, String> {
        match self.value(fact)? {
            FactValue::Number(number) => Ok(*number),
            other => Err(unexpected(fact, other)),
        }
    }

    /// A text. The error is why it is not known.
    pub fn text(&self, fact: Fact) -> Result<&str, String> {
        match self.value(fact)? {
            FactValue::Text(text) => Ok(text),
            other => Err(unexpected(fact, other)),
        }
    }

    /// A list. The error is why it is not known.
    pub fn lines(&self, fact: Fact) -> Result<&[String], String> {
        match self.value(fact)? {
            FactValue::Lines(lines) => Ok(lines),
            other => Err(unexpected(fact, other)),
        }
    }

    /// A table. The error is why it is not known.
    pub fn rows(&self, fact: Fact) -> Result<&[Row], String> {
        match self.value(fact)? {
            FactValue::Rows(rows) => Ok(rows),
            other => Err(unexpected(fact, other)),
        }
    }

    /// A cell of a table of one row. The error is why it is not known.
    pub fn cell(&self, fact: Fact, key: &str) -> Result<&str, String> {
        let [row] = self.rows(fact)? else { return Err(format!("`{fact}` is not one row")) };
        row.get(key).map(String::as_str).ok_or_else(|| format!("`{fact}` does not tell `{key}`"))
    }

    fn value(&self, fact: Fact) -> Result<&FactValue, String> {
        let probe = self.0.get(&fact).ok_or_else(|| format!("the agent was not asked for `{fact}`"))?;
        probe.as_result().map_err(str::to_owned)
    }
}

fn unexpected(fact: Fact, value: &FactValue) -> String {
    format!("`{fact}` came as {:?}, not as {:?}", value.kind(), fact.kind())
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no fact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fact that this version knows")]
pub struct InvalidFact(pub String);

impl FromStr for Fact {
    type Err = InvalidFact;

    fn from_str(text: &str) -> Result<Self, InvalidFact> {
        let of_word = |fact: &&Self| fact.word() == text;
        Self::ALL.iter().find(of_word).copied().ok_or_else(|| InvalidFact(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_and_is_its_own() {
        for fact in Fact::ALL {
            assert_eq!(fact.word().parse(), Ok(*fact));
            assert_eq!(serde_json::to_string(fact).unwrap(), format!("\"{fact}\""));
        }
        assert_eq!("nothing".parse::<Fact>(), Err(InvalidFact("nothing".to_owned())));
    }

    #[test]
    fn what_is_not_there_is_an_error_that_says_why() {
        let known = |value| Probe::Known(value);
        let details = Details(BTreeMap::from([
            (Fact::Fips, known(FactValue::Text("yes".to_owned()))),
            (Fact::Ldap, Probe::Unknown("no credential".to_owned())),
            (Fact::ClusterInfo, known(FactValue::Rows(vec![Row::from([("a".to_owned(), "b".to_owned())])]))),
            (Fact::NodeInfo, known(FactValue::Rows(Vec::new()))),
        ]));
        assert!(details.flag(Fact::Fips).unwrap_err().contains("Text"));
        assert_eq!(details.rows(Fact::Ldap), Err("no credential".to_owned()));
        assert!(details.lines(Fact::Repositories).unwrap_err().contains("not asked"));
        assert_eq!(details.cell(Fact::ClusterInfo, "a"), Ok("b"));
        assert!(details.cell(Fact::ClusterInfo, "c").unwrap_err().contains("`c`"));
        assert!(details.cell(Fact::NodeInfo, "a").is_err());
    }
}
