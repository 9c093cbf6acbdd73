//! A run: whole, in brief, and how it came out.

use comfy_table::Cell;
use jiff::tz::TimeZone;

use super::authenticity::authenticity;
use super::failure::labelled;
use super::journals::journals;
use super::style::{bad, bullet, caution, command, good, heading};
use super::table::{cell, table};
use super::units::{clock, elapsed, moment, printable};
use crate::checks::Acceptance;
use crate::documents::{EventDocument, HaltRow, NodeState, RunDocument, RunNodeRow, RunState, SettingRow};
use crate::fingerprint::Change;

/// A run, whole: `show`.
pub fn run(run: &RunDocument, zone: &TimeZone) -> String {
    let mut out = run_brief(run);
    out.push_str(&format!(
        "  created {}, last written {}, driver {} (epoch {})\n",
        moment(run.created_at, zone),
        moment(run.updated_at, zone),
        printable(&run.driver),
        run.epoch
    ));
    out.push_str(&asked(run, zone));
    for hop in &run.hops {
        let mark = if hop.done { good("✓") } else { "·".to_owned() };
        out.push_str(&bullet(&mark, &format!("{} → {}   {}", hop.from, hop.to, hop.source)));
    }
    out.push_str(&body(run));
    let made = authenticity(&run.nodes);
    if !made.is_empty() {
        out.push_str(&format!("\n{}\n{made}", heading("Who made the packages")));
    }
    if let Some(events) = &run.events {
        out.push_str(&format!("\n{}\n", heading("Events")));
        events.iter().for_each(|event| out.push_str(&of_event(event, zone)));
    }
    out.push_str(&run.agents.as_deref().map(|agents| journals(agents, zone)).unwrap_or_default());
    out
}

/// Who asked for it, of which plan, and for what since.
fn asked(run: &RunDocument, zone: &TimeZone) -> String {
    let Some((first, since)) = run.asked.split_first() else { return String::new() };
    let (by, at, plan) = (printable(&first.by), moment(first.at, zone), &run.plan_digest);
    let mut out = format!("  asked for by {by} {at}, plan {plan}\n");
    since
        .iter()
        .for_each(|of| out.push_str(&format!("  {}  {}\n", moment(of.at, zone), printable(&of.text))));
    out
}

/// Where a run stands, in two lines.
pub fn run_brief(run: &RunDocument) -> String {
    let what = if run.prepare_only { "prepare" } else { "upgrade" };
    let id = heading(&run.id);
    let state = coloured(run.state);
    format!("{id} · {what} {} → {} · {state}\n  {}\n", run.cluster, run.target, printable(&run.doing))
}

/// The last words of a followed run.
pub fn outcome(run: &RunDocument) -> String {
    format!("\n{}  took {}\n{}", run_brief(run), elapsed(run.created_at, run.updated_at), body(run))
}

/// Nodes, halt, next commands and what is left to a person.
fn body(run: &RunDocument) -> String {
    let mut out = nodes(&run.nodes);
    for node in &run.nodes {
        for warning in &node.warnings {
            out.push_str(&bullet(&caution("!"), &format!("node {}: {}", node.uid, printable(warning))));
        }
    }
    out.push_str(&run.halt.as_ref().map(halt).unwrap_or_default());
    out.push_str(&foreign(&run.foreign_changes));
    out.push_str(&accepted(&run.accepted));
    out.push_str(&to_put_back(&run.settings));
    if !run.next_commands.is_empty() {
        out.push_str(&format!("\n{}\n", heading("What you can do now")));
        run.next_commands.iter().for_each(|next| out.push_str(&bullet("$", &command(next))));
    }
    if !run.advice.is_empty() {
        out.push_str(&format!("\n{}\n", heading("Left for you to do")));
        run.advice.iter().for_each(|advice| out.push_str(&bullet("•", advice)));
    }
    out
}

/// What somebody else has changed, whole: a person has to say whether it is meant.
pub(super) fn foreign(changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let lines: String =
        changes.iter().map(|change| bullet(&caution("≠"), &printable(&change.to_string()))).collect();
    format!("\n{}\n{lines}", heading("Changed by somebody else since the plan was made"))
}

/// What stood in the way and was accepted.
pub(super) fn accepted(accepted: &[Acceptance]) -> String {
    let line = |of: &Acceptance| {
        bullet(&caution("!"), &format!("accepted {}: {}", printable(&of.id), printable(&of.reason)))
    };
    accepted.iter().map(line).collect()
}

/// Settings that are not as they were, with the commands that put them back by hand.
pub(super) fn to_put_back(settings: &[SettingRow]) -> String {
    let open = |setting: &&SettingRow| setting.open;
    let line = |setting: &SettingRow| {
        let text = format!(
            "{} was {} before this run; the run puts it back. By hand, on any node: {}",
            printable(&setting.setting),
            setting.original,
            command(&setting.command)
        );
        bullet(&caution("!"), &text)
    };
    settings.iter().filter(open).map(line).collect()
}

fn nodes(nodes: &[RunNodeRow]) -> String {
    let header = ["NODE", "HOST", "ROLE", "VERSION", "STATE", "INSTALLS", "TURN", "CONFIRMED BY"];
    table(&header, nodes.iter().map(node).collect())
}

fn node(node: &RunNodeRow) -> Vec<Cell> {
    let turn = node.turn_started_at.zip(node.turn_ended_at).map(|(from, to)| elapsed(from, to));
    let witnesses: Vec<String> = node.witnesses.iter().map(|uid| format!("node {uid}")).collect();
    vec![
        cell(Some(&node.uid.to_string())),
        cell(Some(&node.hostname)),
        cell(Some(&node.role)),
        cell(Some(&node.version)),
        cell(Some(node_state(node.state))),
        cell(Some(&node.installs.to_string())),
        cell(turn.as_deref()),
        cell(Some(&witnesses.join(", ")).filter(|text| !text.is_empty()).map(String::as_str)),
    ]
}

fn halt(halt: &HaltRow) -> String {
    let node = halt.node.map(|uid| format!(" on node {uid}")).unwrap_or_default();
    let step = halt.step.as_ref().map(|step| format!(" in {step}")).unwrap_or_default();
    let mut out = format!("\n{} {}\n", bad(&format!("halted{node}{step}:")), printable(&halt.error.message));
    out.push_str(&halt.error.cause.as_deref().map(|cause| labelled("why", cause)).unwrap_or_default());
    out.push_str(&halt.error.remedy.as_deref().map(|remedy| labelled("do", remedy)).unwrap_or_default());
    for line in &halt.evidence {
        out.push_str(&format!("         | {}\n", printable(line)));
    }
    out
}

fn of_event(event: &EventDocument, zone: &TimeZone) -> String {
    let node = event.node.map(|uid| format!("node {uid}")).unwrap_or_default();
    let (seq, at, text) = (event.seq, clock(event.at, zone), printable(&event.text));
    format!("  {seq:>4}  {at}  {node:<8}  {:<18}  {text}\n", event.kind)
}

/// A run's state in a word.
pub(super) fn state(state: RunState) -> &'static str {
    state.word()
}

fn coloured(of: RunState) -> String {
    match of {
        RunState::Done => good(state(of)),
        RunState::Running => state(of).to_owned(),
        RunState::Halted | RunState::Blocked => bad(state(of)),
        RunState::Paused | RunState::Interrupted | RunState::Aborted => caution(state(of)),
    }
}

/// A node's state in a word.
pub fn node_state(state: NodeState) -> &'static str {
    match state {
        NodeState::Waiting => "waiting",
        NodeState::Preparing => "preparing",
        NodeState::Prepared => "prepared",
        NodeState::Checking => "checking",
        NodeState::Installing => "installing",
        NodeState::Confirming => "confirming",
        NodeState::Done => "done",
        NodeState::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    fn plain(text: String) -> String {
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_halted_run_says_where_why_and_what_next() {
        insta::assert_snapshot!(plain(outcome(&sample::halted())), @r"
        orders-1 · upgrade orders → 7.4.6-22 · halted
          waiting for an operator
          took 1m 50s
        NODE  HOST  ROLE     VERSION    STATE    INSTALLS  TURN    CONFIRMED BY
        1     rs1   master   7.2.4-92   done     1         1m 10s  node 1, node 3
        2     rs2   replica  6.2.18-65  failed   1         -       -
        3     rs3   replica  6.2.18-65  waiting  0         -       -
          ! node 2: THP is on

        halted on node 2 in confirm: node 2 came back at 6.2.18-65
            why: install.sh aborted and returned 0
             do: read its log, then retry
                 | ERROR: port 53 is in use

        What you can do now
          $ ratchet retry orders-1
          $ ratchet abort orders-1
        ");
    }

    #[test]
    fn a_finished_run_says_what_is_left_to_a_person() {
        insta::assert_snapshot!(plain(outcome(&sample::done())), @r"
        orders-1 · upgrade orders → 7.4.6-22 · done
          all nodes are at 7.4.6-22
          took 1m 50s
        NODE  HOST  ROLE     VERSION   STATE  INSTALLS  TURN    CONFIRMED BY
        1     rs1   master   7.4.6-22  done   2         1m 10s  node 1, node 3
        2     rs2   replica  7.4.6-22  done   2         1m 10s  node 1, node 3
        3     rs3   replica  7.4.6-22  done   2         1m 10s  node 1, node 3

        Left for you to do
          • refresh an open Cluster Manager UI
          • rladmin upgrade db db:1
        ");
    }

    #[test]
    fn show_has_hops_and_events() {
        let events = vec![sample::event(1, None, "created"), sample::event(2, Some(2), "installing")];
        let document = RunDocument { events: Some(events), ..sample::run() };
        insta::assert_snapshot!(plain(run(&document, &TimeZone::UTC)), @r"
        orders-1 · upgrade orders → 7.4.6-22 · running
          installing 7.2.4-92 on node 2
          created 2026-11-22 02:00:00 UTC, last written 2026-11-22 02:01:50 UTC, driver root@ops1 (epoch 1)
          asked for by alice@ops1 2026-11-22 02:00:00 UTC, plan cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
          2026-11-22 02:01:30 UTC  bob@ops1 asked for a pause
          · 6.2.18-65 → 7.2.4-92   upgrade-paths
          · 7.2.4-92 → 7.4.6-22   upgrade-paths
        NODE  HOST  ROLE     VERSION    STATE       INSTALLS  TURN    CONFIRMED BY
        1     rs1   master   7.2.4-92   done        1         1m 10s  node 1, node 3
        2     rs2   replica  6.2.18-65  installing  1         -       -
        3     rs3   replica  6.2.18-65  waiting     0         -       -
          ! node 2: THP is on

        Events
             1  02:03:01            step_started        created
             2  02:03:02  node 2    step_started        installing
        ");
    }

    #[test]
    fn a_setting_that_is_not_put_back_is_told_with_the_command_that_does_it() {
        let document = RunDocument { settings: sample::settings(), ..sample::halted() };
        let text = plain(run(&document, &TimeZone::UTC));
        let line = "slave_ha_grace_period was 600 before this run; the run puts it back. By hand, on any node: rladmin \
                    tune cluster slave_ha_grace_period 600";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("parallel_shards_upgrade"), "{text}");
    }

    #[test]
    fn show_has_what_the_agents_have_written_down_and_names_those_that_do_not_tell() {
        let document = RunDocument {
            events: Some(vec![sample::event(1, None, "created")]),
            agents: Some(sample::journals()),
            ..sample::run()
        };
        let text = plain(run(&document, &TimeZone::UTC));
        let tail = &text[text.find("Events").unwrap()..];
        insta::assert_snapshot!(tail, @r"
        Events
             1  02:03:01            step_started        created

        Journals of node 1 (the agent at 10.0.0.1:7443)
          it was given no step of this run

        Journals of node 2 (the agent at 10.0.0.2:7443)
          orders-1.h0.n2.fetch.a1 given at 2026-11-22 02:01:00 UTC
               1  02:01:00  fetch begun
               2  02:01:00  | a line of output
          orders-1.h0.n2.install.a1 given at 2026-11-22 02:01:00 UTC, not ended
               1  02:01:00  install begun
               2  02:01:00  | a line of output
            ! 17 B at the end of this journal could not be read and were cut off

        Journals of node 3 (the agent at 10.0.0.3:7443)
          not told: agent 10.0.0.3:7443 cannot be reached: connection refused
        ");
    }
}
