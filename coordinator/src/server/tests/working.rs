//! Steps that do what they should on a cluster that the agents share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proto::{
    Checked, Exit, HeldPackage, Installed, InstalledVersion, NodeFacts, NodeUid, Probe, Rlcheck, Sha256,
    StepOutcome, StepReport, StepSpec, Version,
};

/// Which version each node is at.
#[derive(Clone, Debug, Default)]
pub(super) struct Versions(Arc<Mutex<BTreeMap<NodeUid, Version>>>);

impl Versions {
    /// Facts as they are with these versions, and with the package of the usual plan at hand.
    pub(super) fn applied(&self, mut facts: NodeFacts) -> NodeFacts {
        let versions = self.0.lock().unwrap().clone();
        if let (Probe::Known(uid), Probe::Known(installed)) = (&facts.node_uid, &mut facts.installed) {
            installed.version = versions.get(uid).copied().unwrap_or(installed.version);
        }
        if let Probe::Known(view) = &mut facts.view {
            let rows = view.nodes.iter_mut().filter_map(|row| Some((versions.get(&row.uid)?, row)));
            rows.for_each(|(version, row)| row.version = Some(*version));
        }
        let sha256: Sha256 = "ab".repeat(32).parse().unwrap();
        facts.packages = vec![HeldPackage { sha256, size: 1, version: "7.8.2-34".parse().unwrap() }];
        facts
    }

    /// How a step ends that does what it should.
    pub(super) fn done(&self, node: NodeUid, spec: &StepSpec) -> StepOutcome {
        let rlcheck = Rlcheck { passed: true, tests: Vec::new(), failures: Vec::new() };
        let checked = Checked { rlcheck, view: proto::sample::healthy_view(3) };
        let report = match spec {
            StepSpec::Fetch { .. } => StepReport::Fetch { size: 1, source: String::new() },
            StepSpec::Unpack { .. } => StepReport::Unpack { files: 1, size: 1, authenticity: Vec::new() },
            StepSpec::Check => StepReport::Check(checked),
            StepSpec::Install(spec) => {
                self.0.lock().unwrap().insert(node, spec.target);
                StepReport::Install(Installed {
                    exit: Exit::Code(0),
                    took_ms: 1,
                    log_says_complete: true,
                    log_errors: Vec::new(),
                    log_path: "/log".to_owned(),
                })
            }
            StepSpec::Confirm { target, .. } => {
                let installed = InstalledVersion { version: *target, read_from: Vec::new() };
                StepReport::Confirm { installed, checked }
            }
            StepSpec::Collect { .. } => StepReport::Collect { path: "/b".to_owned(), size: 1 },
            StepSpec::Restart { .. } => StepReport::Restart,
            StepSpec::Tune { value, .. } => StepReport::Tune { now: *value },
        };
        StepOutcome::Completed { report, warnings: Vec::new() }
    }
}
