//! `why`: what a cluster or a run waits for, since when, until when, and who can unblock it with which command.

use jiff::{SignedDuration, Timestamp};
use proto::Failure;

use super::Core;
use crate::checks::Severity;
use crate::documents::{
    Document, ExplainedRow, FleetHaltRow, RolloutRow, RolloutState, RunState, RunView, WhyDocument,
    next_commands,
};
use crate::run::{Phase, Run, Wait};

impl Core {
    pub(super) async fn why(&self, subject: &str) -> Result<WhyDocument, Failure> {
        let document = self.why_itself(subject).await?;
        match self.fleet_halt().await?.row() {
            Some(halt) if document.explained.is_none() => Ok(while_halted(document, halt)),
            _ => Ok(document),
        }
    }

    async fn why_itself(&self, subject: &str) -> Result<WhyDocument, Failure> {
        if let Some(cluster) = self.config.clusters.iter().find(|cluster| cluster.name.as_str() == subject) {
            return match self.open_run(&cluster.name).await? {
                Some(run) => self.why_run(subject, &run).await,
                None => Ok(idle(subject)),
            };
        }
        if let Some(explained) = self.explained(subject) {
            return Ok(explanation(subject, explained));
        }
        if let Some(document) = self.why_rollout(subject).await? {
            return Ok(document);
        }
        let listing = self.find(subject).await?;
        let (run, _) = self.load(&listing.id).await?;
        self.why_run(subject, &run).await
    }

    /// What a rollout waits for; `None` if there is none of that name.
    async fn why_rollout(&self, subject: &str) -> Result<Option<WhyDocument>, Failure> {
        if self.store().rollouts().await?.iter().all(|name| name.as_str() != subject) {
            return Ok(None);
        }
        let RolloutRow { state, waits_for, until, who, commands, since, in_flight, .. } =
            self.show_rollout(subject).await?.brief;
        let verdict = match state {
            RolloutState::Active if in_flight > 0 => "working",
            RolloutState::Active => "waiting",
            RolloutState::Paused => "paused",
            RolloutState::Halted => "halted",
            RolloutState::Done | RolloutState::DoneWithFailures | RolloutState::Aborted => "nothing",
        };
        let (verdict, since) = (verdict.to_owned(), Some(since));
        Ok(Some(WhyDocument { verdict, waits_for, since, until, who, commands, ..idle(subject) }))
    }

    async fn why_run(&self, subject: &str, run: &Run) -> Result<WhyDocument, Failure> {
        let driven = self.store().driver(&run.plan.cluster).await?.is_some();
        Ok(explain(subject, run, driven))
    }
}

/// While the fleet is halted nothing begins, whatever else is the matter.
fn while_halted(document: WhyDocument, halt: FleetHaltRow) -> WhyDocument {
    let mut commands = document.commands;
    commands.insert(0, "ratchet halt --lift".to_owned());
    WhyDocument { fleet_halt: Some(halt), commands, ..document }
}

fn idle(subject: &str) -> WhyDocument {
    WhyDocument {
        schema: WhyDocument::SCHEMA.to_owned(),
        subject: subject.to_owned(),
        run: None,
        verdict: "nothing".to_owned(),
        waits_for: "no run is open on this cluster".to_owned(),
        since: None,
        until: None,
        who: "nobody needs to".to_owned(),
        commands: vec![format!("ratchet status {subject}"), format!("ratchet plan {subject} --to V")],
        settings: Vec::new(),
        foreign_changes: Vec::new(),
        fleet_halt: None,
        explained: None,
    }
}

/// What a check or an advisory is about, and what may be done about a finding of it.
fn explanation(subject: &str, explained: ExplainedRow) -> WhyDocument {
    let (who, commands) = match &explained.promise {
        Some(promise) => (
            format!("whoever can put it right; nobody can accept it away: it keeps promise {promise}"),
            Vec::new(),
        ),
        None if explained.severity != Severity::Block => {
            ("nobody needs to: it stops nothing by itself".to_owned(), Vec::new())
        }
        None => (
            "whoever can put it right; or whoever takes the risk, with a reason".to_owned(),
            vec![format!("ratchet plan CLUSTER --to V --accept {}=\"REASON\"", explained.id)],
        ),
    };
    WhyDocument {
        verdict: explained.kind.clone(),
        waits_for: explained.title.clone(),
        who,
        commands,
        explained: Some(explained),
        ..idle(subject)
    }
}

fn explain(subject: &str, run: &Run, driven: bool) -> WhyDocument {
    let view = RunView { run, progress: &[], driven };
    let state = view.state();
    let (verdict, who) = match state {
        RunState::Running if run.held.is_some() => ("waiting", "whoever can put the cluster right"),
        RunState::Running => ("working", "nobody needs to"),
        RunState::Interrupted => ("interrupted", "an operator: its coordinator is gone"),
        RunState::Paused if !run.foreign.is_empty() => {
            ("paused", "whoever knows whether the change of the configuration was meant")
        }
        RunState::Paused if run.not_admitted.is_some() => ("paused", outside_window(run)),
        RunState::Paused => ("paused", "an operator"),
        RunState::Halted => ("halted", "an operator: something failed"),
        RunState::Done | RunState::Aborted | RunState::Blocked => ("nothing", "nobody needs to: it is over"),
    };
    let document = view.document(None);
    let mut commands = next_commands(run, state);
    if let Some(remedy) = document.halt.as_ref().and_then(|halt| halt.error.remedy.clone()) {
        commands.retain(|command| *command != remedy);
        commands.insert(0, remedy);
    }
    WhyDocument {
        schema: WhyDocument::SCHEMA.to_owned(),
        subject: subject.to_owned(),
        run: Some(run.id.to_string()),
        verdict: verdict.to_owned(),
        waits_for: document.doing,
        since: Some(since(run)),
        until: match (state, &run.not_admitted) {
            (RunState::Running, _) => until(run),
            (RunState::Paused, Some((_, opens_at))) => *opens_at,
            _ => None,
        },
        who: who.to_owned(),
        commands,
        settings: document.settings.into_iter().filter(|setting| setting.open).collect(),
        foreign_changes: document.foreign_changes,
        fleet_halt: None,
        explained: None,
    }
}

/// Who can unblock a run that others do not let go on.
fn outside_window(run: &Run) -> &'static str {
    match &run.not_admitted {
        Some((_, Some(_))) => {
            "nobody needs to, if it belongs to a rollout: that goes on when the window opens"
        }
        _ => "whoever can lift what is named",
    }
}

fn since(run: &Run) -> Timestamp {
    let in_flight =
        run.ledger.iter().filter(|(_, entry)| entry.in_flight()).map(|(_, entry)| entry.intended_at);
    match run.phase {
        Phase::Active => in_flight.min().unwrap_or(run.updated_at),
        Phase::Paused | Phase::Halted(_) | Phase::Ended(_) => run.phase_since,
    }
}

/// Until when what is waited for now may last (promise P12): the first deadline that would end it.
fn until(run: &Run) -> Option<Timestamp> {
    let gate = run.held.iter().map(|(_, until)| *until);
    let retries = run.retries.values().map(|retry| retry.gives_up_at);
    let steps = run.ledger.iter().filter(|(_, entry)| entry.in_flight()).filter_map(|(_, entry)| {
        let limit = run.deadlines.of(Wait::from(entry.kind()));
        entry.intended_at.checked_add(SignedDuration::try_from(limit).ok()?).ok()
    });
    gate.chain(retries).chain(steps).min()
}
