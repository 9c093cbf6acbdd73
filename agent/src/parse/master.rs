//! `rladmin cluster master` (fact sheet §3.8).

use proto::NodeUid;

use super::Unreadable;
use super::table::all_digits;
use super::text::{excerpt, strip_ansi};

/// The master's uid out of `Node 1 is the cluster master node`.
///
/// # Errors
/// When the text has no such line, or more than one.
pub fn parse(text: &str) -> Result<NodeUid, Unreadable> {
    let clean = strip_ansi(text);
    let mut uids = clean.lines().filter_map(|line| uid(line.trim()));
    match (uids.next(), uids.next()) {
        (Some(uid), None) => Ok(uid),
        _ => Err(Unreadable::new("`rladmin cluster master`", format!("it answered `{}`", excerpt(&clean)))),
    }
}

fn uid(line: &str) -> Option<NodeUid> {
    let digits = line.strip_prefix("Node ")?.strip_suffix(" is the cluster master node")?;
    digits.parse().ok().filter(|_| all_digits(digits)).map(NodeUid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_names_the_master() {
        assert_eq!(parse("Node 12 is the cluster master node\n"), Ok(NodeUid(12)));
        for text in [
            "",
            "Node 3 set to be the cluster master node\n",
            "Node 1 is the cluster master",
            "Node +1 is the cluster master node\n",
            "Node 1 is the cluster master node\nNode 2 is the cluster master node\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
