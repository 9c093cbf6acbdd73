//! `rladmin node N snapshot list` (fact sheet §3.6). How the list looks is not documented; snapshots' names are.

use super::Unreadable;
use super::text::{excerpt, strip_ansi};

/// Names of the node's snapshots; empty if there are none.
///
/// # Errors
/// When a line is none of the forms in which names are printed: a snapshot that cannot be read must not pass for none.
pub fn parse(text: &str) -> Result<Vec<String>, Unreadable> {
    let clean = strip_ansi(text);
    let mut names = Vec::new();
    for line in clean.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match name(line) {
            Some(name) => names.push(name.to_owned()),
            None if says_none(line) || is_header(line) => {}
            None => {
                let reason = format!("unknown line `{}`", excerpt(line));
                return Err(Unreadable::new("`rladmin node N snapshot list`", reason));
            }
        }
    }
    Ok(names)
}

/// `NodeSnapshot<name=…,time=…>`, `Name: … Node: …`, or a row that has the name of a maintenance snapshot in it.
fn name(line: &str) -> Option<&str> {
    let behind = |mark: &str| line.split_once(mark).map(|(_, rest)| rest.trim_start());
    let marked = behind("NodeSnapshot<name=").or_else(|| line.strip_prefix("Name: ")).or_else(|| {
        let start = line.find("maintenance_mode_")?;
        Some(&line[start..])
    })?;
    let name = marked.split([' ', '\t', ',', '>', '\'', '"']).next()?;
    (!name.is_empty()).then_some(name)
}

fn says_none(line: &str) -> bool {
    line.to_lowercase().starts_with("no snapshots") || line == "[]"
}

fn is_header(line: &str) -> bool {
    line.to_uppercase().starts_with("NAME ") || line.chars().all(|char| matches!(char, '-' | '=' | '+' | ' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "maintenance_mode_2022-05-12_20-25-37";

    #[test]
    fn names_are_found_in_every_form() {
        for text in [
            format!("NodeSnapshot<name={NAME},time=2022-05-12T20:25:37Z,node_uid=2>\n"),
            format!("Name: {NAME} Node: 2\n"),
            format!("NAME   NODE\n------\n{NAME}  node:2\n"),
            format!("\u{1b}[1m{NAME}\u{1b}[0m\n"),
        ] {
            assert_eq!(parse(&text), Ok(vec![NAME.to_owned()]), "{text}");
        }
        assert_eq!(parse("Name: before-work Node: 1\n"), Ok(vec!["before-work".to_owned()]));
    }

    #[test]
    fn none_is_said_or_silent() {
        for text in ["", "\n", "No snapshots found\n", "NAME  NODE\n"] {
            assert_eq!(parse(text), Ok(vec![]), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_not_none() {
        for text in [
            "ERROR: invalid token 'snapshot'\n",
            "Traceback (most recent call last):\n",
            "some-name node:1\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
