//! Lets the faults of a script happen, each at its time, and mends what they broke.

use std::sync::Arc;
use std::time::Duration;

use sim::fault::{RladminFault, RlcheckLie, ShardHold};
use sim::model::Task;
use tokio_util::task::AbortOnDropHandle;

use crate::headquarters::Headquarters;
use crate::history::History;
use crate::machine::{self, Machine};
use crate::network::Network;
use crate::operator::take_over;
use crate::product::Cluster;
use crate::script::{Fault, Timed};
use crate::slots::{self, Owner};
use crate::world::{CLUSTER, World};

/// Everything that faults can touch.
#[derive(Clone)]
struct Reach {
    history: History,
    network: Arc<Network>,
    cluster: Arc<Cluster>,
    coordinators: Vec<Arc<Headquarters>>,
    machines: Vec<Arc<Machine>>,
}

/// Starts all timed faults of a world; dropping what is returned ends those that have not ended.
pub fn let_happen(world: &World) -> Happening {
    let reach = Reach {
        history: world.history.clone(),
        network: Arc::clone(&world.network),
        cluster: Arc::clone(&world.cluster),
        coordinators: world.coordinators.clone(),
        machines: world.machines.clone(),
    };
    let faults = world.script.timed.iter().map(|timed| {
        let (reach, timed) = (reach.clone(), timed.clone());
        AbortOnDropHandle::new(tokio::spawn(async move { reach.happens(timed).await }))
    });
    let mut tasks: Vec<_> = faults.collect();
    let heals_at = world.script.heals_at;
    tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
        slots::until(reach.history.began(), Owner::World, heals_at).await;
        reach.heal();
    })));
    Happening { tasks }
}

/// Faults that are happening.
#[derive(Debug)]
pub struct Happening {
    tasks: Vec<AbortOnDropHandle<()>>,
}

impl Happening {
    /// Ends them.
    pub fn abort(self) {
        drop(self.tasks);
    }
}

impl Reach {
    async fn happens(&self, timed: Timed) {
        slots::until(self.history.began(), Owner::World, timed.at_ms).await;
        let (kind, who) = named(&timed.fault);
        self.history.fault(kind, &who, format!("{:?}", timed.fault));
        match timed.fault {
            Fault::Cut(coordinator, uid, ms) => {
                self.for_a_while(ms, |cut| self.network.cut(coordinator, &machine::address(uid), cut)).await;
            }
            Fault::CutAll(coordinator, ms) => {
                let cut = |cut| {
                    self.uids().for_each(|uid| self.network.cut(coordinator, &machine::address(uid), cut))
                };
                self.for_a_while(ms, cut).await;
            }
            Fault::Reset(coordinator, uid) => self.network.reset(coordinator, &machine::address(uid)),
            Fault::Slow(coordinator, uid, by, ms) => {
                let slow = |on: bool| {
                    self.network.slow(coordinator, &machine::address(uid), if on { by } else { 0 });
                };
                self.for_a_while(ms, slow).await;
            }
            Fault::StoreCut(coordinator, ms) => {
                let Some(coordinator) = self.coordinator(coordinator) else { return };
                let cut = |cut: bool| coordinator.store_reachable.send_modify(|reachable| *reachable = !cut);
                self.for_a_while(ms, cut).await;
            }
            Fault::KillAgent(uid) => self.machine(uid, |machine| machine.kill_agent()),
            Fault::StateLost(uid) => self.machine(uid, |machine| machine.lose_state()),
            Fault::PowerCut(uid, ms) => {
                let Some(machine) = self.machines.get(index(uid)).cloned() else { return };
                machine.power_cut(Duration::from_millis(ms)).await;
            }
            Fault::KillCoordinator(name) => {
                if let Some(coordinator) = self.coordinator(name) {
                    coordinator.kill();
                }
            }
            Fault::NodeClock(uid, by) => self.machine(uid, |machine| machine.clock.jump(by)),
            Fault::CoordinatorClock(name, by) => {
                if let Some(coordinator) = self.coordinator(name) {
                    coordinator.clock.jump(by);
                }
            }
            Fault::TakeOver => {
                if let Some(second) = self.coordinators.get(1) {
                    take_over(second, CLUSTER, &self.history).await;
                }
            }
            Fault::MasterTo(_)
            | Fault::ServicesCrash(..)
            | Fault::ShardsHeld(..)
            | Fault::RladminHangs(..)
            | Fault::RladminGarbage(..)
            | Fault::RlcheckFails(..)
            | Fault::Task(_) => self.product_happens(timed.fault).await,
        }
    }

    async fn product_happens(&self, fault: Fault) {
        match fault {
            Fault::MasterTo(uid) if self.cluster.is_up(uid) => {
                self.cluster.change(|model, now| model.set_master(Some(uid), now));
            }
            Fault::ServicesCrash(uid, ms) => {
                self.cluster.kill_services(uid);
                slots::wait(self.history.began(), Owner::World, ms).await;
                let ready = self
                    .machines
                    .get(index(uid))
                    .is_some_and(|machine| machine.has_power() && !machine.is_installing());
                if ready {
                    self.cluster.start_services(uid);
                }
            }
            Fault::ShardsHeld(uid, ms) => {
                self.node_for_a_while(uid, ms, |node, on| node.hold = on.then_some(ShardHold::Syncing)).await;
            }
            Fault::RladminHangs(uid, ms) => {
                self.node_for_a_while(uid, ms, |node, on| node.rladmin = on.then_some(RladminFault::Hangs))
                    .await;
            }
            Fault::RladminGarbage(uid, ms) => {
                self.node_for_a_while(uid, ms, |node, on| node.rladmin = on.then_some(RladminFault::Garbage))
                    .await;
            }
            Fault::RlcheckFails(uid, ms) => {
                let lie = || RlcheckLie::Fails("verify_services".to_owned());
                self.node_for_a_while(uid, ms, |node, on| node.rlcheck = on.then(lie)).await;
            }
            Fault::Task(ms) => {
                let task = Task { name: "migrate_shard".to_owned(), id: "1".to_owned(), node: None };
                self.for_a_while(ms, |on| {
                    self.cluster.change(|model, _| {
                        if on { model.tasks.push(task.clone()) } else { model.tasks.clear() }
                    });
                })
                .await;
            }
            _ => {}
        }
    }

    async fn for_a_while(&self, ms: u64, switch: impl Fn(bool)) {
        switch(true);
        slots::wait(self.history.began(), Owner::World, ms).await;
        switch(false);
    }

    async fn node_for_a_while(&self, uid: u32, ms: u64, switch: impl Fn(&mut sim::model::Node, bool)) {
        let on_node = |on| {
            self.cluster.change(|model, _| {
                if let Some(node) = model.nodes.get_mut(&uid) {
                    switch(node, on);
                }
            });
        };
        self.for_a_while(ms, on_node).await;
    }

    /// Mends everything that was broken from outside.
    fn heal(&self) {
        self.history.note("world", "heals");
        for uid in self.uids() {
            let address = machine::address(uid);
            for coordinator in &self.coordinators {
                self.network.cut(coordinator.name(), &address, false);
                self.network.slow(coordinator.name(), &address, 0);
            }
            self.machine(uid, |machine| machine.clock.correct());
        }
        for coordinator in &self.coordinators {
            coordinator.clock.correct();
            coordinator.store_reachable.send_replace(true);
        }
        self.cluster.change(|model, _| {
            model.tasks.clear();
            for node in model.nodes.values_mut() {
                (node.hold, node.rladmin, node.rlcheck) = (None, None, None);
            }
        });
    }

    fn uids(&self) -> impl Iterator<Item = u32> + use<> {
        1..=u32::try_from(self.machines.len()).unwrap_or(0)
    }

    fn coordinator(&self, name: &str) -> Option<Arc<Headquarters>> {
        self.coordinators.iter().find(|coordinator| coordinator.name() == name).cloned()
    }

    fn machine(&self, uid: u32, act: impl FnOnce(&Machine)) {
        if let Some(machine) = self.machines.get(index(uid)) {
            act(machine);
        }
    }
}

fn index(uid: u32) -> usize {
    usize::try_from(uid).unwrap_or(0).saturating_sub(1)
}

/// The kind of a fault, and whom it meets.
fn named(fault: &Fault) -> (&'static str, String) {
    let node = |uid: u32| format!("n{uid}");
    match *fault {
        Fault::Cut(_, uid, _) => ("partition", node(uid)),
        Fault::CutAll(name, _) => ("coordinator-cut-off", name.to_owned()),
        Fault::Reset(_, uid) => ("connection-reset", node(uid)),
        Fault::Slow(_, uid, _, _) => ("slow-link", node(uid)),
        Fault::StoreCut(name, _) => ("store-out-of-reach", name.to_owned()),
        Fault::KillAgent(uid) => ("agent-killed", node(uid)),
        Fault::StateLost(uid) => ("agent-state-lost", node(uid)),
        Fault::PowerCut(uid, _) => ("power-cut", node(uid)),
        Fault::KillCoordinator(name) => ("coordinator-killed", name.to_owned()),
        Fault::NodeClock(uid, _) => ("node-clock-jump", node(uid)),
        Fault::CoordinatorClock(name, _) => ("coordinator-clock-jump", name.to_owned()),
        Fault::MasterTo(uid) => ("master-moves", node(uid)),
        Fault::ServicesCrash(uid, _) => ("services-crash", node(uid)),
        Fault::ShardsHeld(uid, _) => ("shards-not-in-sync", node(uid)),
        Fault::RladminHangs(uid, _) => ("rladmin-hangs", node(uid)),
        Fault::RladminGarbage(uid, _) => ("rladmin-garbage", node(uid)),
        Fault::RlcheckFails(uid, _) => ("rlcheck-fails", node(uid)),
        Fault::Task(_) => ("task-runs", "product".to_owned()),
        Fault::TakeOver => ("take-over", "operator".to_owned()),
    }
}
