//! Host names and addresses in certificates: what is dialled must be one of them. Pure.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host name or an IP address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

/// Why a text is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host: write a name like db-1.internal or an IP address, without a port")]
pub struct InvalidHost(String);

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(ip));
        }
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let label = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(of_name) && !label.starts_with('-')
        };
        // Digits at the end are an address that is none, like 10.0.0.
        let numeric = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if text.len() > 253 || numeric || !text.split('.').all(label) {
            return Err(InvalidHost(text.chars().take(300).collect()));
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for Host {
    type Error = InvalidHost;

    fn try_from(text: String) -> Result<Self, InvalidHost> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.to_string()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_hosts_and_nothing_else_is() {
        for (text, same) in [
            ("db-1.Internal", "db-1.internal"),
            ("10.0.0.1", "10.0.0.1"),
            ("fd00::1", "fd00::1"),
            ("localhost", "localhost"),
            ("node_1", "node_1"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), same);
        }
        for wrong in ["", ".", "a..b", "*.internal", "a:7443", "[fd00::1]", "10.0.0", "-a", "a b", "é", "a/b"]
        {
            wrong.parse::<Host>().unwrap_err();
        }
    }
}
