//! Steps, and how each is held while it is at work: by what it needs, not by waiting for the right moment.

use lab::{Lab, Told};
use sim::model::{InstallState, Model};

use super::{Campaign, PATIENCE};

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Claim,
    Fetch,
    Unpack,
    Gate,
    Check,
    /// Held at a stage of `install.sh`, by the word of the fault language.
    Install(&'static str),
    Confirm,
    Witness,
    Release,
}

/// Where the installer is held if nothing else is asked for: services down, old files.
pub const INSTALL: Step = Step::Install("files");

impl std::fmt::Display for Step {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Install(stage) => write!(out, "install, at `{stage}`"),
            other => out.write_str(other.word()),
        }
    }
}

impl Step {
    pub const ALL: [Self; 9] = [
        Self::Claim,
        Self::Fetch,
        Self::Unpack,
        Self::Gate,
        Self::Check,
        INSTALL,
        Self::Confirm,
        Self::Witness,
        Self::Release,
    ];

    /// Whether it belongs to the time before the first turn.
    pub fn is_early(self) -> bool {
        matches!(self, Self::Claim | Self::Fetch | Self::Unpack)
    }

    /// Its name in journals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Fetch => "fetch",
            Self::Unpack => "unpack",
            Self::Gate => "gate",
            Self::Check => "check",
            Self::Install(_) => "install",
            Self::Confirm => "confirm",
            Self::Witness => "witness",
            Self::Release => "release",
        }
    }

    /// Whether an event says that the step has succeeded for this node.
    pub fn succeeds(self, told: &Told, node: u32) -> bool {
        let ended = |how: &str| told.is("step_ended", node) && told.text.contains(how);
        match self {
            Self::Claim => told.is("claimed", node),
            Self::Fetch => ended("verified"),
            Self::Unpack => ended("unpacked"),
            Self::Gate => told.kind == "gate_passed",
            Self::Check => ended("rlcheck passed"),
            // Only others' word ends a turn.
            Self::Install(_) | Self::Confirm | Self::Witness => {
                told.is("witnessed", node) || told.is("seen_at_target", node)
            }
            // Or kept, with the reason: then it is for a person to have it given back.
            Self::Release => told.is("released", node),
        }
    }

    /// Sees to it that the step will be held on this node. All turns are kept waiting meanwhile.
    pub async fn arm(self, lab: &Lab, victim: u32) {
        let asked = other(victim);
        let fault = match self {
            Self::Claim => return lab.freeze_disk(victim).unwrap(),
            Self::Fetch => return lab.shut_mirror(victim),
            Self::Unpack | Self::Gate => return,
            Self::Check => format!("now: node {victim} rlcheck hangs"),
            Self::Install(stage) => format!("on install of node {victim} nth 1: hang at {stage}"),
            Self::Confirm => format!("after install of node {victim} nth 1: rlcheck hangs"),
            Self::Witness | Self::Release => {
                format!("during install of node {victim} nth 1: node {asked} rladmin hangs")
            }
        };
        lab.cluster.inject(&fault).await.unwrap();
    }

    /// Lets it go on, if it is held.
    pub async fn let_go(self, lab: &Lab, victim: u32) {
        let asked = other(victim);
        let fault = match self {
            Self::Claim | Self::Unpack | Self::Release => return lab.thaw_disk(victim).unwrap(),
            Self::Fetch => return lab.open_mirror(victim),
            Self::Gate => return super::turns::let_all_go(lab).await,
            Self::Check | Self::Confirm => format!("now: node {victim} rlcheck honest"),
            Self::Install(_) => format!("now: node {victim} installer goes on"),
            Self::Witness => format!("now: node {asked} rladmin honest"),
        };
        lab.cluster.inject(&fault).await.unwrap();
    }
}

/// A node whose word is wanted about this one.
pub fn other(uid: u32) -> u32 {
    if uid == 1 { 2 } else { 1 }
}

impl Campaign {
    /// Waits until the armed step is at work.
    pub async fn at_work(&mut self, step: Step, victim: u32) {
        let mark = self.told.len();
        match step {
            Step::Claim => self.until(|told| told.iter().any(|told| told.is("claimed", victim - 1))).await,
            Step::Fetch => {
                self.until(|told| told.iter().any(|told| told.begins("fetch", victim))).await;
                let waits = tokio::time::timeout(PATIENCE, self.lab.downloads(victim)).await;
                waits.expect("the node downloads nothing");
            }
            Step::Unpack => {
                self.lab.open_mirror(victim);
                self.until(|told| told[mark..].iter().any(|told| told.begins("unpack", victim))).await;
                self.lab.freeze_disk(victim).unwrap();
            }
            // Its hold is what it is at work on.
            Step::Gate => {}
            Step::Check | Step::Confirm => {
                self.until(|told| told[mark..].iter().any(|told| told.begins(step.word(), victim))).await;
                self.see(move |model| model.nodes[&victim].hanging > 0).await;
            }
            Step::Install(stage) => {
                self.until(|told| told[mark..].iter().any(|told| told.begins("install", victim))).await;
                self.see(move |model| installs(model, victim, stage)).await;
            }
            Step::Witness => self.confirmed(victim).await,
            Step::Release => panic!("it is nobody's turn"),
        }
    }

    /// Waits until the node has confirmed itself and another is asked about it, which hangs.
    pub async fn confirmed(&mut self, victim: u32) {
        let mark = self.told.len();
        self.until(|told| {
            let begun = told[mark..].iter().position(|told| told.begins("confirm", victim));
            begun.is_some_and(|at| told[mark + at..].iter().any(|told| told.is("step_ended", victim)))
        })
        .await;
        self.see(move |model| model.nodes[&other(victim)].hanging > 0).await;
    }

    /// Waits until the cluster is so.
    pub async fn see(&self, wanted: impl Fn(&Model) -> bool) {
        let seen = self.lab.cluster.wait_until(PATIENCE, wanted).await;
        assert!(seen, "it does not come to that: {:?}", self.lab.cluster.snapshot());
    }
}

/// Whether the node's installer is at this stage.
fn installs(model: &Model, uid: u32, stage: &str) -> bool {
    let mut running = model.installs.iter().filter(|install| install.uid == uid && install.ended.is_none());
    running.any(|install| match install.state {
        InstallState::At(at) => format!("{at:?}").eq_ignore_ascii_case(stage),
        InstallState::Exited(_) | InstallState::Died => false,
    })
}
