//! What a rollout waits for, until when, and who can do something about it.

mod clusters;

use jiff::Timestamp;

use super::busy::over;
use super::{Phase, Rollout, Soak};
use crate::rollout::{HaltWhy, Request, RolloutEnd, RunStands, Seen, WindowStands};

/// What a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What, in one sentence.
    pub why: String,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// Who can do something about it.
    pub who: String,
    /// With which commands.
    pub commands: Vec<String>,
}

const NOBODY: &str = "nobody needs to: it goes on by itself";
const OPERATOR: &str = "an operator";

impl Waiting {
    /// It passes by itself; whoever wants to can look.
    fn passes(why: impl Into<String>, until: Option<Timestamp>, commands: Vec<String>) -> Self {
        Self { why: why.into(), until, who: NOBODY.to_owned(), commands }
    }

    /// It needs a person.
    fn needs(why: impl Into<String>, commands: Vec<String>) -> Self {
        Self { why: why.into(), until: None, who: OPERATOR.to_owned(), commands }
    }
}

/// What a rollout waits for; of one that is over, how it ended.
pub fn waits_for(rollout: &Rollout, seen: &Seen, now: Timestamp) -> Waiting {
    if let Phase::Ended(end) = rollout.phase {
        return ended(rollout, end);
    }
    if rollout.abort_wanted {
        return aborting(rollout, seen);
    }
    match &rollout.phase {
        Phase::Halted(why) => halted(rollout, seen, why),
        Phase::Paused if !rollout.resume_wanted => {
            Waiting::needs("it is paused", vec![verb(rollout, "resume"), verb(rollout, "abort")])
        }
        Phase::Active if rollout.pause_wanted => {
            let why = "a pause was asked for; runs in flight finish the turn under way";
            Waiting::passes(why, None, vec![verb(rollout, "resume")])
        }
        Phase::Active | Phase::Paused | Phase::Ended(_) => active(rollout, seen, now),
    }
}

fn ended(rollout: &Rollout, end: RolloutEnd) -> Waiting {
    let why = match end {
        RolloutEnd::Done => "it is over: every cluster is at the target",
        RolloutEnd::DoneWithFailures => "it is over; clusters have failed within the budgets",
        RolloutEnd::Aborted => "it is over: it was aborted",
    };
    let failed = rollout.parts().filter(|(_, _, part)| part.failed());
    let commands = failed.map(|(_, cluster, _)| format!("ratchet why {cluster}")).collect();
    Waiting { who: "nobody".to_owned(), ..Waiting::passes(why, None, commands) }
}

/// A run that could not be aborted stands still again, and is a person's.
fn aborting(rollout: &Rollout, seen: &Seen) -> Waiting {
    let runs = rollout.parts().filter_map(|(_, _, part)| Some((part.run()?, seen.runs.get(part.run()?)?)));
    let live: Vec<_> = runs.filter(|(_, run)| !over(&run.stands)).collect();
    let stuck = live.iter().filter(|(_, run)| run.aborting && matches!(run.stands, RunStands::Halted(_)));
    let stuck: Vec<_> = stuck.collect();
    if !stuck.is_empty() {
        let commands =
            stuck.iter().flat_map(|(run, _)| [format!("ratchet why {run}"), format!("ratchet abort {run}")]);
        return Waiting::needs("runs could not be aborted and have halted", commands.collect());
    }
    if !seen.held.is_empty() {
        return held(seen);
    }
    let commands = live.iter().map(|(run, _)| format!("ratchet watch {run}")).collect();
    Waiting::passes("it is being aborted; runs in flight end before their next install", None, commands)
}

fn held(seen: &Seen) -> Waiting {
    let clusters: Vec<&str> = seen.held.iter().map(|name| name.as_str()).collect();
    let why =
        format!("agents that were told to refuse installs are told that they may: {}", clusters.join(", "));
    let commands = clusters.iter().map(|cluster| format!("ratchet status {cluster}")).collect();
    Waiting::passes(why, None, commands)
}

fn halted(rollout: &Rollout, seen: &Seen, why: &HaltWhy) -> Waiting {
    match why {
        HaltWhy::Fleet { why } if seen.fleet_halt.is_some() => Waiting::needs(
            format!("the fleet is halted: {why}"),
            vec!["ratchet halt --lift".to_owned(), verb(rollout, "resume")],
        ),
        HaltWhy::Fleet { why } => Waiting::needs(
            format!("the fleet was halted ({why}), and is not any more"),
            vec![verb(rollout, "resume"), verb(rollout, "abort")],
        ),
        HaltWhy::BudgetSpent { cluster, wave, failure } => {
            let of_wave = wave.and_then(|wave| rollout.spec.waves.get(wave));
            let budget = of_wave.map_or("the whole".to_owned(), |wave| format!("wave {}", wave.name));
            let may_resume = rollout.may(&Request::Resume).is_ok();
            let told = if may_resume {
                format!(
                    "it halted when {cluster} failed; no budget is overspent any more, a person may go on"
                )
            } else {
                format!("{cluster} has failed, more than the budget of {budget} allows: {failure}")
            };
            let failed = rollout.parts().filter(|(_, _, part)| part.failed()).map(|(_, name, _)| name);
            let mut commands: Vec<String> = failed
                .flat_map(|name| {
                    [format!("ratchet why {name}"), format!("{} {name}", verb(rollout, "retry"))]
                })
                .collect();
            if may_resume {
                commands.push(verb(rollout, "resume"));
            }
            commands.push(verb(rollout, "abort"));
            Waiting::needs(told, commands)
        }
    }
}

fn active(rollout: &Rollout, seen: &Seen, now: Timestamp) -> Waiting {
    if let Some(why) = &seen.fleet_halt {
        return Waiting::needs(format!("the fleet is halted: {why}"), vec!["ratchet halt --lift".to_owned()]);
    }
    let Some(wave) = rollout.current_wave() else {
        return if seen.held.is_empty() { at_once(rollout) } else { held(seen) };
    };
    let (Some(stands), Some(spec)) = (rollout.waves.get(wave), rollout.spec.waves.get(wave)) else {
        return at_once(rollout);
    };
    if stands.begun.is_none() && spec.approval && !rollout.approved.contains(&wave) {
        let why = format!("wave {} needs a person's approval", spec.name);
        return Waiting::needs(why, vec![verb(rollout, "approve"), verb(rollout, "abort")]);
    }
    if let Soak::Soaking { until, .. } = stands.soak {
        return soaking(stands, &spec.name, until, now);
    }
    clusters::waits(rollout, seen, now).unwrap_or_else(|| at_once(rollout))
}

fn soaking(stands: &super::WaveStands, name: &str, until: Timestamp, now: Timestamp) -> Waiting {
    let clusters = stands.clusters.iter().filter(|(_, part)| part.upgraded());
    let commands = clusters.clone().map(|(cluster, _)| format!("ratchet status {cluster}")).collect();
    let sick: Vec<String> = clusters
        .filter_map(|(cluster, part)| Some((cluster, part.unhealthy.as_ref()?)))
        .map(|(cluster, (_, problems))| format!("{cluster} is not well ({})", problems.join("; ")))
        .collect();
    let why = match (sick.is_empty(), now < until) {
        (false, _) => format!("wave {name} soaks, and {}: the next look decides", sick.join(", ")),
        (true, true) => format!("wave {name} soaks"),
        (true, false) => format!("wave {name} has soaked; its clusters must be seen to be well once more"),
    };
    Waiting::passes(why, (now < until).then_some(until), commands)
}

/// When it opens, if it is closed.
fn closed(rollout: &Rollout, now: Timestamp) -> Option<Option<Timestamp>> {
    match rollout.spec.windows.stands(now) {
        WindowStands::Closed { opens_at } => Some(opens_at),
        WindowStands::Open { .. } => None,
    }
}

fn at_once(rollout: &Rollout) -> Waiting {
    Waiting::passes("nothing: its next step is being taken now", None, vec![verb(rollout, "status")])
}

/// A command about this rollout.
fn verb(rollout: &Rollout, verb: &str) -> String {
    format!("ratchet rollout {verb} {}", rollout.name)
}
