//! `runs`: a line a run.

use comfy_table::{Cell, Color};

use super::run::state;
use super::table::{cell, table};
use crate::documents::{RunRow, RunState, RunsDocument};

/// All runs.
pub fn runs(document: &RunsDocument) -> String {
    let halted = super::fleet::halted(document.fleet_halt.as_ref());
    if document.runs.is_empty() {
        return halted + "there are no runs yet\n";
    }
    let header = ["RUN", "CLUSTER", "TARGET", "STATE", "NODES", "CREATED", "DOING"];
    halted + &table(&header, document.runs.iter().map(row).collect())
}

fn row(run: &RunRow) -> Vec<Cell> {
    vec![
        cell(Some(&run.id)),
        cell(Some(&run.cluster)),
        cell(Some(&run.target)),
        Cell::new(state(run.state)).fg(colour(run.state)),
        cell(Some(&format!("{}/{}", run.nodes_done, run.nodes))),
        cell(Some(&run.created_at.strftime("%Y-%m-%d %H:%MZ").to_string())),
        cell(Some(&run.doing)),
    ]
}

fn colour(state: RunState) -> Color {
    match state {
        RunState::Done => Color::Green,
        RunState::Running => Color::Cyan,
        RunState::Halted | RunState::Blocked => Color::Red,
        RunState::Paused | RunState::Interrupted | RunState::Aborted => Color::Yellow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn each_run_has_a_line() {
        let text = anstream::adapter::strip_str(&runs(&sample::runs())).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[1].contains("orders-1") && lines[1].contains("halted") && lines[1].contains("1/3"),
            "{text}"
        );
    }
}
