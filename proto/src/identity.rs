//! Who somebody is: what a certificate says of its owner.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{FleetName, InvalidName, PeerName};

/// What somebody is to the fleet. It decides which calls they may make; see [`access`](crate::access).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Decides and orders: the only one that agents obey.
    Coordinator,
    /// One node.
    Agent,
    /// A person or a script that may start, stop and change things.
    Operator,
    /// A person or a script that may look.
    Viewer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Coordinator, Self::Agent, Self::Operator, Self::Viewer];

    /// The role's word, as it is in certificates.
    pub fn word(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Agent => "agent",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a text is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: it is coordinator, agent, operator or viewer")]
pub struct InvalidRole(pub String);

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or_else(|| InvalidRole(text.to_owned()))
    }
}

/// The owner of a certificate: a URI among its subject's alternative names, `spiffe://FLEET/ROLE/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identity {
    /// The fleet. Nobody obeys or believes somebody of another one.
    pub fleet: FleetName,
    /// What they are to it.
    pub role: Role,
    /// Their name in it; an agent's is the one it is known by.
    pub name: PeerName,
}

/// Why a text is no identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// It is not built like one.
    #[error("`{0}` is no identity: it is spiffe://FLEET/ROLE/NAME")]
    Form(String),
    /// Its role is none.
    #[error(transparent)]
    Role(#[from] InvalidRole),
    /// Its fleet or its name cannot be one.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// How an identity begins.
pub const SCHEME: &str = "spiffe://";

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fleet, role, name } = self;
        write!(f, "{SCHEME}{fleet}/{role}/{name}")
    }
}

impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        let form = || InvalidIdentity::Form(text.to_owned());
        let rest = text.strip_prefix(SCHEME).ok_or_else(form)?;
        let [fleet, role, name] = rest.split('/').collect::<Vec<_>>()[..] else { return Err(form()) };
        Ok(Self { fleet: fleet.parse()?, role: role.parse()?, name: name.parse()? })
    }
}

impl TryFrom<String> for Identity {
    type Error = InvalidIdentity;

    fn try_from(text: String) -> Result<Self, InvalidIdentity> {
        text.parse()
    }
}

impl From<Identity> for String {
    fn from(identity: Identity) -> Self {
        identity.to_string()
    }
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// This machine: the same process, or a plain connection on loopback. What it may do, its user may.
    Local,
    /// Somebody with a certificate of the fleet's authority.
    Known(Identity),
    /// Somebody without a certificate: they may ask to be enrolled and nothing else.
    Anonymous,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("this machine"),
            Self::Known(identity) => identity.fmt(f),
            Self::Anonymous => f.write_str("somebody without a certificate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_as_it_is_written_and_nothing_else_is_one() {
        let text = "spiffe://prod.eu/agent/orders-1";
        assert_eq!(text.parse::<Identity>().unwrap().to_string(), text);
        for wrong in [
            "",
            "spiffe://",
            "spiffe://prod/agent",
            "spiffe://prod/agent/",
            "spiffe:///agent/a",
            "spiffe://prod/agent/a/b",
            "spiffe://prod/root/a",
            "spiffe://prod/Agent/a",
            "SPIFFE://prod/agent/a",
            "https://prod/agent/a",
            "spiffe://prod/agent/a b",
            "spiffe://prod/agent/..",
            "spiffe://prod/agent/a%2fb",
            "spiffe://prod/agent/a?x",
            " spiffe://prod/agent/a",
        ] {
            wrong.parse::<Identity>().unwrap_err();
        }
    }
}
