//! Sentences about rollouts. Pure.

use jiff::Timestamp;
use proto::ClusterName;

use super::RolloutEventRow;
use crate::rollout::{Event, HaltWhy, Outcome, Record, Request, RolloutEnd, Spec};

/// A journaled event, in words.
pub fn rollout_event(spec: &Spec, record: &Record) -> RolloutEventRow {
    let (cluster, run) = about(&record.event);
    RolloutEventRow {
        seq: record.seq,
        at: record.at,
        epoch: record.epoch.0,
        kind: record.event.kind().to_owned(),
        cluster,
        run,
        text: text(spec, record),
    }
}

/// The cluster and the run that an event is about.
fn about(event: &Event) -> (Option<String>, Option<String>) {
    match event {
        Event::Starting { cluster, run } => (Some(cluster.to_string()), Some(run.to_string())),
        Event::Settled { cluster, run, .. } => {
            (Some(cluster.to_string()), run.as_ref().map(ToString::to_string))
        }
        Event::TakenUp { cluster, run, .. } => {
            (Some(cluster.to_string()), run.as_ref().map(ToString::to_string))
        }
        Event::Unhealthy { cluster, .. } | Event::Recovered { cluster } => (Some(cluster.to_string()), None),
        Event::Halted(why) => match &**why {
            HaltWhy::BudgetSpent { cluster, .. } => (Some(cluster.to_string()), None),
            HaltWhy::Fleet { .. } => (None, None),
        },
        Event::Requested { request: Request::Retry { cluster }, .. }
        | Event::Refused { request: Request::Retry { cluster }, .. } => {
            (cluster.as_ref().map(ToString::to_string), None)
        }
        Event::Applied { .. }
        | Event::ApprovalWanted { .. }
        | Event::WaveBegun { .. }
        | Event::SoakBegun { .. }
        | Event::Soaked { .. }
        | Event::WindowClosed { .. }
        | Event::WindowOpened { .. }
        | Event::Requested { .. }
        | Event::Refused { .. }
        | Event::Paused
        | Event::Resumed
        | Event::Ended(_) => (None, None),
    }
}

fn text(spec: &Spec, record: &Record) -> String {
    match &record.event {
        Event::Applied { spec, waves, by } => {
            let clusters: usize = waves.iter().map(Vec::len).sum();
            format!("{by} applied it: {clusters} clusters in {} waves to {}", waves.len(), spec.target)
        }
        Event::ApprovalWanted { wave } => format!("wave {} waits for approval", wave_name(spec, *wave)),
        Event::WaveBegun { wave } => format!("wave {} begins", wave_name(spec, *wave)),
        Event::Starting { cluster, run } => format!("{cluster}: run {run} is started"),
        Event::Settled { cluster, outcome, .. } => settled(cluster, outcome),
        Event::TakenUp { cluster, why, .. } => format!("{cluster} is taken up again: {why}"),
        Event::SoakBegun { wave, until } if *until <= record.at => {
            format!("wave {}: every cluster is settled", wave_name(spec, *wave))
        }
        Event::SoakBegun { wave, until } => {
            format!("wave {} is watched until {}", wave_name(spec, *wave), second(*until))
        }
        Event::Unhealthy { cluster, problems, .. } => {
            format!("{cluster} is not well: {}", problems.join("; "))
        }
        Event::Recovered { cluster } => format!("{cluster} is well again"),
        Event::Soaked { wave } => format!("wave {} is through", wave_name(spec, *wave)),
        Event::WindowClosed { opens_at } => match opens_at {
            Some(at) => format!("the window is shut until {}", second(*at)),
            None => "the window is shut, and does not open again".to_owned(),
        },
        Event::WindowOpened { closes_at } => match closes_at {
            Some(at) => format!("the window is open until {}", second(*at)),
            None => "the window is open".to_owned(),
        },
        Event::Requested { request, by, .. } => requested(spec, request, by),
        Event::Refused { request, by, why, .. } => {
            format!("{}, which was refused: {why}", requested(spec, request, by))
        }
        Event::Halted(why) => format!("halted: {}", halt(spec, why)),
        Event::Paused => "paused".to_owned(),
        Event::Resumed => "goes on".to_owned(),
        Event::Ended(RolloutEnd::Done) => "done: every cluster is at the target".to_owned(),
        Event::Ended(RolloutEnd::DoneWithFailures) => "done, with failures within the budgets".to_owned(),
        Event::Ended(RolloutEnd::Aborted) => "aborted".to_owned(),
    }
}

/// Why it halted, in a sentence.
pub(super) fn halt(spec: &Spec, why: &HaltWhy) -> String {
    match why {
        HaltWhy::BudgetSpent { cluster, wave, failure } => {
            let whose = match wave {
                Some(wave) => format!("of wave {}", wave_name(spec, *wave)),
                None => "of the rollout".to_owned(),
            };
            format!("the failure of {cluster} goes over the budget {whose}: {failure}")
        }
        HaltWhy::Fleet { why } => format!("the fleet is halted: {why}"),
    }
}

fn settled(cluster: &ClusterName, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Upgraded => format!("{cluster} is upgraded"),
        Outcome::NothingToDo { version } => format!("{cluster} is at {version} already"),
        Outcome::Failed(failure) => format!("{cluster} failed: {failure}"),
    }
}

fn requested(spec: &Spec, request: &Request, by: &str) -> String {
    match request {
        Request::Pause => format!("{by} asked for a pause"),
        Request::Resume => format!("{by} asked to go on"),
        Request::Abort => format!("{by} asked to end it"),
        Request::Approve { wave } => format!("{by} approved wave {}", wave_name(spec, *wave)),
        Request::Retry { cluster: Some(cluster) } => format!("{by} asked to take {cluster} up again"),
        Request::Retry { cluster: None } => format!("{by} asked to take up again what failed"),
    }
}

/// A wave's name; its number where the file no longer has it.
pub(super) fn wave_name(spec: &Spec, wave: usize) -> String {
    spec.waves.get(wave).map_or_else(|| (wave + 1).to_string(), |wave| format!("`{}`", wave.name))
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
