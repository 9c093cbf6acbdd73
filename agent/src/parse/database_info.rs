//! `rladmin info db`: a block for each database (fact sheet §3.8).

use std::collections::BTreeSet;

use proto::Row;

use super::Unreadable;
use super::pairs::blocks;
use super::table::all_digits;
use super::text::excerpt;

const WHAT: &str = "`rladmin info db`";

/// A row for each database: `uid`, `name`, and its settings by the tool's own keys. `expected` are the databases that
/// `rladmin status` shows; others, such as internal ones, may be there too.
///
/// # Errors
/// When an expected database is missing, one is there twice, or nothing is said of one.
pub fn parse(text: &str, expected: &[u32]) -> Result<Vec<Row>, Unreadable> {
    let blocks = blocks(WHAT, text, heading)?;
    let mut seen = BTreeSet::new();
    for ((uid, name), row) in &blocks {
        if !seen.insert(*uid) {
            return Err(Unreadable::new(WHAT, format!("it names db:{uid} twice")));
        }
        if row.is_empty() {
            let reason = format!("it names db:{uid} [{}] and says nothing of it", excerpt(name));
            return Err(Unreadable::new(WHAT, reason));
        }
    }
    match expected.iter().find(|uid| !seen.contains(uid)) {
        Some(uid) => Err(Unreadable::new(WHAT, format!("it says nothing of db:{uid}"))),
        None => Ok(blocks.into_iter().map(named).collect()),
    }
}

/// What the heading says goes before keys of the same name.
fn named(((uid, name), mut row): ((u32, String), Row)) -> Row {
    row.insert("uid".to_owned(), uid.to_string());
    row.insert("name".to_owned(), name);
    row
}

/// `db:1 [database1]:`.
fn heading(line: &str) -> Option<(u32, String)> {
    let (uid, rest) = line.strip_prefix("db:")?.split_once(" [")?;
    let name = rest.strip_suffix("]:")?;
    let uid = uid.parse().ok().filter(|_| all_digits(uid))?;
    Some((uid, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::test_damage::damaged;
    use super::*;

    const INFO: &str = "db:1 [database1]:\n    client_buffer_limits: 1GB (hard limit)/512MB (soft limit) in 30 seconds\n    \
                        slave_buffer: auto\n    resp3: enabled\n    maxclients: 10000\n\ndb:4 [my [old] db]:\n    \
                        resp3: disabled\n    maxclients: 500\n";

    #[test]
    fn the_documented_answer() {
        let rows = parse(INFO, &[1, 4]).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["client_buffer_limits"], "1GB (hard limit)/512MB (soft limit) in 30 seconds");
        assert_eq!((rows[0]["uid"].as_str(), rows[0]["name"].as_str()), ("1", "database1"));
        assert_eq!((rows[1]["name"].as_str(), rows[1]["maxclients"].as_str()), ("my [old] db", "500"));
        assert_eq!(parse(INFO, &[4]), Ok(rows), "internal databases may be listed too");
    }

    #[test]
    fn a_database_that_is_missing_double_or_empty_spoils_the_answer() {
        let double = INFO.replace("db:4", "db:1");
        for (text, expected) in [
            (INFO, &[1, 2][..]),
            (&double, &[1]),
            ("db:1 [a]:\n", &[1]),
            ("", &[]),
            ("db:1 [a]\n  b\n", &[1]),
        ] {
            assert!(parse(text, expected).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_cut_or_a_lost_line_changes_no_value() {
        let whole = parse(INFO, &[1, 4]).unwrap();
        for damaged in damaged(INFO) {
            let Ok(rows) = parse(&damaged, &[1, 4]) else { continue };
            for (row, before) in rows.iter().zip(&whole) {
                assert!(row.iter().all(|(key, value)| before[key] == *value), "{damaged}");
            }
        }
    }
}
