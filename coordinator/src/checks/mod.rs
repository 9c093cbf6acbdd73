//! Checks: pure predicates over a snapshot. One file each, and one line in [`ALL`].
//!
//! No check maps "unknown" to "well": what cannot be told stands in the way (promise P5). All are asked, none hides another.

mod acceptance;
mod actions;
mod active_active_order;
mod agreement;
mod alerts;
mod auto_upgrade;
mod background_work;
mod backup;
mod bundled_db;
mod busy;
mod certificates;
mod claim;
mod clock;
mod context;
mod dependencies;
mod disk;
mod end_of_life;
mod finding;
mod freshness;
mod health;
mod host_settings;
mod install_args;
mod installation;
mod licence;
mod logrotate;
mod maintenance;
mod managed_elsewhere;
mod master;
mod membership;
mod memory;
mod node_count;
mod os_support;
mod package;
mod package_checksum;
mod path;
mod platform;
mod platforms;
mod port_53;
mod port_range;
mod privileges;
mod quorum;
mod redis_upgrade_policy;
mod replica_ha;
mod replication;
mod reserved_ports;
mod rlcheck;
mod security_agents;
mod services;
mod signed_catalogue;
mod swap;
mod time_sync;
mod tmp_room;
mod told;
mod upgrade_mode;
mod versions;

use proto::{NodeUid, Version};
use serde::{Deserialize, Serialize};

pub use acceptance::{Acceptance, InvalidAcceptance, accept};
pub(crate) use context::platform;
pub use context::{Context, Stage};
pub use finding::{Finding, Verdict};

/// A check, as the registry lists it.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// A stable word for programs.
    pub id: &'static str,
    /// What holds when it passes, for people.
    pub title: &'static str,
    /// Where the vendor, or the design, asks for it.
    pub source: &'static str,
    /// How strongly it speaks at most.
    pub severity: Severity,
    /// The promise it keeps, if one: then nobody can accept it away.
    pub promise: Option<&'static str>,
    /// When it is asked.
    pub when: When,
    run: fn(&Context<'_>) -> Vec<Finding>,
}

/// How strongly a check or an advisory speaks at most (fact sheet §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A person should think about it before saying yes.
    Warn,
    /// It must not go on, and neither must it while nobody can tell.
    Block,
}

/// When a check is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In a survey, before a plan, and at every gate.
    Always,
    /// In a survey and before a plan.
    Before,
    /// Before a plan: it needs the target.
    Planning,
    /// Before a plan and at every gate: it needs the target.
    PlanningAndGate,
    /// At every gate.
    Gate,
}

/// What to do when a check knows nothing better.
const AGAIN: &str = "ratchet check CLUSTER --to V";

/// All checks, in the order in which people read them.
pub const ALL: &[Check] = &[
    membership::CHECK,
    agreement::CHECK,
    master::CHECK,
    freshness::CHECK,
    path::CHECK,
    versions::CHECK,
    managed_elsewhere::CHECK,
    privileges::CHECK,
    health::CHECK,
    maintenance::CHECK,
    actions::CHECK,
    background_work::CHECK,
    rlcheck::CHECK,
    services::CHECK,
    alerts::CHECK,
    upgrade_mode::CHECK,
    claim::CHECK,
    busy::CHECK,
    platform::CHECK,
    os_support::CHECK,
    installation::CHECK,
    install_args::CHECK,
    package::CHECK,
    package_checksum::CHECK,
    signed_catalogue::CHECK,
    dependencies::CHECK,
    disk::CHECK,
    tmp_room::CHECK,
    reserved_ports::CHECK,
    port_53::CHECK,
    port_range::CHECK,
    host_settings::CHECK,
    swap::CHECK,
    memory::CHECK,
    security_agents::CHECK,
    bundled_db::CHECK,
    redis_upgrade_policy::CHECK,
    auto_upgrade::CHECK,
    active_active_order::CHECK,
    quorum::CHECK,
    replica_ha::CHECK,
    replication::CHECK,
    backup::CHECK,
    node_count::CHECK,
    clock::CHECK,
    time_sync::CHECK,
    licence::CHECK,
    certificates::CHECK,
    logrotate::CHECK,
    end_of_life::CHECK,
];

/// Asks every check that the stage calls for, and returns everything they found.
pub fn check_all(context: &Context<'_>) -> Vec<Finding> {
    let asked = ALL.iter().filter(|check| check.when.includes(&context.stage));
    accept(asked.flat_map(|check| check.ask(context)).collect(), context.accepted)
}

/// Whether anything among the findings stands in the way.
pub fn blocked(findings: &[Finding]) -> bool {
    findings.iter().any(Finding::blocks)
}

/// Whether the findings leave open which nodes there are and at which versions: then even "nothing to do" cannot be said.
pub(crate) fn leaves_open_what_is_installed(findings: &[Finding]) -> bool {
    let about = [membership::CHECK.id, agreement::CHECK.id, versions::CHECK.id];
    findings.iter().any(|finding| finding.blocks() && about.contains(&finding.check.as_str()))
}

/// Proof that a gate passed: a turn needs one, and only [`gate`] makes them (promise P4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared {
    node: NodeUid,
    to: Version,
    findings: Vec<Finding>,
}

impl Cleared {
    /// The node whose turn may begin.
    pub fn node(&self) -> NodeUid {
        self.node
    }

    /// The version it may be upgraded to.
    pub fn to(&self) -> Version {
        self.to
    }

    /// Everything that was found: passes and warnings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Whether a node's turn may begin: every check of the gate, on a fresh snapshot (promise P4). The error is everything
/// that was found. A context whose stage is no gate clears nothing.
pub fn gate(context: &Context<'_>) -> Result<Cleared, Vec<Finding>> {
    let findings = check_all(context);
    match context.stage {
        Stage::Gate { node, to } if !blocked(&findings) => Ok(Cleared { node, to, findings }),
        Stage::Gate { .. } | Stage::Survey | Stage::Preflight { .. } => Err(findings),
    }
}

impl When {
    /// When that is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Always => "in a survey, before a plan, and before every turn",
            Self::Before => "in a survey and before a plan",
            Self::Planning => "before a plan",
            Self::PlanningAndGate => "before a plan and before every turn",
            Self::Gate => "before every turn",
        }
    }

    fn includes(self, stage: &Stage<'_>) -> bool {
        match stage {
            Stage::Survey => matches!(self, Self::Always | Self::Before),
            Stage::Preflight { .. } => !matches!(self, Self::Gate),
            Stage::Gate { .. } => matches!(self, Self::Always | Self::PlanningAndGate | Self::Gate),
        }
    }
}

impl Check {
    /// A check that says nothing has not passed.
    fn ask(&self, context: &Context<'_>) -> Vec<Finding> {
        let findings = (self.run)(context);
        if findings.is_empty() {
            return vec![self.cannot_tell("the check said nothing", "a check that passes must say so")];
        }
        findings
    }

    fn pass(&self, saw: impl Into<String>) -> Finding {
        self.finding(Verdict::Pass, saw.into(), "")
    }

    fn warn(&self, saw: impl Into<String>, why: &str) -> Finding {
        self.finding(Verdict::Warn, saw.into(), why)
    }

    fn info(&self, saw: impl Into<String>, why: &str) -> Finding {
        self.finding(Verdict::Info, saw.into(), why)
    }

    /// A fact is missing: it stands in the way if what it might have shown would.
    fn unknown(&self, saw: impl Into<String>, why: &str) -> Finding {
        match self.severity {
            Severity::Block => self.cannot_tell(saw, why),
            Severity::Warn => self.warn(format!("cannot tell: {}", saw.into()), why),
            Severity::Info => self.info(format!("cannot tell: {}", saw.into()), why),
        }
    }

    fn block(&self, saw: impl Into<String>, why: &str) -> Finding {
        self.finding(Verdict::Block, saw.into(), why)
    }

    fn cannot_tell(&self, saw: impl Into<String>, why: &str) -> Finding {
        self.finding(Verdict::CannotTell, saw.into(), why)
    }

    fn finding(&self, verdict: Verdict, saw: String, why: &str) -> Finding {
        // Whatever stands in the way comes with something to do; most checks know better and say so.
        let remedy = verdict.blocks().then(|| format!("{AGAIN}   # once what is named here is put right"));
        Finding {
            check: self.id.to_owned(),
            verdict,
            node: None,
            agent: None,
            saw,
            why: why.to_owned(),
            remedy,
            source: self.source.to_owned(),
            promise: self.promise.map(str::to_owned),
            accepted: None,
        }
    }

    /// The findings, or a pass if there are none and there was something to look at.
    fn or_pass(&self, findings: Vec<Finding>, looked_at: usize, saw: impl Into<String>) -> Vec<Finding> {
        match (findings.is_empty(), looked_at) {
            (false, _) => findings,
            (true, 0) => vec![self.cannot_tell("no agent answered", "there is nothing to judge by")],
            (true, _) => vec![self.pass(saw)],
        }
    }
}

#[cfg(test)]
mod tests;
