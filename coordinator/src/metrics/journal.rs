//! Counting what is written into the journals of runs.

use jiff::Timestamp;
use proto::StepOutcome;

use super::{Metrics, label, whole};
use crate::run::{Event, JournalObserver, Record, Run, RunEnd};

impl JournalObserver for Metrics {
    fn appended(&self, run: &Run, record: &Record) {
        self.epochs.get_or_create(&label("cluster", &run.plan.cluster)).set(whole(record.epoch.0));
        match &record.event {
            Event::StepEnded { step, outcome } => self.step(run, record, step, outcome_word(outcome)),
            Event::StepNeverStarted { step } => self.step(run, record, step, "never_started"),
            Event::Witnessed { node, .. } => {
                let began = run.nodes.get(node).and_then(|node| node.turn_started_at);
                if let Some(took) = began.and_then(|began| seconds(began, record.at)) {
                    self.turn_seconds.observe(took);
                }
            }
            Event::Halted(_) => self.verdict("halted"),
            Event::Ended(RunEnd::Done) => self.verdict("done"),
            Event::Ended(RunEnd::Aborted) => self.verdict("aborted"),
            Event::Ended(RunEnd::Blocked(_)) => self.verdict("blocked"),
            Event::Created { .. }
            | Event::Driving { .. }
            | Event::Claimed { .. }
            | Event::ClaimRefused { .. }
            | Event::StepIntended { .. }
            | Event::Retrying(_)
            | Event::Breached { .. }
            | Event::SettingRecorded { .. }
            | Event::SettingRestored { .. }
            | Event::GateHeld { .. }
            | Event::GatePassed { .. }
            | Event::SeenAtTarget { .. }
            | Event::Requested { .. }
            | Event::Paused
            | Event::NotAdmitted { .. }
            | Event::ForeignChange { .. }
            | Event::Released { .. }
            | Event::Advised { .. }
            | Event::Hooked { .. } => {}
        }
    }
}

impl Metrics {
    fn step(&self, run: &Run, record: &Record, step: &proto::StepId, outcome: &str) {
        let Some(entry) = run.ledger.get(step) else { return };
        let kind = ("kind", entry.kind().to_string());
        self.steps.get_or_create(&[kind.clone(), ("outcome", outcome.to_owned())]).inc();
        if let Some(took) = seconds(entry.intended_at, record.at) {
            self.step_seconds.get_or_create(&[kind]).observe(took);
        }
    }

    fn verdict(&self, word: &str) {
        self.verdicts.get_or_create(&label("verdict", word)).inc();
    }
}

fn outcome_word(outcome: &StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Completed { .. } => "completed",
        StepOutcome::Failed(_) => "failed",
        StepOutcome::Cancelled => "cancelled",
        StepOutcome::Interrupted(_) => "interrupted",
    }
}

/// A wall clock that was put back in between has measured nothing.
fn seconds(began: Timestamp, ended: Timestamp) -> Option<f64> {
    Some(ended.duration_since(began).as_secs_f64()).filter(|took| *took >= 0.0)
}
