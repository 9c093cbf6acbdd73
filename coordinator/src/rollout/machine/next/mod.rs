//! What an event does to a rollout, and which events cannot be.

mod applied;
mod asked;
mod clusters;
mod stops;
mod waves;

use jiff::Timestamp;
use proto::RolloutName;

use super::{ClusterPart, Phase, Rollout};
use crate::rollout::{Event, Record};

/// An event that cannot follow what the journal holds. Of `applied` and `requested` it is what a person is told, of all
/// others the journal is damaged or the leader is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {seq} of the rollout, `{event}`, cannot happen now: {reason}")]
pub struct Illegal {
    /// The event's number.
    pub seq: u64,
    /// The event's kind.
    pub event: &'static str,
    /// Why it cannot be.
    pub reason: String,
}

type Verdict = Result<(), String>;

/// The rollout that a journal leaves.
///
/// # Errors
/// The journal is empty, has a gap, or says what cannot have happened.
pub fn replay(name: &RolloutName, records: &[Record]) -> Result<Rollout, Illegal> {
    let mut rollout = None;
    for record in records {
        rollout = Some(next(rollout, record)?);
    }
    let illegal = |reason: String| Illegal { seq: 1, event: "applied", reason };
    let rollout = rollout.ok_or_else(|| illegal("the journal of this rollout is empty".to_owned()))?;
    if rollout.name != *name {
        return Err(illegal(format!("it is the journal of rollout {}, not of {name}", rollout.name)));
    }
    Ok(rollout)
}

/// What an event makes of a rollout; the first one, [`Event::Applied`], makes it.
///
/// # Errors
/// The event cannot follow what was before it.
pub fn next(rollout: Option<Rollout>, record: &Record) -> Result<Rollout, Illegal> {
    let illegal = |reason| Illegal { seq: record.seq, event: record.event.kind(), reason };
    let Some(mut rollout) = rollout else { return applied::begin(record).map_err(illegal) };
    if record.seq != rollout.seq + 1 {
        return Err(illegal(format!("event {} should come first", rollout.seq + 1)));
    }
    apply(&mut rollout, record).map_err(illegal)?;
    Ok(rollout)
}

/// Applies an event, or leaves the rollout as it is.
pub(super) fn apply(rollout: &mut Rollout, record: &Record) -> Verdict {
    if let Phase::Ended(_) = rollout.phase {
        return Err("the rollout is over; give what is to be done next a name of its own".to_owned());
    }
    let at = record.at;
    match &record.event {
        Event::Applied { spec, waves, by: _ } => applied::again(rollout, spec, waves, at)?,
        Event::ApprovalWanted { wave } => waves::want_approval(rollout, *wave)?,
        Event::WaveBegun { wave } => waves::begin(rollout, *wave, at)?,
        Event::Starting { cluster, run } => clusters::start(rollout, cluster, run, at)?,
        Event::Settled { cluster, run, outcome } => {
            clusters::settle(rollout, cluster, run.as_ref(), outcome, at)?;
        }
        Event::TakenUp { cluster, run, events, why: _ } => {
            clusters::take_up(rollout, cluster, run.as_ref(), *events, at)?;
        }
        Event::SoakBegun { wave, until } => waves::soak(rollout, *wave, at, *until)?,
        Event::Unhealthy { cluster, at, problems } => {
            *clusters::upgraded(rollout, cluster)? = Some((*at, problems.clone()));
        }
        Event::Recovered { cluster } => *clusters::upgraded(rollout, cluster)? = None,
        Event::Soaked { wave } => waves::soaked(rollout, *wave)?,
        Event::WindowClosed { opens_at } => rollout.window_closed = Some(*opens_at),
        Event::WindowOpened { closes_at: _ } => rollout.window_closed = None,
        Event::Requested { request, number, by: _ } => asked::ask(rollout, request, *number)?,
        Event::Refused { number, .. } => asked::refuse(rollout, *number)?,
        Event::Halted(why) => stops::halt(rollout, why, at)?,
        Event::Paused => stops::pause(rollout, at)?,
        Event::Resumed => stops::resume(rollout, at)?,
        Event::Ended(end) => stops::end(rollout, *end, at)?,
    }
    rollout.updated_at = at;
    rollout.seq = record.seq;
    Ok(())
}

/// Puts a rollout into another phase.
fn stand(rollout: &mut Rollout, phase: Phase, at: Timestamp) {
    rollout.phase = phase;
    rollout.since = at;
}

/// A cluster's wave and part.
fn part<'a>(
    rollout: &'a mut Rollout,
    cluster: &proto::ClusterName,
) -> Result<(usize, &'a mut ClusterPart), String> {
    rollout.part_mut(cluster).ok_or_else(|| format!("no wave names {cluster}"))
}
