//! A small world for the machine: what a driver, its agents and a cluster would do, without any of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proto::{
    Checked, Epoch, Exit, Failure, Installed, InstalledVersion, NodeRole, NodeUid, OsToken, Package, Rlcheck,
    RunId, Setting, Sha256, StepId, StepOutcome, StepReport, StepSpec, Version,
};

use crate::paths::Status;
use crate::plan::{Plan, PlannedHop, PlannedNode, PlannedSetting, Turn, next_turn};
use crate::run::{
    Action, Deadlines, Event, Halt, Phase, Record, Request, Run, StepOrder, decide, next, replay,
};

/// A plan for so many nodes along these versions, node `master` being the master.
pub(super) fn plan(nodes: u32, versions: &[Version], master: u32) -> Plan {
    let uids = || (1..=nodes).map(NodeUid);
    let role = |uid: NodeUid| if uid.0 == master { NodeRole::Master } else { NodeRole::Replica };
    let node = |uid: NodeUid| PlannedNode {
        uid,
        agent: format!("192.0.2.{}:7443", uid.0),
        address: format!("192.0.2.{}", uid.0),
        hostname: format!("n{}", uid.0),
        installed: versions[0],
        role: role(uid),
        os: OsToken("jammy".to_owned()),
        arch: proto::Arch::Amd64,
        install_args: vec!["-y".to_owned()],
    };
    let hop = |pair: &[Version]| PlannedHop {
        from: pair[0],
        to: pair[1],
        source: "the table".to_owned(),
        status: Status::Current,
        turns: uids()
            .map(|uid| Turn { node: uid, from: pair[0], package: digest(pair[1]), role: role(uid) })
            .collect(),
        already_there: Vec::new(),
    };
    Plan {
        schema: "ratchet.plan/1".to_owned(),
        cluster: "orders".parse().unwrap(),
        made_at: noon(),
        target: *versions.last().unwrap(),
        table_digest: Sha256::of(b"table"),
        advisories_digest: None,
        configuration: None,
        accepted: Vec::new(),
        nodes: uids().map(node).collect(),
        hops: versions.windows(2).map(hop).collect(),
        packages: versions[1..].iter().map(|version| package(*version)).collect(),
        settings: Vec::new(),
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

fn digest(version: Version) -> Sha256 {
    Sha256::of(version.to_string().as_bytes())
}

fn package(version: Version) -> Package {
    Package {
        sha256: digest(version),
        version,
        os: OsToken("jammy".to_owned()),
        arch: proto::Arch::Amd64,
        size: Some(1),
        sources: vec!["file:///p.tar".to_owned()],
    }
}

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

/// What every setting is before the run.
pub(super) const ORIGINAL: u64 = 600;

/// What the world does to one step; chosen by the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It works.
    Works,
    /// It fails, having changed nothing; a fetch or unpack for a reason that may pass.
    Fails,
    /// It is refused for a reason that a person must put right.
    Refused,
    /// An install ends by itself and leaves the node as it was.
    InstallsNothing,
    /// It is cut off half-way, having worked.
    CutOffDone,
    /// It is cut off half-way, having done nothing.
    CutOffUndone,
    /// The coordinator dies after the intent, before the agent hears of it.
    DiesBefore,
    /// The coordinator dies after the agent has begun.
    DiesDuring,
}

/// A cluster, its agents and a journal.
pub(super) struct World {
    pub(super) records: Vec<Record>,
    pub(super) run: Run,
    pub(super) versions: BTreeMap<NodeUid, Version>,
    pub(super) master: NodeUid,
    pub(super) healthy: bool,
    /// The cluster's settings.
    pub(super) settings: BTreeMap<Setting, u64>,
    /// Every install that really began, in order.
    pub(super) installs: Vec<(NodeUid, StepId)>,
    /// The node between the start of its install and its confirmation.
    pub(super) between: Option<NodeUid>,
    known_to_agents: BTreeMap<StepId, StepOutcome>,
    /// When the gate's next look is; it counts only against breaches.
    gate_looks_at: Timestamp,
    epoch: u64,
    checked: BTreeSet<NodeUid>,
}

impl World {
    pub(super) fn new(nodes: u32, versions: &[Version], master: u32) -> Self {
        Self::with_settings(nodes, versions, master, &[])
    }

    /// The same, with settings to be changed for the run.
    pub(super) fn with_settings(
        nodes: u32,
        versions: &[Version],
        master: u32,
        settings: &[PlannedSetting],
    ) -> Self {
        let plan = Plan { settings: settings.to_vec(), ..plan(nodes, versions, master) };
        let created = Event::Created {
            plan: Box::new(plan),
            prepare_only: false,
            deadlines: Deadlines::default(),
            by: "somebody".to_owned(),
        };
        let records = vec![Record { seq: 1, epoch: Epoch(1), at: noon(), event: created }];
        let run = replay(&id(), &records).unwrap();
        let mut world = Self {
            records,
            run,
            versions: (1..=nodes).map(|uid| (NodeUid(uid), versions[0])).collect(),
            master: NodeUid(master),
            healthy: true,
            settings: Setting::ALL.into_iter().map(|setting| (setting, ORIGINAL)).collect(),
            installs: Vec::new(),
            between: None,
            known_to_agents: BTreeMap::new(),
            gate_looks_at: noon(),
            epoch: 0,
            checked: BTreeSet::new(),
        };
        world.take_over();
        world
    }

    /// A coordinator comes, knowing nothing but the journal.
    pub(super) fn take_over(&mut self) {
        self.epoch += 1;
        self.run = replay(&id(), &self.records).unwrap();
        self.checked.clear();
        self.append(Event::Driving { holder: "driver".to_owned() });
    }

    pub(super) fn append(&mut self, event: Event) {
        let seq = self.records.len() as u64 + 1;
        let at = noon().checked_add(SignedDuration::from_secs(seq.cast_signed())).unwrap();
        let record = Record { seq, epoch: Epoch(self.epoch), at, event };
        self.run = next(self.run.clone(), &record).unwrap_or_else(|illegal| panic!("{illegal}"));
        self.records.push(record);
    }

    pub(super) fn ask(&mut self, request: Request) {
        self.append(Event::Requested { request, by: "somebody".to_owned() });
    }

    /// One decision carried out; `false` when the run stands still.
    pub(super) fn step(&mut self, fate: &mut impl FnMut(&StepOrder) -> Fate) -> bool {
        match decide(&self.run) {
            Action::Claim(node) => self.append(Event::Claimed { node, memory: None }),
            Action::Prepare(orders) => {
                for order in orders {
                    let fate = fate(&order);
                    if !self.perform(order, fate) {
                        return true;
                    }
                }
            }
            Action::Execute(order) => {
                let fate = fate(&order);
                self.perform(order, fate);
            }
            Action::Rejoin(order) => self.rejoin(order),
            Action::Gate { hop } => self.gate(hop),
            Action::Witness { hop, node } => self.witness(hop, node),
            Action::Record(setting) => self.record(setting),
            Action::Restored(setting) => self.append(Event::SettingRestored { setting }),
            Action::Halt(halt) => self.append(Event::Halted(Box::new(halt))),
            Action::Pause => self.append(Event::Paused),
            Action::Release(node) => self.append(Event::Released { node, trouble: None }),
            Action::End(end) => self.append(Event::Ended(end)),
            Action::Stand => return false,
        }
        true
    }

    /// A step is intended and sent; `false` if the coordinator died over it.
    fn perform(&mut self, order: StepOrder, fate: Fate) -> bool {
        if order.new {
            let StepOrder { step, node, hop, spec, .. } = order.clone();
            self.append(Event::StepIntended { step, node, hop, spec });
        }
        if fate == Fate::DiesBefore {
            self.take_over();
            return false;
        }
        let outcome = match self.known_to_agents.get(&order.step) {
            Some(outcome) => outcome.clone(),
            None => self.happen(&order, fate),
        };
        self.known_to_agents.insert(order.step.clone(), outcome.clone());
        if fate == Fate::DiesDuring {
            self.take_over();
            return false;
        }
        self.append(Event::StepEnded { step: order.step, outcome: Box::new(outcome) });
        true
    }

    fn rejoin(&mut self, order: StepOrder) {
        let event = match self.known_to_agents.get(&order.step) {
            Some(outcome) => Event::StepEnded { step: order.step, outcome: Box::new(outcome.clone()) },
            None => Event::StepNeverStarted { step: order.step },
        };
        self.append(event);
    }

    /// What really happens on the node; the promises are checked where the effect is.
    fn happen(&mut self, order: &StepOrder, fate: Fate) -> StepOutcome {
        let node = order.node;
        let preparing = matches!(order.spec, StepSpec::Fetch { .. } | StepSpec::Unpack { .. });
        if fate == Fate::Fails && preparing {
            return StepOutcome::Failed(Failure::retry("fate", "it failed"));
        }
        if matches!(fate, Fate::Fails | Fate::Refused) {
            return StepOutcome::Failed(Failure::operator("fate", "it failed", "try again"));
        }
        let report = match &order.spec {
            StepSpec::Fetch { .. } => StepReport::Fetch { size: 1, source: String::new() },
            StepSpec::Unpack { .. } => StepReport::Unpack { files: 1, size: 1, authenticity: Vec::new() },
            StepSpec::Check if !self.healthy => {
                return StepOutcome::Failed(Failure::operator("check", "not healthy", "repair"));
            }
            StepSpec::Check => {
                self.checked.insert(node);
                StepReport::Check(self.sees(node))
            }
            StepSpec::Install(spec) => {
                let role = if node == self.master { NodeRole::Master } else { NodeRole::Replica };
                if spec.expected_role != Some(role) {
                    return StepOutcome::Failed(Failure::retry("role-changed", "the role moved"));
                }
                return self.install(order, spec.target, fate);
            }
            StepSpec::Confirm { target, .. } if self.versions[&node] == *target && self.healthy => {
                let installed = InstalledVersion { version: *target, read_from: vec!["rladmin".to_owned()] };
                StepReport::Confirm { installed, checked: self.sees(node) }
            }
            StepSpec::Confirm { .. } => {
                return StepOutcome::Failed(Failure::operator("not-there", "not at the target", "retry"));
            }
            StepSpec::Collect { .. } => StepReport::Collect { path: "/b".to_owned(), size: 1 },
            StepSpec::Restart { .. } => StepReport::Restart,
            StepSpec::Tune { setting, value } => {
                assert!(self.run.settings.contains_key(setting), "P13: {setting} is changed unrecorded");
                self.settings.insert(*setting, *value);
                StepReport::Tune { now: *value }
            }
        };
        StepOutcome::Completed { report, warnings: Vec::new() }
    }

    fn record(&mut self, setting: Setting) {
        let wanted = self.run.plan.settings.iter().find(|planned| planned.setting == setting).unwrap().wanted;
        let original = self.settings[&setting];
        self.append(Event::SettingRecorded { setting, original, wanted });
    }

    fn install(&mut self, order: &StepOrder, target: Version, fate: Fate) -> StepOutcome {
        let node = order.node;
        assert!(self.installs.iter().all(|(_, step)| *step != order.step), "P6: {} began twice", order.step);
        assert!(
            self.between.is_none_or(|other| other == node),
            "P1: {:?} is not confirmed yet",
            self.between
        );
        assert!(self.checked.remove(&node), "P4: {node} was not found healthy just before, by this driver");
        assert!(self.versions[&node] < target, "P3: {node} would go down or stay");
        let first = self.versions.values().all(|version| *version < target);
        assert!(!first || node == self.master, "P2: {node} is first, but {} is the master", self.master);
        self.installs.push((node, order.step.clone()));
        self.between = Some(node);
        let installed = |exit| {
            StepReport::Install(Installed {
                exit,
                took_ms: 1,
                log_says_complete: true,
                log_errors: Vec::new(),
                log_path: "/log".to_owned(),
            })
        };
        let done = !matches!(fate, Fate::InstallsNothing | Fate::CutOffUndone);
        if done {
            self.versions.insert(node, target);
        }
        match fate {
            Fate::CutOffDone | Fate::CutOffUndone => StepOutcome::Interrupted("a reboot".to_owned()),
            _ => StepOutcome::Completed { report: installed(Exit::Code(0)), warnings: Vec::new() },
        }
    }

    fn sees(&self, _node: NodeUid) -> Checked {
        let rlcheck = Rlcheck { passed: true, tests: Vec::new(), failures: Vec::new() };
        Checked { rlcheck, view: proto::sample::healthy_view(3) }
    }

    /// What `judge_gate` does on a snapshot.
    fn gate(&mut self, hop: usize) {
        let to = self.run.plan.hops[hop].to;
        let (there, below): (BTreeSet<_>, BTreeSet<_>) =
            self.run.waiting(hop).into_iter().partition(|node| self.versions[node] >= to);
        if !self.healthy {
            let failure = Failure::operator("gate-shut", "not healthy", "repair");
            return self.append(Event::Halted(Box::new(Halt { node: None, step: None, failure })));
        }
        if let Some(node) = there.first() {
            self.between = self.between.filter(|between| between != node);
            return self.append(Event::SeenAtTarget { hop, node: *node, version: self.versions[node] });
        }
        let node = next_turn(&below, self.master).unwrap();
        // A gate that passes has seen every node healthy: a failed attempt left nothing half-done.
        self.between = None;
        self.checked.clear();
        self.append(Event::GatePassed {
            hop,
            node,
            from: self.versions[&node],
            role: if node == self.master { NodeRole::Master } else { NodeRole::Replica },
            master: self.master,
            observed_at: self.gate_looks_at,
        });
    }

    /// The gate looks at the cluster at this moment from now on.
    pub(super) fn gate_sees_at(&mut self, moment: Timestamp) {
        self.gate_looks_at = moment;
    }

    fn witness(&mut self, hop: usize, node: NodeUid) {
        let by = self.run.nodes.keys().copied().collect();
        self.between = None;
        self.append(Event::Witnessed { hop, node, by, master: self.master });
    }

    pub(super) fn drive(&mut self, mut fate: impl FnMut(&StepOrder) -> Fate) {
        for _ in 0..10_000 {
            if !self.step(&mut fate) {
                return;
            }
        }
        panic!("P12: the run neither ends nor stands still; it is {:?}", self.run.phase);
    }

    pub(super) fn is_done(&self) -> bool {
        self.run.phase == Phase::Ended(crate::run::RunEnd::Done)
    }

    pub(super) fn nodes_installed(&self) -> Vec<u32> {
        self.installs.iter().map(|(node, _)| node.0).collect()
    }
}

fn id() -> RunId {
    "orders-20260601-120000-beef".parse().unwrap()
}

pub(super) fn v(text: &str) -> Version {
    text.parse().unwrap()
}
