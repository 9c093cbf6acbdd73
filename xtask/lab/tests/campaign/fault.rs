//! What goes wrong, and how it is mended.

use lab::{AGENT, Party};

use super::step::{Step, other};
use super::{Campaign, PATIENCE, proof};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9`; its systemd starts it again.
    AgentKilled,
    /// Another file under its name, and `systemctl restart`.
    AgentUpgraded,
    /// systemd itself is executed anew.
    DaemonReexec,
    /// `kill -9`, and `ratchet resume`.
    CoordinatorKilled,
    /// Power off with whatever was not durable lost, and on again.
    PowerCut,
    /// Between coordinator and node, until the node has done its part unseen.
    CutFromCoordinator,
    /// The same, until the coordinator gives up.
    LongCutFromCoordinator,
    /// Between the node and all others, until the coordinator tells something.
    CutFromNodes,
    /// No room for what the agent writes.
    FullDisk,
    /// The installer stands still until its deadline.
    FrozenInstaller,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::AgentKilled => "`kill -9` of the agent",
            Self::AgentUpgraded => "agent's package upgraded",
            Self::DaemonReexec => "`systemctl daemon-reexec`",
            Self::CoordinatorKilled => "`kill -9` of the coordinator",
            Self::PowerCut => "power cut",
            Self::CutFromCoordinator => "coordinator and node cut off",
            Self::LongCutFromCoordinator => "coordinator and node cut off for long",
            Self::CutFromNodes => "node cut off from all other nodes",
            Self::FullDisk => "full disk",
            Self::FrozenInstaller => "`install.sh` stands still",
        })
    }
}

impl Fault {
    /// Whether the held step is let go after the strike.
    pub fn lets_go(self) -> bool {
        !matches!(self, Self::FrozenInstaller | Self::LongCutFromCoordinator)
    }

    pub async fn strike(self, campaign: &mut Campaign, step: Step, victim: u32) {
        let lab = &mut campaign.lab;
        campaign.agent = lab.node(victim).unwrap().property(AGENT, "MainPID").unwrap();
        match self {
            Self::AgentKilled => lab.kill_agent(victim).unwrap(),
            Self::AgentUpgraded => lab.upgrade_agent(victim).unwrap(),
            Self::DaemonReexec => {
                drop(lab.node(victim).unwrap().run(&["systemctl", "daemon-reexec"]).unwrap())
            }
            Self::CoordinatorKilled => campaign.driver.take().unwrap().kill().unwrap(),
            Self::PowerCut => {
                lab.power_cut(victim).unwrap();
                proof::nothing_that_was_told_is_lost(campaign, victim);
            }
            Self::CutFromCoordinator | Self::LongCutFromCoordinator => {
                lab.cut(Party::Coordinator, Party::Node(victim)).unwrap();
            }
            Self::CutFromNodes => {
                for uid in others(campaign, victim) {
                    campaign.lab.cut(Party::Node(victim), Party::Node(uid)).unwrap();
                }
                campaign.see(move |model| !model.nodes[&victim].is_member()).await;
            }
            // There it was filled instead of being held.
            Self::FullDisk if step == Step::Release => {}
            Self::FullDisk => {
                lab.thaw_disk(victim).unwrap();
                lab.fill_disk(victim).unwrap();
            }
            Self::FrozenInstaller => {}
        }
    }

    pub async fn mend(self, campaign: &mut Campaign, step: Step, victim: u32, mark: usize) {
        match self {
            Self::AgentKilled | Self::AgentUpgraded => campaign.agent_is_back(victim).await,
            Self::DaemonReexec => {}
            Self::CoordinatorKilled => {
                let run = campaign.run.clone().unwrap();
                campaign.drive(&["resume", &run]);
            }
            Self::PowerCut => campaign.lab.power_on(victim).unwrap(),
            Self::CutFromCoordinator => {
                proof::until_done_unseen(campaign, step, victim).await;
                campaign.lab.heal(Party::Coordinator, Party::Node(victim)).unwrap();
            }
            Self::LongCutFromCoordinator => {
                campaign.hear_the_end();
                step.let_go(&campaign.lab, victim).await;
                campaign.lab.heal(Party::Coordinator, Party::Node(victim)).unwrap();
            }
            Self::CutFromNodes => {
                campaign.hear_something(mark);
                for uid in others(campaign, victim) {
                    campaign.lab.heal(Party::Node(victim), Party::Node(uid)).unwrap();
                }
                campaign.see(move |model| model.nodes[&victim].is_member()).await;
            }
            Self::FullDisk => {
                campaign.hear_something(mark);
                campaign.lab.make_room(victim).unwrap();
            }
            Self::FrozenInstaller => campaign.hear_the_end(),
        }
    }
}

fn others(campaign: &Campaign, victim: u32) -> Vec<u32> {
    debug_assert_ne!(other(victim), victim);
    campaign.lab.uids().filter(|uid| *uid != victim).collect()
}

impl Campaign {
    /// Hears until the coordinator has ended.
    fn hear_the_end(&mut self) {
        while self.hear() {}
    }

    /// Hears until the journal has something new, or the coordinator has ended.
    fn hear_something(&mut self, mark: usize) {
        while self.told.len() == mark && self.hear() {}
    }

    /// Waits until a node's agent listens again.
    async fn agent_is_back(&self, uid: u32) {
        let back = async {
            let mut looks = tokio::time::interval(std::time::Duration::from_millis(50));
            let listens = || {
                let node = self.lab.node(uid).unwrap();
                let is = |name, wanted| node.property(AGENT, name).is_ok_and(|value| value == wanted);
                is("ActiveState", "active") && !is("MainPID", "0") && !is("MainPID", &self.agent)
            };
            while !listens() {
                looks.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, back).await.expect("the agent does not come back");
    }
}
