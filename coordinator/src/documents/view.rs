//! A run as people and programs see it. Pure.

use jiff::Timestamp;
use proto::{Authenticity, Exit, Failure, NodeUid, RunId, Setting, StepKind, StepOutcome, StepReport};

use super::{
    AskedRow, Document, ErrorDocument, EventDocument, HaltRow, HopRow, NodeState, NotAdmittedRow, RetryRow,
    RunDocument, RunNodeRow, RunRow, RunState, SettingRow, StepRow, tell,
};
use crate::failures::with_takeover;
use crate::run::{Event, Halt, NodeProgress, Phase, Record, Retry, Run, RunEnd, SideEffect, StepEntry};
use crate::store::StepProgressRow;

/// What a run's document is made of.
#[derive(Clone, Copy, Debug)]
pub struct RunView<'a> {
    /// The run.
    pub run: &'a Run,
    /// The latest progress of its steps.
    pub progress: &'a [StepProgressRow],
    /// Whether somebody drives it now.
    pub driven: bool,
}

impl RunView<'_> {
    /// Where the run stands. What its journal says it is doing counts only while somebody does it.
    pub fn state(&self) -> RunState {
        match &self.run.phase {
            Phase::Active if self.driven => RunState::Running,
            Phase::Active => RunState::Interrupted,
            Phase::Paused => RunState::Paused,
            Phase::Halted(_) => RunState::Halted,
            Phase::Ended(end) => RunState::of_end(end),
        }
    }

    /// The whole document, with the given events.
    pub fn document(&self, events: Option<Vec<EventDocument>>) -> RunDocument {
        let run = self.run;
        let hops = run.plan.hops.iter().enumerate().map(|(index, hop)| HopRow {
            from: hop.from.to_string(),
            to: hop.to.to_string(),
            source: hop.source.clone(),
            done: run.hop_done(index),
        });
        RunDocument {
            schema: RunDocument::SCHEMA.to_owned(),
            id: run.id.to_string(),
            cluster: run.plan.cluster.to_string(),
            target: run.plan.target.to_string(),
            prepare_only: run.prepare_only,
            state: self.state(),
            doing: tell::doing(run, self.state()),
            created_at: run.created_at,
            updated_at: run.updated_at,
            asked: Vec::new(),
            // A plan that was read can be written: that it cannot is told where the digest is compared.
            plan_digest: run.plan.digest().map(|digest| digest.to_string()).unwrap_or_default(),
            driver: run.driver.as_ref().map(|driver| driver.holder.clone()).unwrap_or_default(),
            epoch: run.driver.as_ref().map_or(0, |driver| driver.epoch.0),
            hops: hops.collect(),
            nodes: self.nodes(),
            halt: halt_row(run),
            retries: retries(run),
            foreign_changes: run.foreign.clone(),
            not_admitted: run
                .not_admitted
                .as_ref()
                .map(|(why, opens_at)| NotAdmittedRow { why: why.clone(), opens_at: *opens_at }),
            accepted: run.plan.accepted.clone(),
            settings: settings(run),
            next_commands: next_commands(run, self.state()),
            advice: run.advice.clone(),
            events,
            agents: None,
            exit_code: exit_code(self.state()),
        }
    }

    /// The run in a list.
    pub fn row(&self) -> RunRow {
        let run = self.run;
        let last = run.plan.hops.len().saturating_sub(1);
        let done = run.nodes.values().filter(|node| node.done.contains_key(&last)).count();
        let there = run.plan.hops.last().map_or(0, |hop| hop.already_there.len());
        RunRow {
            id: run.id.to_string(),
            cluster: run.plan.cluster.to_string(),
            target: run.plan.target.to_string(),
            state: self.state(),
            doing: tell::doing(run, self.state()),
            nodes_done: count(done + there),
            nodes: count(run.nodes.len()),
            created_at: run.created_at,
            updated_at: run.updated_at,
        }
    }

    fn nodes(&self) -> Vec<RunNodeRow> {
        let run = self.run;
        let hop = run.hop().map_or(run.plan.hops.len().saturating_sub(1), |(hop, _)| hop);
        let planned = run.plan.hops.get(hop).map(|hop| hop.turns.as_slice()).unwrap_or_default();
        let mut order: Vec<NodeUid> = planned.iter().map(|turn| turn.node).collect();
        order.extend(run.nodes.keys().filter(|node| planned.iter().all(|turn| turn.node != **node)));
        order.sort_by_key(|node| {
            run.nodes.get(node).and_then(|node| node.done.get(&hop).copied()).unwrap_or(Timestamp::MAX)
        });
        order.into_iter().filter_map(|node| self.node(node, hop)).collect()
    }

    fn node(&self, uid: NodeUid, hop: usize) -> Option<RunNodeRow> {
        let progress = self.run.nodes.get(&uid)?;
        let planned = self.run.plan.nodes.iter().find(|node| node.uid == uid)?;
        Some(RunNodeRow {
            uid: uid.0,
            agent: planned.agent.clone(),
            hostname: planned.hostname.clone(),
            state: node_state(self.run, uid, progress, hop),
            version: progress.version.to_string(),
            role: progress.role.to_string(),
            step: self.step(uid),
            installs: count(self.run.installs(Some(uid))),
            turn_started_at: progress.turn_started_at,
            turn_ended_at: progress.done.values().max().copied(),
            witnesses: progress.witnesses.iter().map(|node| node.0).collect(),
            warnings: warnings(self.run, uid),
            authenticity: authenticity(self.run, uid),
        })
    }

    fn step(&self, node: NodeUid) -> Option<StepRow> {
        let (id, entry) =
            self.run.ledger.iter().find(|(_, entry)| entry.node == node && entry.in_flight())?;
        let told = self.progress.iter().find(|row| row.step == *id);
        Some(StepRow {
            id: id.to_string(),
            kind: entry.kind().to_string(),
            since: entry.intended_at,
            doing: told.map(|row| row.doing.clone()).unwrap_or_default(),
            done: told.map_or(0, |row| row.done),
            total: told.and_then(|row| row.total),
            rate: told.and_then(|row| row.rate),
        })
    }
}

/// Who asked for what in a run, in order.
pub fn asked_rows(run: &RunId, records: &[Record]) -> Vec<AskedRow> {
    let asked = |record: &Record| {
        let by = match &record.event {
            Event::Created { by, .. } | Event::Requested { by, .. } => by.clone(),
            _ => return None,
        };
        Some(AskedRow { at: record.at, by, text: tell::event(run, &record.event) })
    };
    records.iter().filter_map(asked).collect()
}

/// A journaled event, in words.
pub fn event_document(run: &RunId, record: &Record) -> EventDocument {
    EventDocument {
        schema: EventDocument::SCHEMA.to_owned(),
        seq: record.seq,
        at: record.at,
        epoch: record.epoch.0,
        kind: record.event.kind().to_owned(),
        node: tell::node_of(run, &record.event).map(|node| node.0),
        text: tell::event(run, &record.event),
    }
}

/// The exit code that fits where a run stands (design §7).
pub fn exit_code(state: RunState) -> u8 {
    match state {
        RunState::Done => 0,
        RunState::Blocked => 3,
        RunState::Halted | RunState::Aborted => 4,
        RunState::Running | RunState::Interrupted | RunState::Paused => 5,
    }
}

/// Commands that are legal now, the likeliest first: no state is a dead end (promise P12).
pub fn next_commands(run: &Run, state: RunState) -> Vec<String> {
    let verb = |verb: &str| format!("ratchet {verb} {}", run.id);
    let mut commands = match state {
        RunState::Running => vec![verb("watch"), verb("pause"), verb("abort")],
        RunState::Paused if !run.foreign.is_empty() => {
            vec![format!("{} --acknowledge", verb("resume")), verb("abort"), verb("show")]
        }
        RunState::Interrupted | RunState::Paused => vec![verb("resume"), verb("abort"), verb("show")],
        RunState::Halted => after_a_halt(run).iter().map(|word| verb(word)).collect(),
        RunState::Blocked | RunState::Aborted => {
            vec![format!("ratchet plan {} --to {}", run.plan.cluster, run.plan.target)]
        }
        RunState::Done => vec![format!("ratchet status {}", run.plan.cluster), verb("show")],
    };
    if matches!(run.phase, Phase::Ended(_)) && !run.kept.is_empty() {
        // Gives back what could not be given back then.
        commands.push(verb("abort"));
    }
    commands
}

/// What is legal after a halt, and gets on.
fn after_a_halt(run: &Run) -> [&'static str; 3] {
    let turn = run.turn.as_ref();
    let install = turn.and_then(|turn| run.ledger.get(&run.step_id(turn.node, turn.hop, StepKind::Install)));
    match install {
        _ if run.install_in_flight().is_some() => ["resume", "show", "abort"],
        Some(install) if install.outcome().is_some() => ["resume", "retry", "abort"],
        Some(_) | None if turn.is_some() && run.installs(None) > 0 => ["resume", "retry", "abort"],
        Some(_) | None => ["resume", "abort", "show"],
    }
}

fn node_state(run: &Run, uid: NodeUid, progress: &NodeProgress, hop: usize) -> NodeState {
    let there = run.plan.hops.get(hop).is_some_and(|hop| hop.already_there.contains(&uid));
    if progress.done.contains_key(&hop) || there {
        return NodeState::Done;
    }
    if let Phase::Halted(Halt { node: Some(failed), .. }) = &run.phase
        && *failed == uid
    {
        return NodeState::Failed;
    }
    let tried = run.ledger.of(uid, hop, StepKind::Install).any(|(_, entry)| entry.outcome().is_some());
    if matches!(run.phase, Phase::Ended(_)) && tried {
        return NodeState::Failed;
    }
    match run.ledger.iter().find(|(_, entry)| entry.node == uid && entry.in_flight()) {
        Some((_, entry)) => at_work(entry.kind()),
        None if run.turn.as_ref().is_some_and(|turn| turn.node == uid) => NodeState::Confirming,
        None if prepared(run, uid, hop) => NodeState::Prepared,
        None => NodeState::Waiting,
    }
}

fn at_work(kind: StepKind) -> NodeState {
    match kind {
        StepKind::Fetch | StepKind::Unpack => NodeState::Preparing,
        StepKind::Check => NodeState::Checking,
        StepKind::Install => NodeState::Installing,
        StepKind::Confirm | StepKind::Collect | StepKind::Restart | StepKind::Tune => NodeState::Confirming,
    }
}

fn prepared(run: &Run, node: NodeUid, hop: usize) -> bool {
    run.ledger.of(node, hop, StepKind::Unpack).any(|(_, entry)| entry.completed())
}

/// Remarks of a node's steps, and installers that said one thing while the node says another (promise P9).
fn warnings(run: &Run, node: NodeUid) -> Vec<String> {
    let of_node = run.ledger.iter().filter(|(_, entry)| entry.node == node);
    of_node.flat_map(|(_, entry)| step_warnings(run, node, entry)).collect()
}

/// What was found out of who made a node's packages, without what an earlier attempt has said the same.
fn authenticity(run: &Run, node: NodeUid) -> Vec<Authenticity> {
    let mut told: Vec<Authenticity> = Vec::new();
    for (_, entry) in run.ledger.iter().filter(|(_, entry)| entry.node == node) {
        let Some(StepOutcome::Completed { report: StepReport::Unpack { authenticity, .. }, .. }) =
            entry.outcome()
        else {
            continue;
        };
        told.extend(authenticity.iter().filter(|layer| !told.contains(layer)).cloned().collect::<Vec<_>>());
    }
    told
}

fn step_warnings(run: &Run, node: NodeUid, entry: &StepEntry) -> Vec<String> {
    let through = run.nodes.get(&node).is_some_and(|progress| progress.done.contains_key(&entry.hop));
    match entry.outcome() {
        Some(StepOutcome::Completed { report, warnings }) => {
            let mut all = warnings.clone();
            if let StepReport::Install(installed) = report
                && installed.exit != Exit::Code(0)
                && through
            {
                all.push(format!(
                    "install.sh ended with {}, yet the node is at the target and healthy; see {}",
                    installed.exit, installed.log_path
                ));
            }
            all
        }
        Some(StepOutcome::Interrupted(reason)) if entry.kind() == StepKind::Install && through => {
            vec![format!("its install was cut off ({reason}), yet the node is at the target and healthy")]
        }
        _ => Vec::new(),
    }
}

fn retries(run: &Run) -> Vec<RetryRow> {
    let row = |retry: &Retry| RetryRow {
        wait: tell::wait_word(retry.wait).to_owned(),
        node: retry.node.map(|node| node.0),
        attempt: retry.attempt,
        cause: retry.cause.clone(),
        next_try_at: retry.next_try_at,
        gives_up_at: retry.gives_up_at,
    };
    run.retries.values().map(row).collect()
}

fn settings(run: &Run) -> Vec<SettingRow> {
    let row = |(setting, effect): (&Setting, &SideEffect)| SettingRow {
        setting: setting.to_string(),
        original: effect.original,
        wanted: effect.wanted,
        open: effect.open(),
        command: tell::put_back(*setting, effect.original),
    };
    run.settings.iter().map(row).collect()
}

fn halt_row(run: &Run) -> Option<HaltRow> {
    let row = |node: Option<NodeUid>, step: Option<StepKind>, failure: &Failure| HaltRow {
        at: run.phase_since,
        node: node.map(|node| node.0),
        step: step.map(|step| step.to_string()),
        error: ErrorDocument::from(&with_takeover(&run.plan.cluster, failure.clone())).error,
        evidence: failure.program.as_ref().map(evidence).unwrap_or_default(),
    };
    match &run.phase {
        Phase::Halted(halt) => Some(row(halt.node, halt.step, &halt.failure)),
        Phase::Ended(RunEnd::Blocked(failure)) => {
            Some(row(run.refused.as_ref().map(|(node, _)| *node), None, failure))
        }
        Phase::Active | Phase::Paused | Phase::Ended(RunEnd::Done | RunEnd::Aborted) => None,
    }
}

fn evidence(program: &proto::ProgramFailure) -> Vec<String> {
    let mut lines = vec![format!("$ {} ({})", program.argv.join(" "), program.status)];
    lines.extend(program.tail.iter().cloned());
    lines
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
