//! `rladmin cluster running_actions` (fact sheet §3.8).

use super::Unreadable;
use super::text::{excerpt, strip_ansi};

const WHAT: &str = "`rladmin cluster running_actions`";

/// The running actions, one line each; empty only for exactly `No active tasks`.
///
/// # Errors
/// When the text is neither that nor `Got N tasks:` with N numbered lines.
pub fn parse(text: &str) -> Result<Vec<String>, Unreadable> {
    let clean = strip_ansi(text);
    let lines: Vec<&str> = clean.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let Some((last, before)) = lines.split_last() else {
        return Err(Unreadable::new(WHAT, "nothing was printed"));
    };
    if *last == "No active tasks" {
        return match before.iter().find(|line| speaks_of_tasks(line)) {
            None => Ok(Vec::new()),
            Some(line) => Err(Unreadable::new(WHAT, format!("it contradicts itself: `{}`", excerpt(line)))),
        };
    }
    listed(&lines)
}

/// Chatter before the answer is tolerated; an error or a task is not chatter.
fn speaks_of_tasks(line: &str) -> bool {
    line.to_lowercase().contains("task") || line.starts_with("ERROR") || task(line).is_some()
}

fn listed(lines: &[&str]) -> Result<Vec<String>, Unreadable> {
    let heading = lines.iter().enumerate().find_map(|(at, line)| Some((at, announced(line)?)));
    let Some((at, count)) = heading else {
        let first = lines.first().copied().unwrap_or_default();
        return Err(Unreadable::new(WHAT, format!("unknown answer `{}`", excerpt(first))));
    };
    let tasks: Vec<String> = lines[at + 1..].iter().filter_map(|line| task(line)).collect();
    if count == 0 || tasks.len() != count {
        let reason = format!("it announces {count} tasks and lists {}", tasks.len());
        return Err(Unreadable::new(WHAT, reason));
    }
    Ok(tasks)
}

/// The number in `Got 2 tasks:`.
fn announced(line: &str) -> Option<usize> {
    line.strip_prefix("Got ")?.strip_suffix(':')?.split_once(" task")?.0.parse().ok()
}

/// The text behind the number in `1) Task: maintenance_on (<uuid>) Node: 1 Status: running`.
fn task(line: &str) -> Option<String> {
    let (number, task) = line.split_once(") ")?;
    number.parse::<u32>().ok().map(|_| task.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "Got 2 tasks:\n1) Task: maintenance_on (8c2e) Node: 1 Status: running\n\
                       2) Task: migrate_shards (11aa) Status: queued\n";

    #[test]
    fn none_and_two() {
        assert_eq!(parse("No active tasks\n"), Ok(vec![]));
        assert_eq!(parse("\u{1b}[33mWarning: the license expires\u{1b}[0m\n\nNo active tasks\n"), Ok(vec![]));
        let tasks = parse(TWO).unwrap();
        assert_eq!(tasks.len(), 2);
        assert_eq!(tasks[0], "Task: maintenance_on (8c2e) Node: 1 Status: running");
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "",
            "\n",
            "No active task",
            "No active tasks today",
            "ERROR: invalid token 'running_actions'",
            "Got 0 tasks:\n",
            "Got 2 tasks:\n1) Task: a\n",
            "Got 1 tasks:\n1) Task: a\n2) Task: b\n",
            "ERROR: x\nNo active tasks\n",
            "Got 1 tasks:\nNo active tasks\n",
            "1) Task: a\nNo active tasks\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn cut_anywhere_it_never_becomes_idle() {
        for end in 0..TWO.len() {
            assert_ne!(parse(&TWO[..end]), Ok(vec![]), "{:?}", &TWO[..end]);
        }
    }
}
