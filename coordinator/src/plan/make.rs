//! Making a plan: what was observed and what is wanted become turns, or the reasons why not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto::{NodeUid, Package, Version};

use super::advice::notes;
use super::document::{PLAN_SCHEMA, Plan, PlannedHop, PlannedNode, PlannedSetting, Turn};
use super::hazards::Hazards;
use super::order::expected_order;
use crate::advisories::Advisories;
use crate::catalogue::{CatalogueEntry, OwnersWord, fitting};
use crate::checks::{
    Acceptance, Context, Finding, Stage, Verdict, accept, blocked, check_all, leaves_open_what_is_installed,
    platform,
};
use crate::fingerprint;
use crate::paths::Table;
use crate::paths::{Hop, NoPath, UpgradePath, find_path_for};
use crate::snapshot::{Snapshot, Witness};

/// What came out of planning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// A plan that may be carried out.
    Plan(Box<Plan>),
    /// Every node is at the target already.
    NothingToDo {
        /// The target.
        version: Version,
        /// How the cluster is all the same.
        findings: Vec<Finding>,
    },
    /// Something stands in the way; nothing may be changed.
    Blocked {
        /// Everything that was found, not only what blocks.
        findings: Vec<Finding>,
    },
}

/// What a plan is made from: values only.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The cluster as it is.
    pub snapshot: &'a Snapshot,
    /// The version every node is to be at.
    pub target: Version,
    /// The packages at hand.
    pub catalogue: &'a [CatalogueEntry],
    /// What the fleet owner says of them; `None` where nobody asks.
    pub signed: Option<&'a OwnersWord>,
    /// The vendor's table.
    pub table: &'a Table,
    /// The vendor's hazards, and the operator's own.
    pub advisories: &'a Advisories,
    /// Settings that are to be changed for the run.
    pub settings: &'a [PlannedSetting],
    /// What somebody accepts although it stands in the way.
    pub accepted: &'a [Acceptance],
    /// What the operator's own hooks found.
    pub hooks: &'a [Finding],
    /// The coordinator's clock.
    pub now: Timestamp,
}

/// Plans the upgrade of a cluster. Nodes above a hop's start, as an interrupted upgrade leaves them, take part where they are
/// below a hop's target; the path starts from the lowest version (design §6).
pub fn make_plan(wanted: &Wanted<'_>) -> Planned {
    Planner { wanted: *wanted }.plan()
}

struct Planner<'a> {
    wanted: Wanted<'a>,
}

impl<'a> Planner<'a> {
    fn plan(&self) -> Planned {
        let installed: Option<BTreeSet<Version>> = self.wanted.snapshot.installed().into_values().collect();
        let installed = installed.filter(|versions| !versions.is_empty());
        if installed
            .as_ref()
            .is_some_and(|versions| versions.iter().all(|version| *version == self.wanted.target))
        {
            return self.nothing_to_do();
        }
        let path = installed.map(|versions| self.path(&versions));
        let findings = self.ask(Stage::Preflight { target: self.wanted.target, path: path.as_ref() });
        if blocked(&findings) {
            return Planned::Blocked { findings };
        }
        let Some(Ok(path)) = path else { return Planned::Blocked { findings } };
        match self.carry_out(&path, &findings) {
            Some(plan) => Planned::Plan(Box::new(plan)),
            None => Planned::Blocked { findings: with_gap(findings) },
        }
    }

    fn ask(&self, stage: Stage<'_>) -> Vec<Finding> {
        let Wanted { snapshot, catalogue, signed, table, advisories, accepted, hooks, now, .. } = self.wanted;
        let context = Context { snapshot, table, catalogue, signed, stage, accepted, run: None, now };
        let mut findings = check_all(&context);
        let others = advisories.findings(&context).into_iter().chain(hooks.iter().cloned()).collect();
        findings.extend(accept(others, accepted));
        findings
    }

    fn nothing_to_do(&self) -> Planned {
        let findings = self.ask(Stage::Survey);
        if leaves_open_what_is_installed(&findings) {
            return Planned::Blocked { findings };
        }
        Planned::NothingToDo { version: self.wanted.target, findings }
    }

    /// A path over packages that fit every node, without hazards where there is one; failing that, over any packages of the right versions, so that the check of
    /// packages can name the node that none fits.
    fn path(&self, installed: &BTreeSet<Version>) -> Result<UpgradePath, NoPath> {
        let all: BTreeSet<Version> =
            self.wanted.catalogue.iter().map(|entry| entry.package.version).collect();
        let witnesses = self.wanted.snapshot.witnesses();
        let fits = |version: &Version| witnesses.iter().all(|witness| self.fits(witness, *version));
        let fitting: BTreeSet<Version> = all.iter().copied().filter(fits).collect();
        let hazards = Hazards::of(&self.wanted, installed);
        let find = |at_hand| self.way(&hazards, installed, at_hand);
        let best = find(&fitting);
        match best {
            Err(NoPath::MissingPackages { .. }) => find(&all).or(best),
            found => found,
        }
    }

    /// Around hazards, but with no more stops for a database that can be upgraded before the first one: there the check
    /// `database-versions` says so before anything is installed.
    fn way(
        &self,
        hazards: &Hazards<'_>,
        installed: &BTreeSet<Version>,
        at_hand: &BTreeSet<Version>,
    ) -> Result<UpgradePath, NoPath> {
        let Wanted { table, target, .. } = self.wanted;
        let around = find_path_for(table, installed, target, at_hand, &|from, to| hazards.on(from, to))?;
        let straight =
            find_path_for(table, installed, target, at_hand, &|from, to| hazards.worth_a_stop(from, to))?;
        Ok(if straight.hops.len() < around.hops.len() { straight } else { around })
    }

    fn fits(&self, witness: &Witness<'_>, version: Version) -> bool {
        let below = witness.facts.installed.known().is_none_or(|installed| installed.version < version);
        match platform(witness) {
            Some((os, arch)) if below => fitting(self.wanted.catalogue, version, &os, arch).is_ok(),
            Some(_) | None => true,
        }
    }

    /// The plan for a path that every check has passed; `None` if a fact it needs is missing all the same.
    fn carry_out(&self, path: &UpgradePath, findings: &[Finding]) -> Option<Plan> {
        let nodes = self.nodes()?;
        let master = self.wanted.snapshot.agreed_master()?;
        let mut packages: Vec<Package> = Vec::new();
        let mut at: BTreeMap<NodeUid, Version> =
            nodes.iter().map(|node| (node.uid, node.installed)).collect();
        let mut hops = Vec::new();
        for hop in &path.hops {
            hops.push(self.hop(hop, &nodes, &at, master, &mut packages)?);
            at.values_mut().for_each(|version| *version = (*version).max(hop.to));
        }
        Some(Plan {
            schema: PLAN_SCHEMA.to_owned(),
            cluster: self.wanted.snapshot.cluster.clone(),
            made_at: self.wanted.now,
            target: self.wanted.target,
            table_digest: self.wanted.table.digest(),
            notes: notes(&hops),
            nodes,
            hops,
            packages,
            settings: self.wanted.settings.to_vec(),
            advisories_digest: Some(self.wanted.advisories.digest()),
            configuration: Some(fingerprint::read(self.wanted.snapshot).fingerprint),
            accepted: self.wanted.accepted.to_vec(),
            findings: findings.to_vec(),
        })
    }

    fn nodes(&self) -> Option<Vec<PlannedNode>> {
        self.wanted
            .snapshot
            .listed()
            .into_iter()
            .map(|uid| planned_node(&self.wanted.snapshot.node(uid)?))
            .collect()
    }

    fn hop(
        &self,
        hop: &Hop,
        nodes: &[PlannedNode],
        at: &BTreeMap<NodeUid, Version>,
        master: NodeUid,
        packages: &mut Vec<Package>,
    ) -> Option<PlannedHop> {
        let below = at.iter().filter(|(_, version)| **version < hop.to).map(|(uid, _)| *uid).collect();
        let already_there =
            at.iter().filter(|(_, version)| **version >= hop.to).map(|(uid, _)| *uid).collect();
        let mut turns = Vec::new();
        for uid in expected_order(below, master) {
            let node = nodes.iter().find(|node| node.uid == uid)?;
            let package = &fitting(self.wanted.catalogue, hop.to, &node.os, node.arch).ok()?.package;
            if !packages.contains(package) {
                packages.push(package.clone());
            }
            turns.push(Turn { node: uid, from: *at.get(&uid)?, package: package.sha256, role: node.role });
        }
        let Hop { from, to, ref source, status, .. } = *hop;
        Some(PlannedHop { from, to, source: source.clone(), status, turns, already_there })
    }
}

fn planned_node(witness: &Witness<'_>) -> Option<PlannedNode> {
    let (os, arch) = platform(witness)?;
    let row = witness.facts.view.known()?.node(witness.uid)?;
    Some(PlannedNode {
        uid: witness.uid,
        agent: witness.agent.to_owned(),
        address: row.address.clone(),
        hostname: row.hostname.clone(),
        installed: witness.facts.installed.known()?.version,
        role: row.role?,
        os,
        arch,
        install_args: witness.facts.install_args.clone(),
    })
}

/// No check asks for a fact that the plan needs: that must not look like a pass.
fn with_gap(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.push(Finding {
        check: "plan".to_owned(),
        verdict: Verdict::CannotTell,
        node: None,
        agent: None,
        saw: "a fact the plan needs is missing, although all checks passed".to_owned(),
        why: "this is a fault of Ratchet".to_owned(),
        remedy: Some("report it with the output of `ratchet check -o json`".to_owned()),
        source: String::new(),
        promise: Some("P5".to_owned()),
        accepted: None,
    });
    findings
}
