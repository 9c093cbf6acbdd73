//! The course of a campaign: what is held before which turn.

use lab::{Lab, Told};

use super::{CLUSTER, Campaign, Cell, Fault, Step, TO};

/// A snapshot that somebody left behind: it keeps every gate shut, and disturbs nothing else.
const PAUSE: &str = "snapshot pause";
/// The node that is claimed first.
const FIRST: u32 = 1;

impl Campaign {
    /// Starts an upgrade whose gates are shut: what shuts the first comes before the first claim, but after the preflight.
    pub(super) async fn begin(&mut self) {
        let mark = self.told.len();
        self.lab.freeze_disk(FIRST).unwrap();
        self.drive(&["upgrade", CLUSTER, "--to", TO, "--yes"]);
        self.until(|told| told[mark..].iter().any(|told| told.kind == "driving")).await;
        self.lab.cluster.inject(&format!("now: node {FIRST} {PAUSE}")).await.unwrap();
        self.lab.thaw_disk(FIRST).unwrap();
    }

    /// Claims and packages. The download of the node that unpacks under a fault waits until the fault of fetching is over.
    pub(super) async fn preparation(&mut self, cells: &[Cell]) {
        let cell = |wanted: Step| cells.iter().copied().find(|(step, _)| *step == wanted);
        for (step, victim) in [(Step::Claim, 2), (Step::Fetch, 3)] {
            if cell(step).is_some() {
                step.arm(&self.lab, victim).await;
            }
        }
        if cell(Step::Unpack).is_some() {
            Step::Fetch.arm(&self.lab, FIRST).await;
        }
        self.lab.cluster.inject(&format!("during install of any: {PAUSE}")).await.unwrap();
        self.begin().await;
        for (step, victim) in [(Step::Claim, 2), (Step::Fetch, 3), (Step::Unpack, FIRST)] {
            if let Some(cell) = cell(step) {
                self.at_work(step, victim).await;
                self.cell(cell, victim).await;
            }
        }
    }

    /// The turns, each with one fault.
    pub(super) async fn turns(&mut self, cells: &[Cell]) {
        let mut mark = 0;
        for (step, fault) in cells.iter().copied() {
            let (victim, shut) =
                self.gate(mark).await.unwrap_or_else(|| panic!("no turn is left for {step:?}"));
            mark = shut;
            step.arm(&self.lab, victim).await;
            mark = match step {
                Step::Gate => self.cell((step, fault), victim).await,
                Step::Release => return self.releases(fault, victim, mark).await,
                _ => {
                    let_all_go(&self.lab).await;
                    self.at_work(step, victim).await;
                    self.cell((step, fault), victim).await
                }
            };
        }
        while let Some((_, shut)) = self.gate(mark).await {
            let_all_go(&self.lab).await;
            mark = shut;
        }
    }

    /// Waits until a gate is told to be shut; whose turn it is then and how much had been told, or nothing if the run is
    /// done.
    async fn gate(&mut self, mark: usize) -> Option<(u32, usize)> {
        let shut = |told: &[Told]| told[mark..].iter().position(|told| told.kind == "gate_held");
        self.until(|told| shut(told).is_some()).await;
        let after = mark + shut(&self.told)? + 1;
        Some((self.next_turn(), after))
    }

    /// The master if it waits, else the lowest: nothing moves while the gate is shut.
    fn next_turn(&self) -> u32 {
        let version = |uid| self.lab.cluster.version(uid).unwrap();
        let lowest = self.lab.uids().map(version).min().unwrap();
        let waiting: Vec<u32> = self.lab.uids().filter(|uid| version(*uid) == lowest).collect();
        let master = self.lab.cluster.master().filter(|master| waiting.contains(master));
        master.unwrap_or(waiting[0])
    }

    /// Lets all turns but the last go by, then strikes while the claims are given back: the second node's is held.
    async fn releases(&mut self, fault: Fault, mut victim: u32, mut mark: usize) {
        let (step, held) = (Step::Release, 2);
        while self.turns_left() > 1 {
            // Armed for a turn that was not the last.
            let_all_go(&self.lab).await;
            self.confirmed(victim).await;
            Step::Witness.let_go(&self.lab, victim).await;
            (victim, mark) = self.gate(mark).await.unwrap();
            step.arm(&self.lab, victim).await;
        }
        let_all_go(&self.lab).await;
        self.confirmed(victim).await;
        match fault {
            // A disk cannot be filled while it is held, and what fills it holds the step as well.
            Fault::FullDisk => self.lab.fill_disk(held).unwrap(),
            _ => self.lab.freeze_disk(held).unwrap(),
        }
        Step::Witness.let_go(&self.lab, victim).await;
        self.until(|told| told.iter().any(|told| told.is("released", held - 1))).await;
        self.cell((step, fault), held).await;
    }

    fn turns_left(&self) -> usize {
        let target = TO.parse().unwrap();
        let version = |uid| self.lab.cluster.version(uid).unwrap();
        let nodes: Vec<_> = self.lab.uids().map(version).collect();
        let lowest = nodes.iter().min().unwrap();
        let in_hop = nodes.iter().filter(|version| *version == lowest).count();
        // In the first hop the whole second one is left, too.
        if nodes.contains(&target) { in_hop } else { in_hop + nodes.len() }
    }
}

/// Takes back every snapshot that was left behind.
pub(super) async fn let_all_go(lab: &Lab) {
    for (uid, node) in lab.cluster.snapshot().nodes {
        for _ in node.snapshots {
            lab.cluster.inject(&format!("now: node {uid} maintenance off")).await.unwrap();
        }
    }
}
