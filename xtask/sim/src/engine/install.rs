//! The server's part in `install.sh`: what it may see, what happens to the node, and the faults on the way.

use std::sync::Arc;
use std::time::Duration;

use proto::Version;

use super::Engine;
use crate::fault::{InstallFault, Phase, Stage};
use crate::model::{InstallState, Model, Node, ShardState};
use crate::wire::{Directive, InstallFacts, Reply};

impl Engine {
    /// Counts the start, lets the faults before it happen, and gives what the checks look at.
    pub(super) async fn install_begins(
        self: &Arc<Self>,
        uid: u32,
        pid: u32,
        target: Version,
        args: Vec<String>,
    ) -> Reply {
        let faults = self.change(|model, now| model.install_begins(uid, target, pid, args, now));
        self.apply(faults, Some(uid)).await;
        Reply::Facts(Box::new(self.read(|model| facts(model, uid, pid))))
    }

    /// Does what belongs to a stage, unless a fault comes in between.
    pub(super) async fn install_reaches(self: &Arc<Self>, uid: u32, pid: u32, stage: Stage) -> Reply {
        let faults = self.change(|model, _| {
            if let Some(install) = model.install_mut(uid, pid) {
                install.state = InstallState::At(stage);
            }
            model.install_faults(uid, pid)
        });
        for fault in faults.iter().filter(|fault| fault.stage() == Some(stage)) {
            if let Some(directive) = self.interrupt(uid, pid, fault).await {
                return Reply::Directive(directive);
            }
        }
        Reply::Directive(match stage {
            Stage::Checks => Directive::Go,
            Stage::Stop => self.stage_stop(uid, pid).await,
            Stage::Files => self.stage_files(uid, pid, &faults).await,
            Stage::Start => self.stage_start(uid, &faults).await,
            Stage::Finish => self.stage_finish(uid, pid, &faults).await,
        })
    }

    async fn interrupt(self: &Arc<Self>, uid: u32, pid: u32, fault: &InstallFault) -> Option<Directive> {
        match fault {
            InstallFault::Abort { exit, .. } => {
                self.set_exit(uid, pid, *exit);
                Some(Directive::Abort)
            }
            InstallFault::Hang { at } => {
                self.until(|model| !model.hangs(uid, pid, *at) || model.has_ended(uid, pid)).await;
                // Killed meanwhile: nothing more happens to the node for its sake.
                self.read(|model| model.has_ended(uid, pid)).then_some(Directive::Kill)
            }
            InstallFault::Killed { .. } => Some(Directive::Kill),
            InstallFault::Reboot { back, .. } => {
                self.kill_services(uid).await;
                self.start_services_after(uid, *back);
                Some(Directive::Kill)
            }
            _ => None,
        }
    }

    fn start_services_after(self: &Arc<Self>, uid: u32, delay: Duration) {
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            engine.start_services(uid).await
        });
    }

    async fn stage_stop(self: &Arc<Self>, uid: u32, pid: u32) -> Directive {
        self.change(|model, _| model.upgrade_mode = true);
        self.stop_services(uid).await;
        let faults = self.read(|model| model.world_faults(uid, pid, Phase::During));
        self.apply(faults, Some(uid)).await;
        Directive::Go
    }

    async fn stage_files(&self, uid: u32, pid: u32, faults: &[InstallFault]) -> Directive {
        let mut takes = self.read(|model| model.timing.install);
        let mut version = self.change(|model, _| model.install_mut(uid, pid).map(|install| install.target));
        for fault in faults {
            match fault {
                InstallFault::Takes(time) => takes = *time,
                InstallFault::Version(other) => version = Some(*other),
                InstallFault::DiskFull => return Directive::DiskFull,
                _ => {}
            }
        }
        tokio::time::sleep(takes).await;
        version.map_or(Directive::Abort, Directive::Write)
    }

    async fn stage_start(self: &Arc<Self>, uid: u32, faults: &[InstallFault]) -> Directive {
        if faults.contains(&InstallFault::ServicesStayDown) || !self.start_services(uid).await {
            return Directive::Abort;
        }
        Directive::Go
    }

    async fn stage_finish(self: &Arc<Self>, uid: u32, pid: u32, faults: &[InstallFault]) -> Directive {
        let world = self.read(|model| model.world_faults(uid, pid, Phase::After));
        self.apply(world, Some(uid)).await;
        self.change(|model, _| model.upgrade_mode = false);
        for fault in faults {
            if let InstallFault::Exit(code) = fault {
                self.set_exit(uid, pid, *code);
            }
        }
        Directive::Go
    }

    fn set_exit(&self, uid: u32, pid: u32, code: u8) {
        self.change(|model, _| {
            if let Some(install) = model.install_mut(uid, pid) {
                install.exit = code;
            }
        });
    }

    /// Closes an install and gives its exit status.
    pub(super) fn install_ends(&self, uid: u32, pid: u32) -> Reply {
        let code = self.change(|model, now| {
            let code = model.install_mut(uid, pid).map_or(1, |install| install.exit);
            model.install_ends(uid, pid, InstallState::Exited(code), now);
            code
        });
        Reply::Directive(Directive::Exit(code))
    }
}

fn facts(model: &Model, uid: u32, pid: u32) -> InstallFacts {
    let node = model.nodes.get(&uid);
    let unfinished = |state| matches!(state, ShardState::Loading | ShardState::Syncing);
    let syncing = model.shards.values().filter(|shard| unfinished(model.shard_state(shard)));
    InstallFacts {
        os: model.os.clone(),
        arch: model.arch.to_string(),
        address: node.map(|node| node.address.clone()).unwrap_or_default(),
        node_active: node.is_some_and(Node::is_up),
        ccs_link_up: model.ccs_link_up,
        tasks: model.tasks.iter().map(|task| task.name.clone()).collect(),
        syncing: syncing.map(|shard| shard.id).collect(),
        is_master: model.master == Some(uid),
        master_version: model.master.and_then(|master| model.nodes.get(&master)).map(|node| node.version),
        is_rerun: model.upgrade_mode && model.was_interrupted(uid, pid),
        locked_by: model.other_install(uid, pid),
    }
}
