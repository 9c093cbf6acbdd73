//! Carrying out changes of the world: what the model can do itself, and what is left to the engine.

use jiff::Timestamp;

use super::{Happened, Model, Task};
use crate::fault::{Configured, NodeRef, ShardHold, WorldFault};

/// What the engine has to do with processes after the model has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Kill a node's services.
    Kill(u32),
    /// Start a node's services.
    Start(u32),
    /// Stop the processes of a node's shards.
    StopShards(u32),
    /// Start those that do not run.
    StartShards(u32),
}

impl Model {
    /// Carries a fault out. `installed` is the node whose install fired it.
    pub fn apply(&mut self, fault: &WorldFault, installed: Option<u32>, now: Timestamp) -> Option<Order> {
        self.note(now, Happened::Fault { effect: format!("{fault:?}") });
        let node = |model: &Self, node: &NodeRef| match node {
            NodeRef::Node(uid) => Some(*uid).filter(|uid| model.nodes.contains_key(uid)),
            NodeRef::Master => model.master,
            NodeRef::Installed => installed,
        };
        match fault {
            WorldFault::Services(at, true) => return Some(Order::Start(node(self, at)?)),
            WorldFault::Services(at, false) => return Some(Order::Kill(node(self, at)?)),
            WorldFault::Shards(at, hold) => return self.hold_shards(node(self, at)?, *hold),
            WorldFault::Maintenance(at, true) => drop(self.maintenance_on(node(self, at)?, now)),
            WorldFault::Maintenance(at, false) => drop(self.maintenance_off(node(self, at)?)),
            WorldFault::Snapshot(at, name) => {
                let name = name.clone().unwrap_or_else(|| snapshot_name(now));
                self.nodes.get_mut(&node(self, at)?)?.snapshots.push(name);
            }
            WorldFault::MasterTo(uid) if self.nodes.contains_key(uid) => self.set_master(Some(*uid), now),
            WorldFault::MasterTo(_) => {}
            WorldFault::Task(name, at) => self.add_task(name, at.as_ref().and_then(|at| node(self, at))),
            WorldFault::NoTasks => self.tasks.clear(),
            WorldFault::Config(of, key, value) => {
                let at = if let Configured::Node(at) = of { node(self, at) } else { None };
                self.configure(*of, at, key, value);
            }
            WorldFault::Rlcheck(at, lie) => self.nodes.get_mut(&node(self, at)?)?.rlcheck = lie.clone(),
            WorldFault::Rladmin(at, fault) => self.nodes.get_mut(&node(self, at)?)?.rladmin = *fault,
            WorldFault::InstallerGoesOn(at) => self.installer_goes_on(node(self, at)?),
            WorldFault::Noise(on) => self.noise = *on,
            WorldFault::CcsLink(up) => self.ccs_link_up = *up,
            WorldFault::UpgradeMode(on) => self.upgrade_mode = *on,
        }
        None
    }

    fn hold_shards(&mut self, uid: u32, hold: Option<ShardHold>) -> Option<Order> {
        self.nodes.get_mut(&uid)?.hold = hold;
        Some(if hold == Some(ShardHold::Down) { Order::StopShards(uid) } else { Order::StartShards(uid) })
    }

    /// Switches maintenance mode on; it stacks. Gives the snapshot's name.
    pub fn maintenance_on(&mut self, uid: u32, now: Timestamp) -> Option<String> {
        let node = self.nodes.get_mut(&uid)?;
        let name = snapshot_name(now);
        node.maintenance += 1;
        node.snapshots.push(name.clone());
        Some(name)
    }

    /// Switches maintenance mode off once; gives the snapshot it restored, none if there was none.
    pub fn maintenance_off(&mut self, uid: u32) -> Option<String> {
        let node = self.nodes.get_mut(&uid)?;
        let snapshot = node.snapshots.pop();
        if snapshot.is_some() {
            node.maintenance = node.maintenance.saturating_sub(1);
        }
        snapshot
    }

    fn add_task(&mut self, name: &str, node: Option<u32>) {
        let id = format!("71a4f371-9264-4398-a454-{:012x}", self.tasks.len() + 1);
        self.tasks.push(Task { name: name.to_owned(), id, node });
    }
}

/// The vendor's form of a maintenance snapshot's name (fact sheet §3.6).
fn snapshot_name(now: Timestamp) -> String {
    now.strftime("maintenance_mode_%Y-%m-%d_%H-%M-%S").to_string()
}
