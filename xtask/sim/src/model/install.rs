//! Every start of `install.sh`: counted, timed, and shaped by the faults that fire for it.

use jiff::Timestamp;
use proto::Version;
use serde::Serialize;

use super::{Happened, Model};
use crate::fault::{Effect, InstallFault, Phase, Stage, WorldFault};

/// One start of `install.sh` on a node.
#[derive(Clone, Debug, Serialize)]
pub struct Install {
    /// The node.
    pub uid: u32,
    /// The version of the package.
    pub target: Version,
    /// The arguments it was given.
    pub args: Vec<String>,
    /// The process id of its outermost shell.
    pub pid: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended or was found dead; none while it runs.
    pub ended: Option<Timestamp>,
    /// How far it is.
    pub state: InstallState,
    /// The exit status a fault prescribes.
    #[serde(skip)]
    pub(crate) exit: u8,
    #[serde(skip)]
    pub(crate) effects: Vec<(Phase, Effect)>,
}

/// How far an install is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InstallState {
    /// It runs, and is at this stage.
    At(Stage),
    /// It ended with this exit status.
    Exited(u8),
    /// Its process died without saying anything.
    Died,
}

impl Model {
    /// Counts a start of `install.sh` and gives the changes of the world that come before it.
    pub fn install_begins(
        &mut self,
        uid: u32,
        target: Version,
        pid: u32,
        args: Vec<String>,
        now: Timestamp,
    ) -> Vec<WorldFault> {
        let effects = self.script.install_begins(uid, self.master == Some(uid));
        let state = InstallState::At(Stage::Checks);
        self.installs.push(Install {
            uid,
            target,
            args,
            pid,
            started: now,
            ended: None,
            state,
            exit: 0,
            effects,
        });
        self.note(now, Happened::InstallBegan { uid });
        self.world_faults(uid, pid, Phase::Before)
    }

    /// The install a running `install.sh` belongs to.
    pub fn install_mut(&mut self, uid: u32, pid: u32) -> Option<&mut Install> {
        self.installs.iter_mut().rev().find(|install| (install.uid, install.pid) == (uid, pid))
    }

    /// Another `install.sh` that runs on the same node, as the package manager's lock would notice.
    pub fn other_install(&self, uid: u32, pid: u32) -> Option<u32> {
        let busy = |install: &&Install| install.uid == uid && install.pid != pid && install.ended.is_none();
        self.installs.iter().find(busy).map(|install| install.pid)
    }

    /// Whether an earlier install of this node began and did not succeed: it may be run again (fact sheet §5.3, RS77319).
    pub fn was_interrupted(&self, uid: u32, pid: u32) -> bool {
        self.installs.iter().any(|install| install.uid == uid && install.pid != pid)
    }

    /// Changes of the world that fire at a phase of an install.
    pub fn world_faults(&self, uid: u32, pid: u32, phase: Phase) -> Vec<WorldFault> {
        let of_phase = |(at, effect): &(Phase, Effect)| match effect {
            Effect::World(fault) if *at == phase => Some(fault.clone()),
            _ => None,
        };
        self.install(uid, pid)
            .map(|install| install.effects.iter().filter_map(of_phase).collect())
            .unwrap_or_default()
    }

    /// The faults that shape an install.
    pub fn install_faults(&self, uid: u32, pid: u32) -> Vec<InstallFault> {
        let shaping = |(_, effect): &(Phase, Effect)| match effect {
            Effect::Install(fault) => Some(fault.clone()),
            Effect::World(_) => None,
        };
        self.install(uid, pid)
            .map(|install| install.effects.iter().filter_map(shaping).collect())
            .unwrap_or_default()
    }

    /// Ends the hanging of a node's running installer.
    pub(super) fn installer_goes_on(&mut self, uid: u32) {
        let hangs = |effect: &Effect| matches!(effect, Effect::Install(InstallFault::Hang { .. }));
        for install in self.installs.iter_mut().filter(|install| install.uid == uid) {
            install.effects.retain(|(_, effect)| !hangs(effect));
        }
    }

    /// Whether an install is to hang at a stage.
    pub fn hangs(&self, uid: u32, pid: u32, stage: Stage) -> bool {
        self.install_faults(uid, pid).contains(&InstallFault::Hang { at: stage })
    }

    /// Whether an install is over.
    pub fn has_ended(&self, uid: u32, pid: u32) -> bool {
        self.install(uid, pid).is_none_or(|install| install.ended.is_some())
    }

    fn install(&self, uid: u32, pid: u32) -> Option<&Install> {
        self.installs.iter().rev().find(|install| (install.uid, install.pid) == (uid, pid))
    }

    /// Closes an install.
    pub fn install_ends(&mut self, uid: u32, pid: u32, state: InstallState, now: Timestamp) {
        let Some(install) = self.install_mut(uid, pid) else { return };
        if install.ended.is_none() {
            install.ended = Some(now);
            install.state = state;
            self.note(now, Happened::InstallEnded { uid });
        }
    }

    /// Pairs of nodes whose installs ran at the same time, each pair once.
    pub fn overlaps(&self) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        for (index, first) in self.installs.iter().enumerate() {
            for second in &self.installs[index + 1..] {
                if first.ended.is_none_or(|ended| second.started < ended) {
                    pairs.push((first.uid, second.uid));
                }
            }
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClusterSpec;

    #[test]
    fn overlaps_are_seen_also_when_the_first_never_ended() {
        let version = Version::new(7, 4, 2, 54);
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut model = Model::new(&ClusterSpec::modelled(3, version), "127.9.9", at(0));
        model.install_begins(1, version, 10, Vec::new(), at(1));
        model.install_ends(1, 10, InstallState::Exited(0), at(2));
        model.install_begins(2, version, 11, Vec::new(), at(3));
        assert!(model.overlaps().is_empty());
        model.install_begins(3, version, 12, Vec::new(), at(4));
        assert_eq!(model.overlaps(), [(2, 3)]);
    }
}
