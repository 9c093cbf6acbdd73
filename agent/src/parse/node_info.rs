//! `rladmin info node N` (fact sheet §3.6, §3.8).

use proto::{NodeUid, Row};

use super::Unreadable;
use super::pairs::blocks;

const WHAT: &str = "`rladmin info node`";

/// What is said of this node, by the tool's own keys.
///
/// # Errors
/// When the answer does not name this node once, or says nothing of it.
pub fn parse(text: &str, node: NodeUid) -> Result<Row, Unreadable> {
    let said = blocks(WHAT, text, heading)?;
    let mut own = said.into_iter().filter(|(uid, _)| *uid == node).map(|(_, row)| row);
    match (own.next(), own.next()) {
        (Some(row), None) if !row.is_empty() => Ok(row),
        (Some(_), None) => Err(Unreadable::new(WHAT, format!("it names {node} and says nothing of it"))),
        (Some(_), Some(_)) => Err(Unreadable::new(WHAT, format!("it names {node} twice"))),
        (None, _) => Err(Unreadable::new(WHAT, format!("it does not name {node}"))),
    }
}

/// `Command Output: node:3`, and not `node:03`: nobody has seen the tool write that.
fn heading(line: &str) -> Option<NodeUid> {
    let written = line.strip_prefix("Command Output: ")?;
    let digits = written.strip_prefix("node:")?;
    let node = NodeUid(digits.parse().ok()?);
    (node.to_string() == written).then_some(node)
}

#[cfg(test)]
mod tests {
    use super::super::test_damage::damaged;
    use super::*;

    const INFO: &str = "Command Output: node:3\n    address: 198.51.100.17\n    external addresses: N/A\n    \
                        recovery path: N/A\n    quorum only: disabled\n    max redis servers: 100\n    max listeners: 100\n";

    #[test]
    fn the_documented_answer() {
        let row = parse(INFO, NodeUid(3)).unwrap();
        assert_eq!(row.len(), 6);
        assert_eq!((row["quorum only"].as_str(), row["max redis servers"].as_str()), ("disabled", "100"));
    }

    #[test]
    fn another_node_two_of_it_and_none_are_no_answer() {
        let twice = INFO.repeat(2);
        for (text, node) in [
            (INFO, 2),
            (&twice, 3),
            (&INFO.replace("node:3", "node:03"), 3),
            ("Command Output: node:3\n", 3),
            ("node:3\n    a: b\n", 3),
        ] {
            assert!(parse(text, NodeUid(node)).is_err(), "{text:?}");
        }
        let all = format!("{}{INFO}", INFO.replace("node:3", "node:13"));
        assert_eq!(parse(&all, NodeUid(3)), parse(INFO, NodeUid(3)));
    }

    #[test]
    fn a_cut_or_a_lost_line_changes_no_value() {
        let whole = parse(INFO, NodeUid(3)).unwrap();
        for damaged in damaged(INFO) {
            let read = parse(&damaged, NodeUid(3)).unwrap_or_default();
            assert!(
                read.len() < whole.len() && read.iter().all(|(key, value)| whole[key] == *value),
                "{damaged}"
            );
        }
    }
}
