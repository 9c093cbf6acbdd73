//! The lab's network: a private bridge, every node in a network namespace of its own, and cables that can be cut.

use std::path::PathBuf;

use anyhow::Result;

use crate::commands::line;

/// The first three numbers of all addresses.
pub const NETWORK: &str = "10.77.0";
/// The address of the package mirror: the bridge's own.
pub const MIRROR: &str = "10.77.0.253";
const BRIDGE: &str = "lab";
/// The name that everybody's end of the cable has.
const DEVICE: &str = "eth0";
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

/// A bridge with a cable to every party, each in a network namespace of its own. All end with the seal's.
#[derive(Debug)]
pub(crate) struct Network;

impl Network {
    pub(crate) fn make(nodes: u32) -> Result<Self> {
        line("ip link set lo up")?;
        line(&format!("ip link add {BRIDGE} type bridge"))?;
        line(&format!("ip address add {MIRROR}/24 dev {BRIDGE}"))?;
        line(&format!("ip link set {BRIDGE} up"))?;
        for party in std::iter::once(Party::Coordinator).chain((1..=nodes).map(Party::Node)) {
            join(party)?;
        }
        Ok(Self)
    }

    /// Pulls a party's cable.
    pub(crate) fn unplug(&self, party: Party) -> Result<()> {
        line(&format!("ip link set v-{} down", party.name())).map(drop)
    }

    /// Gives a party that is off the network of a machine that has just been switched on: connections of its former life
    /// would go on speaking out of the kernel.
    pub(crate) fn renew(&self, party: Party) -> Result<()> {
        line(&format!("ip link delete v-{}", party.name()))?;
        line(&format!("ip netns delete {}", party.name()))?;
        join(party)
    }

    /// The network namespace of a party, which outlives crashes.
    pub(crate) fn namespace(&self, party: Party) -> PathBuf {
        PathBuf::from("/run/netns").join(party.name())
    }

    /// From now on nothing that two parties send to each other arrives, and nobody tells them: each sends to a card that is
    /// not there.
    pub(crate) fn cut(&self, one: Party, other: Party) -> Result<()> {
        for (from, to) in [(one, other), (other, one)] {
            let how = format!("lladdr {NOBODY} nud permanent dev {DEVICE}");
            line(&format!("ip -n {} neighbour replace {} {how}", from.name(), address(to)))?;
        }
        Ok(())
    }

    /// They reach each other again.
    pub(crate) fn heal(&self, one: Party, other: Party) -> Result<()> {
        for (from, to) in [(one, other), (other, one)] {
            line(&format!("ip -n {} neighbour delete {} dev {DEVICE}", from.name(), address(to)))?;
        }
        Ok(())
    }
}

/// A network namespace with a cable to the bridge; the card's number is always the same.
fn join(party: Party) -> Result<()> {
    let (name, address) = (party.name(), address(party));
    let last = address.rsplit('.').next().and_then(|last| last.parse::<u8>().ok()).unwrap_or_default();
    let card = format!("address 02:00:00:00:01:{last:02x}");
    line(&format!("ip netns add {name}"))?;
    line(&format!("ip link add v-{name} type veth peer name {DEVICE} {card} netns {name}"))?;
    line(&format!("ip link set v-{name} master {BRIDGE} up"))?;
    line(&format!("ip -n {name} address add {address}/24 dev {DEVICE}"))?;
    line(&format!("ip -n {name} link set {DEVICE} up"))?;
    line(&format!("ip -n {name} link set lo up")).map(drop)
}

impl Party {
    fn name(self) -> String {
        match self {
            Self::Coordinator => "coordinator".to_owned(),
            Self::Node(uid) => format!("n{uid}"),
        }
    }
}

/// A party's address.
pub fn address(party: Party) -> String {
    match party {
        Party::Coordinator => format!("{NETWORK}.254"),
        Party::Node(uid) => format!("{NETWORK}.{uid}"),
    }
}
