//! The lab's network: a private bridge, every node in a network namespace of its own, and cables that can be cut.

use std::path::PathBuf;

use anyhow::Result;

use crate::commands::line;

/// The first three numbers of all addresses.
pub const NETWORK: &str = "10.77.0";
/// The coordinator's end of the bridge.
const COORDINATOR: u32 = 254;
const BRIDGE: &str = "lab";
/// No machine of the lab has this address.
const NOBODY: &str = "02:00:00:00:00:fe";

/// Somebody on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Whoever drives: it is not in a node.
    Coordinator,
    /// A node by its uid.
    Node(u32),
}

/// A bridge with a cable to every node. It ends with the seal's network namespace.
#[derive(Debug)]
pub(crate) struct Network;

impl Network {
    pub(crate) fn make(nodes: u32) -> Result<Self> {
        line("ip link set lo up")?;
        line(&format!("ip link add {BRIDGE} type bridge"))?;
        line(&format!("ip address add {NETWORK}.{COORDINATOR}/24 dev {BRIDGE}"))?;
        line(&format!("ip link set {BRIDGE} up"))?;
        for uid in 1..=nodes {
            line(&format!("ip netns add n{uid}"))?;
            line(&format!("ip link add v{uid} type veth peer name eth0 netns n{uid}"))?;
            line(&format!("ip link set v{uid} master {BRIDGE} up"))?;
            line(&format!("ip -n n{uid} address add {NETWORK}.{uid}/24 dev eth0"))?;
            line(&format!("ip -n n{uid} link set eth0 up"))?;
            line(&format!("ip -n n{uid} link set lo up"))?;
        }
        Ok(Self)
    }

    /// The network namespace of a node, which outlives its crashes.
    pub(crate) fn namespace(&self, uid: u32) -> PathBuf {
        PathBuf::from(format!("/run/netns/n{uid}"))
    }

    /// From now on nothing that two parties send to each other arrives, and nobody tells them: each sends to a card that is
    /// not there.
    pub(crate) fn cut(&self, one: Party, other: Party) -> Result<()> {
        for (from, to) in [(one, other), (other, one)] {
            let (address, device) = (address(to), from.device());
            let (at, how) = (from.at(), format!("lladdr {NOBODY} nud permanent"));
            line(&format!("ip {at} neighbour replace {address} {how} dev {device}"))?;
        }
        Ok(())
    }

    /// They reach each other again.
    pub(crate) fn heal(&self, one: Party, other: Party) -> Result<()> {
        for (from, to) in [(one, other), (other, one)] {
            line(&format!("ip {} neighbour delete {} dev {}", from.at(), address(to), from.device()))?;
        }
        Ok(())
    }
}

impl Party {
    fn device(self) -> &'static str {
        match self {
            Self::Coordinator => BRIDGE,
            Self::Node(_) => "eth0",
        }
    }

    fn at(self) -> String {
        match self {
            Self::Coordinator => String::new(),
            Self::Node(uid) => format!("-n n{uid}"),
        }
    }
}

/// A party's address.
pub fn address(party: Party) -> String {
    match party {
        Party::Coordinator => format!("{NETWORK}.{COORDINATOR}"),
        Party::Node(uid) => format!("{NETWORK}.{uid}"),
    }
}
