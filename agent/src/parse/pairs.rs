//! Blocks of indented `key: value` lines, each below a heading, as `rladmin info` prints them.

use proto::Row;

use super::Unreadable;
use super::text::{excerpt, whole_lines};

/// The blocks in their order, each with what its heading says. Text before the first heading is tolerated; any other line
/// that is neither a heading nor a pair, and a key that a block has twice, may be what a lost line left behind.
pub(super) fn blocks<H>(
    what: &'static str,
    text: &str,
    heading: impl Fn(&str) -> Option<H>,
) -> Result<Vec<(H, Row)>, Unreadable> {
    let clean = whole_lines(what, text)?;
    let mut blocks: Vec<(H, Row)> = Vec::new();
    for line in clean.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if let Some(heading) = heading(line) {
            blocks.push((heading, Row::new()));
            continue;
        }
        let read = match blocks.last_mut() {
            Some((_, row)) => add(row, line),
            _ if heading(line.trim_start()).is_some() => Err("a heading is indented"),
            None if is_indented(line) => Err("a line stands below no heading"),
            None => Ok(()),
        };
        read.map_err(|reason| Unreadable::new(what, format!("{reason}: `{}`", excerpt(line))))?;
    }
    if blocks.is_empty() { Err(Unreadable::new(what, "it has no heading")) } else { Ok(blocks) }
}

/// Adds a pair; a key without a value is left out.
fn add(row: &mut Row, line: &str) -> Result<(), &'static str> {
    let pair = line.split_once(':').filter(|(key, _)| is_indented(line) && !key.trim().is_empty());
    let (key, value) = pair.ok_or("a line is no `key: value`")?;
    let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
    if row.contains_key(&key) {
        return Err("a key is there twice");
    }
    if !value.is_empty() {
        row.insert(key, value);
    }
    Ok(())
}

fn is_indented(line: &str) -> bool {
    line.starts_with([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Row)>, Unreadable> {
        blocks("it", text, |line| line.strip_prefix("block ").map(str::to_owned))
    }

    #[test]
    fn pairs_belong_to_the_heading_above_them() {
        let read = read("Warning: old\n\nblock 1\n    a: b: c\n\td e:  f \n    g:\n\nblock 2\n").unwrap();
        let pairs = [("a", "b: c"), ("d e", "f")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(read, [("1".to_owned(), Row::from(pairs)), ("2".to_owned(), Row::new())]);
    }

    #[test]
    fn what_a_lost_line_leaves_behind_is_noticed() {
        for text in [
            "    a: b\n",
            "a: b\n",
            "block 1\n    a: b\n    a: b\n",
            "block 1\n    a\n",
            "block 1\n    : a\n",
            "block 1\na: b\n",
            "block 1\n    a: b\n    block 2\n",
            "block 1\n    a: b",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
