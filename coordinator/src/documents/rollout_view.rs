//! A rollout as people and programs see it. Pure.

use jiff::Timestamp;
use proto::ClusterName;

use super::{
    Document, ErrorDocument, RolloutClusterRow, RolloutClusterState, RolloutDocument, RolloutHaltRow,
    RolloutRow, RolloutState, WaveRow, WaveState, WindowRow, tell_rollout,
};
use crate::rollout::{
    ClusterPart, ClusterStands, HaltWhy, Outcome, Phase, Rollout, RolloutEnd, RunStands, Seen, Siblings,
    Soak, Waiting, Wave, WaveStands, WindowStands, Windows,
};

/// What a rollout's document is made of.
#[derive(Clone, Copy, Debug)]
pub struct RolloutView<'a> {
    /// The rollout.
    pub rollout: &'a Rollout,
    /// What it sees.
    pub seen: &'a Seen,
    /// What it waits for.
    pub waits: &'a Waiting,
    /// Now.
    pub now: Timestamp,
}

impl RolloutView<'_> {
    /// Where it stands.
    pub fn state(&self) -> RolloutState {
        match &self.rollout.phase {
            Phase::Active => RolloutState::Active,
            Phase::Paused => RolloutState::Paused,
            Phase::Halted(_) => RolloutState::Halted,
            Phase::Ended(RolloutEnd::Done) => RolloutState::Done,
            Phase::Ended(RolloutEnd::DoneWithFailures) => RolloutState::DoneWithFailures,
            Phase::Ended(RolloutEnd::Aborted) => RolloutState::Aborted,
        }
    }

    /// It in brief.
    pub fn row(&self) -> RolloutRow {
        let rollout = self.rollout;
        let state = self.state();
        let wave = rollout.current_wave().filter(|_| !rollout.is_over());
        let well = |part: &ClusterPart| settled_well(&part.stands);
        RolloutRow {
            name: rollout.name.to_string(),
            target: rollout.spec.target.to_string(),
            state,
            waits_for: self.waits.why.clone(),
            until: self.waits.until,
            who: self.waits.who.clone(),
            commands: self.waits.commands.clone(),
            since: if state == RolloutState::Active { rollout.updated_at } else { rollout.since },
            wave: wave.and_then(|wave| Some(rollout.spec.waves.get(wave)?.name.clone())),
            total: rollout.parts().count(),
            in_flight: rollout.in_flight(),
            upgraded: rollout.parts().filter(|(_, _, part)| well(part)).count(),
            failed: rollout.failures(),
            updated_at: rollout.updated_at,
            exit_code: rollout_exit_code(state),
        }
    }

    /// All of it.
    pub fn document(&self) -> RolloutDocument {
        let (rollout, spec) = (self.rollout, &self.rollout.spec);
        RolloutDocument {
            schema: RolloutDocument::SCHEMA.to_owned(),
            brief: self.row(),
            at_once: spec.at_once,
            failure_budget: spec.failure_budget,
            on_failure: on_failure(spec.on_failure).to_owned(),
            halt: self.halt(),
            window: window_row(&spec.windows, self.now),
            waves: (0..)
                .zip(spec.waves.iter().zip(&rollout.waves))
                .map(|(at, wave)| self.wave(at, wave))
                .collect(),
            clusters: rollout.parts().map(|(wave, name, part)| self.cluster(wave, name, part)).collect(),
        }
    }

    fn halt(&self) -> Option<RolloutHaltRow> {
        let Phase::Halted(why) = &self.rollout.phase else { return None };
        let (kind, cluster) = match why {
            HaltWhy::BudgetSpent { cluster, .. } => ("budget-spent", Some(cluster.to_string())),
            HaltWhy::Fleet { .. } => ("fleet", None),
        };
        let why = tell_rollout::halt(&self.rollout.spec, why);
        Some(RolloutHaltRow { kind: kind.to_owned(), why, cluster })
    }

    fn wave(&self, at: usize, (wave, stands): (&Wave, &WaveStands)) -> WaveRow {
        let settled = |part: &&ClusterPart| matches!(part.stands, ClusterStands::Settled { .. });
        WaveRow {
            name: wave.name.clone(),
            state: self.wave_state(at, wave, stands),
            clusters: stands.clusters.len(),
            settled: stands.clusters.values().filter(settled).count(),
            failed: stands.failures(),
            at_once: wave.at_once,
            failure_budget: wave.failure_budget,
            soak_seconds: wave.soak.as_secs(),
            soaks_until: match stands.soak {
                Soak::Soaking { until, .. } => Some(until),
                Soak::NotYet | Soak::Over => None,
            },
            approval: wave.approval,
            approved: self.rollout.approved.contains(&at),
        }
    }

    fn wave_state(&self, at: usize, wave: &Wave, stands: &WaveStands) -> WaveState {
        let unapproved = wave.approval && !self.rollout.approved.contains(&at);
        match (stands.soak, stands.begun) {
            (Soak::Over, _) => WaveState::Done,
            (Soak::Soaking { .. }, _) => WaveState::Soaking,
            (Soak::NotYet, Some(_)) => WaveState::Active,
            (Soak::NotYet, None) if unapproved && self.rollout.approval_wanted == Some(at) => {
                WaveState::WantsApproval
            }
            (Soak::NotYet, None) => WaveState::Waiting,
        }
    }

    fn cluster(&self, wave: usize, name: &ClusterName, part: &ClusterPart) -> RolloutClusterRow {
        let (state, error) = match &part.stands {
            ClusterStands::Waiting => (RolloutClusterState::Waiting, None),
            ClusterStands::InFlight { .. } => (RolloutClusterState::InFlight, None),
            ClusterStands::Settled { outcome: Outcome::Upgraded, .. } => {
                (RolloutClusterState::Upgraded, None)
            }
            ClusterStands::Settled { outcome: Outcome::NothingToDo { .. }, .. } => {
                (RolloutClusterState::NothingToDo, None)
            }
            ClusterStands::Settled { outcome: Outcome::Failed(failure), .. } => {
                (RolloutClusterState::Failed, Some(ErrorDocument::from(failure).error))
            }
        };
        let seen = part.run().and_then(|run| self.seen.runs.get(run));
        RolloutClusterRow {
            name: name.to_string(),
            wave: self.rollout.spec.waves.get(wave).map(|wave| wave.name.clone()).unwrap_or_default(),
            state,
            run: part.run().map(ToString::to_string),
            run_state: seen.map(|seen| run_state(&seen.stands).to_owned()),
            error,
        }
    }
}

fn settled_well(stands: &ClusterStands) -> bool {
    match stands {
        ClusterStands::Settled { outcome: Outcome::Upgraded | Outcome::NothingToDo { .. }, .. } => true,
        ClusterStands::Settled { outcome: Outcome::Failed(_), .. }
        | ClusterStands::Waiting
        | ClusterStands::InFlight { .. } => false,
    }
}

fn run_state(stands: &RunStands) -> &'static str {
    match stands {
        RunStands::AtWork => "running",
        RunStands::OutsideWindow | RunStands::Paused => "paused",
        RunStands::Halted(_) => "halted",
        RunStands::Done => "done",
        RunStands::Aborted => "aborted",
        RunStands::Blocked(_) => "blocked",
    }
}

fn on_failure(siblings: Siblings) -> &'static str {
    match siblings {
        Siblings::FinishTurn => "finish-turn",
        Siblings::Continue => "continue",
        Siblings::Halt => "halt",
    }
}

/// When turns may begin, as things stand.
pub fn window_row(windows: &Windows, now: Timestamp) -> WindowRow {
    let zone = Some(windows.zone.clone()).filter(|zone| !zone.is_empty());
    match windows.stands(now) {
        WindowStands::Open { closes_at } => WindowRow { zone, open: true, closes_at, opens_at: None },
        WindowStands::Closed { opens_at } => WindowRow { zone, open: false, closes_at: None, opens_at },
    }
}

/// The exit code that fits where a rollout stands (design §7).
pub fn rollout_exit_code(state: RolloutState) -> u8 {
    match state {
        RolloutState::Done => 0,
        RolloutState::Halted | RolloutState::DoneWithFailures | RolloutState::Aborted => 4,
        RolloutState::Active | RolloutState::Paused => 5,
    }
}
