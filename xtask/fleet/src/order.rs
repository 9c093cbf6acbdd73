//! Orders at a simulated node's desk: admitted or refused by the agent's own rule, begun, carried out.

use std::sync::Arc;

use agent::executor::{Admission, Asked, StepRecord, admission};
use agent::refusal::Refusal;
use proto::wire::Execute;
use proto::{
    Authority, Epoch, Exit, Failure, FailureKind, HeldPackage, InstallSpec, Installed, InstalledVersion,
    StepKind, StepOutcome, StepProgress, StepReport, StepSpec,
};

use crate::agent::{Desk, SimAgent, is_exclusive};
use crate::facts::{ARCHIVE, checked};
use crate::ledger::Install;
use crate::step::Step;

impl SimAgent {
    /// Carries out a step, or joins it.
    pub(crate) fn execute(self: &Arc<Self>, order: Execute) -> Result<Arc<Step>, Failure> {
        let Execute { authority, step, spec, only_join, .. } = order;
        let mut desk = self.desk();
        desk.claims.check(&authority).map_err(|refusal| refusal.failure())?;
        let known = desk.steps.get(&step).cloned();
        let asked = Asked { step: &step, run: &authority.run, spec: &spec, only_join };
        let stage = known.as_ref().map(|known| (&known.record, known.stage()));
        let admitted = admission(asked, stage, false, refuse_if_busy(&desk, spec.kind()));
        let record = StepRecord { step, run: authority.run.clone(), spec, accepted_at: self.now() };
        match (admitted, known) {
            (Ok(Admission::Join), Some(known)) => Ok(known),
            (Ok(Admission::Close), _) => Err(self.close(&mut desk, record).failure()),
            (Ok(_), _) => match self.halted(&desk, record.spec.kind()) {
                // A copy of this order that comes when the halt is lifted starts nothing either.
                Some(refusal) => {
                    self.close(&mut desk, record);
                    Err(refusal)
                }
                None => Ok(self.begin(&mut desk, record, authority)),
            },
            (Err(refusal @ Refusal::Busy { .. }), _) if record.spec.kind() == StepKind::Install => {
                self.close(&mut desk, record);
                Err(refusal.failure())
            }
            (Err(refusal), _) => Err(refusal.failure()),
        }
    }

    fn halted(&self, desk: &Desk, kind: StepKind) -> Option<Failure> {
        let obeyed = kind == StepKind::Install && self.common.obeys_halts;
        if obeyed { desk.halts.refusal() } else { None }
    }

    /// Nothing can be started under this id any more.
    fn close(&self, desk: &mut Desk, record: StepRecord) -> Refusal {
        let step = Step::new(record);
        let message = "the installation was never started, and cannot be under this id any more";
        step.end(StepOutcome::Failed(Failure::retry("not-started", message)), self.now());
        desk.steps.insert(step.record.step.clone(), Arc::clone(&step));
        Refusal::NeverOrdered { step: step.record.step.clone() }
    }

    fn begin(self: &Arc<Self>, desk: &mut Desk, record: StepRecord, authority: Authority) -> Arc<Step> {
        let step = Step::new(record);
        step.tell(StepProgress::Started { resumed: false }, self.now());
        desk.steps.insert(step.record.step.clone(), Arc::clone(&step));
        let refused = self.refused_before_it_began(&step.record.spec);
        if refused.is_none()
            && let StepSpec::Install(spec) = &step.record.spec
        {
            let halted = desk.halts.refusal().is_some();
            self.common.ledger.began(self.install(&step, spec, authority.epoch, halted), self.now());
        }
        let (this, begun) = (Arc::clone(self), Arc::clone(&step));
        tokio::spawn(async move {
            let outcome = match refused {
                Some(failure) => StepOutcome::Failed(failure),
                None => this.carry_out(&begun, authority.epoch).await,
            };
            // Under the lock, so that whoever sees the end can at once begin the next step.
            let _desk = this.desk();
            begun.end(outcome, this.now());
        });
        step
    }

    /// What must hold on the node immediately before an installation.
    fn refused_before_it_began(&self, spec: &StepSpec) -> Option<Failure> {
        let StepSpec::Install(spec) = spec else { return None };
        let message = "the node is not as the plan expects it; the installer was not started";
        let changed = |id: &str, kind| Failure { kind, ..Failure::operator(id, message, "make a new plan") };
        if self.cluster.version(self.uid) != Some(spec.expected_installed) {
            return Some(changed("wrong-version", FailureKind::Operator));
        }
        let role = self.cluster.role(self.uid);
        spec.expected_role
            .is_some_and(|expected| expected != role)
            .then(|| changed("wrong-role", FailureKind::Retry))
    }

    fn install<'a>(&'a self, step: &'a Step, spec: &InstallSpec, epoch: Epoch, halted: bool) -> Install<'a> {
        let (run, target) = (&step.record.run, spec.target);
        Install {
            cluster: &self.cluster,
            node: self.uid,
            run,
            step: &step.record.step,
            epoch,
            target,
            halted,
        }
    }

    async fn carry_out(&self, step: &Step, epoch: Epoch) -> StepOutcome {
        if let StepSpec::Install(spec) = &step.record.spec {
            return self.run_installer(step, spec, epoch).await;
        }
        tokio::select! {
            () = pause(self.common.pace.step) => self.outcome(&step.record.spec),
            () = step.cancelled() => StepOutcome::Cancelled,
        }
    }

    async fn run_installer(&self, step: &Step, spec: &InstallSpec, epoch: Epoch) -> StepOutcome {
        pause(self.common.pace.install).await;
        let mut held = self.common.held.subscribe();
        // The sender lives as long as the fleet.
        drop(held.wait_for(|held| !held).await);
        let failed = self.cluster.fails();
        if !failed {
            self.cluster.upgraded(self.uid, spec.target);
        }
        self.common.ledger.ended(self.install(step, spec, epoch, false), self.now(), !failed);
        completed(StepReport::Install(Installed {
            exit: Exit::Code(i32::from(failed)),
            took_ms: u64::try_from(self.common.pace.install.as_millis()).unwrap_or(u64::MAX),
            log_says_complete: !failed,
            log_errors: if failed { vec!["a simulated failure".to_owned()] } else { Vec::new() },
            log_path: "/var/log/install.log".to_owned(),
        }))
    }

    fn outcome(&self, spec: &StepSpec) -> StepOutcome {
        match spec {
            StepSpec::Fetch { package, .. } => {
                let held = HeldPackage { sha256: package.sha256, size: ARCHIVE, version: package.version };
                self.desk().packages.insert(package.sha256, held);
                completed(StepReport::Fetch { size: ARCHIVE, source: "the simulated mirror".to_owned() })
            }
            StepSpec::Unpack { package, .. } if !self.desk().packages.contains_key(package) => {
                failed("package-missing", "the package is not held")
            }
            StepSpec::Unpack { .. } => {
                completed(StepReport::Unpack { files: 1, size: ARCHIVE, authenticity: Vec::new() })
            }
            StepSpec::Check if self.cluster.is_ill() => failed("check-failed", "a shard is down"),
            StepSpec::Check => completed(StepReport::Check(checked(&self.cluster, self.uid))),
            StepSpec::Confirm { target, .. } => self.confirm(*target),
            StepSpec::Collect { .. } => {
                completed(StepReport::Collect { path: "/bundle".to_owned(), size: 1 })
            }
            StepSpec::Restart { .. } => completed(StepReport::Restart),
            StepSpec::Tune { .. } => failed("not-simulated", "simulated nodes have no settings"),
            // It has been carried out elsewhere.
            StepSpec::Install(_) => failed("not-simulated", "an installation is no other step"),
        }
    }

    fn confirm(&self, target: proto::Version) -> StepOutcome {
        match self.cluster.version(self.uid) {
            Some(version) if version == target && !self.cluster.is_ill() => {
                let installed = InstalledVersion { version, read_from: vec!["rladmin status".to_owned()] };
                completed(StepReport::Confirm { installed, checked: checked(&self.cluster, self.uid) })
            }
            _ => failed("not-confirmed", "the node is not at the target and healthy"),
        }
    }
}

/// A length of nothing takes no turn of the timer.
async fn pause(length: std::time::Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}

/// Of the steps that want the node for themselves, one at a time.
fn refuse_if_busy(desk: &Desk, kind: StepKind) -> Result<(), Refusal> {
    match desk.current().map(|step| &step.record) {
        Some(record) if is_exclusive(kind) && is_exclusive(record.spec.kind()) => Err(Refusal::Busy {
            step: record.step.clone(),
            kind: record.spec.kind(),
            since: record.accepted_at,
        }),
        _ => Ok(()),
    }
}

fn completed(report: StepReport) -> StepOutcome {
    StepOutcome::Completed { report, warnings: Vec::new() }
}

fn failed(id: &str, message: &str) -> StepOutcome {
    StepOutcome::Failed(Failure::operator(id, message, "heal the simulated cluster, then `ratchet retry`"))
}

#[cfg(test)]
mod tests;
