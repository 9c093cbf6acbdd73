//! Names of things that are stored, sent and typed by people.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The product's number for a node, as in `node:3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeUid(pub u32);

impl fmt::Display for NodeUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node:{}", self.0)
    }
}

/// The fencing number of a coordinator's turn at driving. An agent refuses any number below the highest it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text cannot be a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` cannot be {what}: it must be 1 to {max} characters out of letters, digits, `.`, `_` and `-`, and start with a letter or digit"
)]
pub struct InvalidName {
    /// What was given.
    pub text: String,
    /// What it should have named.
    pub what: &'static str,
    /// The longest allowed name, in characters.
    pub max: usize,
}

/// Names become file names and systemd unit instances, so both must be harmless by construction.
fn check_name(text: &str, what: &'static str, max: usize) -> Result<(), InvalidName> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let well_formed = (1..=max).contains(&text.len())
        && text.bytes().all(allowed)
        && text.as_bytes()[0].is_ascii_alphanumeric();
    if well_formed { Ok(()) } else { Err(InvalidName { text: text.to_owned(), what, max }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                check_name(text, $what, $max)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A cluster's name in the configuration.
    ClusterName, "a cluster's name", 64
);
name!(
    /// One carrying-out of one plan.
    RunId, "a run's id", 100
);
name!(
    /// A rollout's name, given by its file: the same name is the same rollout.
    RolloutName, "a rollout's name", 64
);
name!(
    /// The name of a fleet, in certificates: who belongs together.
    FleetName, "a fleet's name", 64
);
name!(
    /// The name of somebody in a fleet, in certificates.
    PeerName, "a name in a certificate", 128
);
name!(
    /// The name of an agent that connects by itself, given by its configuration.
    AgentName, "an agent's name", 128
);
name!(
    /// The smallest journaled unit on one agent. The same id is the same step, whoever sends it and however often.
    StepId, "a step's id", 180
);
name!(
    /// Which memory an agent has: a random id that it makes once, with its state directory. An agent with another one
    /// does not know what was done before, whatever it answers.
    AgentMemory, "an agent's memory", 64
);

impl RunId {
    /// `<cluster>-<date>-<time>-<four digits>`: sorts by time, says what it is about, can be typed. The four digits, best
    /// random ones, tell runs of one second apart.
    pub fn begun(cluster: &ClusterName, at: Timestamp, digits: u16) -> Self {
        Self(format!("{cluster}-{}-{digits:04x}", at.strftime("%Y%m%d-%H%M%S")))
    }
}

impl StepId {
    /// The id of a node's step: the same run, hop, node, kind and attempt always make the same id (promise P6).
    pub fn of(run: &RunId, hop: usize, node: NodeUid, kind: crate::StepKind, attempt: u32) -> Self {
        Self(format!("{run}.h{hop}.n{}.{kind}.a{attempt}", node.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_directory_are_refused() {
        for text in ["", ".", "..", "a/b", "../x", "-rf", "a b", "a\0", "é", &"x".repeat(65)] {
            assert!(text.parse::<ClusterName>().is_err(), "{text:?}");
        }
        assert_eq!("orders-eu.1".parse::<ClusterName>().unwrap().as_str(), "orders-eu.1");
    }

    #[test]
    fn the_longest_cluster_still_makes_a_valid_run_id() {
        let cluster: ClusterName = "c".repeat(64).parse().unwrap();
        let run = RunId::begun(&cluster, "2026-06-01T12:00:00Z".parse().unwrap(), 0xa);
        assert!(run.as_str().ends_with("c-20260601-120000-000a"), "{run}");
        assert_eq!(run.as_str().parse::<RunId>().unwrap(), run);
    }

    #[test]
    fn the_longest_run_id_still_makes_a_valid_step_id() {
        let run: RunId = "r".repeat(100).parse().unwrap();
        let step = StepId::of(&run, usize::MAX, NodeUid(u32::MAX), crate::StepKind::Confirm, u32::MAX);
        assert_eq!(step.as_str().parse::<StepId>().unwrap(), step);
    }
}
