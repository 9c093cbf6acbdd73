//! `rladmin status modules`: the cluster's modules and those of its databases (fact sheet §3.3).

use proto::Row;

use super::Unreadable;
use super::status::{StatusError, is_title};
use super::table::{self, Line, Table};
use super::text::{excerpt, whole_lines};

const WHAT: &str = "`rladmin status modules`";
const CLUSTER: &str = "CLUSTER MODULES:";
const DATABASES: &str = "DATABASE MODULES:";

/// Both tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// `module`, `version`; with `extra all` also `min_redis_version`, `id`.
    pub cluster: Vec<Row>,
    /// `database` (the uid), `name`, `module`, `version`, `args`, `status`.
    pub databases: Vec<Row>,
}

/// Reads the answer, with or without its extra columns.
///
/// # Errors
/// When one of the two tables is missing, or a row does not fit its header.
pub fn parse(text: &str) -> Result<Modules, Unreadable> {
    let clean = whole_lines(WHAT, text)?;
    let lines: Vec<Line<'_>> =
        (1..).zip(clean.lines()).map(|(number, text)| Line { number, text: text.trim_end() }).collect();
    let table = |title| section(&lines, title);
    let read = || {
        stray(&lines)?;
        let cluster = cluster(&Table::read(CLUSTER, table(CLUSTER)?)?)?;
        let databases = databases(&Table::read(DATABASES, table(DATABASES)?)?)?;
        Ok(Modules { cluster, databases })
    };
    read().map_err(|error: StatusError| Unreadable::new(WHAT, error.to_string()))
}

/// The lines below a title, up to an empty line or the next title.
fn section<'a>(lines: &'a [Line<'a>], title: &'static str) -> Result<&'a [Line<'a>], StatusError> {
    let mut found = (1..).zip(lines).filter(|(_, line)| line.text == title).map(|(next, _)| next);
    match (found.next(), found.next()) {
        (Some(start), None) => {
            let body = &lines[start..];
            let length = body.iter().take_while(|line| !ends_table(line)).count();
            Ok(&body[..length])
        }
        (Some(_), Some(_)) => Err(StatusError::DuplicateSection { section: title }),
        (None, _) => Err(StatusError::MissingSection { section: title }),
    }
}

fn ends_table(line: &Line<'_>) -> bool {
    line.text.is_empty() || is_title(line.text)
}

/// Text before the first title is tolerated; after it, a line that belongs to no table may be a lost row.
fn stray(lines: &[Line<'_>]) -> Result<(), StatusError> {
    let mut in_table = true;
    for line in lines.iter().skip_while(|line| !is_title(line.text)) {
        if ends_table(line) {
            in_table = is_title(line.text);
        } else if !in_table {
            return Err(StatusError::Unexpected { line: line.number, text: excerpt(line.text) });
        }
    }
    Ok(())
}

fn cluster(table: &Table<'_>) -> Result<Vec<Row>, StatusError> {
    table.require(&["MODULE", "VERSION"])?;
    let module = |row: table::Row<'_>| {
        let cells = [
            ("module", Some(filled(&row, "MODULE")?)),
            ("version", Some(version(&row, "VERSION")?)),
            ("min_redis_version", shown(row.word("MIN_REDIS_VERSION")?)),
            ("id", shown(row.word("ID")?)),
        ];
        Ok(known(cells))
    };
    table.rows().map(module).collect()
}

fn databases(table: &Table<'_>) -> Result<Vec<Row>, StatusError> {
    table.require(&["DB:ID", "MODULE", "VERSION", "STATUS"])?;
    let module = |row: table::Row<'_>| {
        let cells = [
            ("database", Some(row.numbered("DB:ID", "db:")?.to_string())),
            ("name", shown(row.text("NAME")?)),
            ("module", Some(filled(&row, "MODULE")?)),
            ("version", Some(version(&row, "VERSION")?)),
            // That there are none is an answer too.
            ("args", row.text("ARGS")?.map(str::to_owned)),
            ("status", Some(filled(&row, "STATUS")?)),
        ];
        Ok(known(cells))
    };
    table.rows().map(module).collect()
}

fn known<const N: usize>(cells: [(&str, Option<String>); N]) -> Row {
    cells.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn shown(cell: Option<&str>) -> Option<String> {
    cell.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Names and statuses may have blanks inside.
fn filled(row: &table::Row<'_>, column: &'static str) -> Result<String, StatusError> {
    shown(row.text(column)?).ok_or_else(|| row.bad(column, "a text"))
}

/// A module's version: numbers with dots between them.
fn version(row: &table::Row<'_>, column: &'static str) -> Result<String, StatusError> {
    let text = row.required(column)?;
    match text.split('.').all(table::all_digits) {
        true => Ok(text.to_owned()),
        false => Err(row.bad(column, "numbers with dots")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::test_damage::damaged;
    use super::*;

    const EXTRA: &str =
        include_str!("../../tests/samples/rladmin-status-modules-extra-all__na__redis-docs__1.txt");
    const PLAIN: &str =
        include_str!("../../tests/samples/rladmin-status-modules__7.2-old__redis-docs__1.txt");

    fn cells(row: &Row) -> String {
        row.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn all_columns() {
        let modules = parse(EXTRA).unwrap();
        assert_eq!((modules.cluster.len(), modules.databases.len()), (10, 3));
        assert_eq!(
            cells(&modules.cluster[2]),
            "id=2c000539f65272f7a2712ed3662c2b6b|min_redis_version=6.0|module=RediSearch 2|version=2.6.12"
        );
        assert_eq!(
            cells(&modules.databases[0]),
            "args=PARTITIONS AUTO|database=1|module=RediSearch 2|name=search-json-db|status=OK|version=2.8.9"
        );
        assert_eq!(modules.databases[2]["args"], "");
    }

    #[test]
    fn without_the_extra_columns() {
        let modules = parse(PLAIN).unwrap();
        assert_eq!(cells(&modules.cluster[1]), "module=RediSearch 2|version=2.8.4");
        assert_eq!(modules.databases[1]["status"], "OK, OLD MODULE VERSION");
        assert_eq!(modules.databases[1]["database"], "1");
    }

    #[test]
    fn empty_tables_are_empty_and_missing_ones_are_not() {
        let both =
            "CLUSTER MODULES:\nMODULE VERSION\n\nDATABASE MODULES:\nDB:ID NAME MODULE VERSION ARGS STATUS\n";
        assert_eq!(parse(both), Ok(Modules::default()));
        assert_eq!(parse(&format!("\u{1b}[33mWarning: old\u{1b}[0m\n\n{both}")), Ok(Modules::default()));
        for text in [
            "CLUSTER MODULES:\nMODULE VERSION\n",
            "CLUSTER MODULES:\n\nDATABASE MODULES:\n",
            "ERROR: invalid token 'modules'\n",
            &both.repeat(2),
            &format!("{both}\nRedisBloom 2.6.8\n"),
            &both.replace("MODULE VERSION\n", "MODULE VERSION\nRedisBloom newest\n"),
            &both.replace("MODULE VERSION\n", "MODULE VERSION\nRedisBloom\n"),
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    /// Whole rows may be lost unnoticed; what is left is as it was.
    #[test]
    fn a_cut_or_a_lost_line_changes_no_row() {
        for text in [EXTRA, PLAIN] {
            let whole = parse(text).unwrap();
            for damaged in damaged(text) {
                let Ok(read) = parse(&damaged) else { continue };
                assert!(read.cluster.iter().all(|row| whole.cluster.contains(row)), "{damaged}");
                assert!(read.databases.iter().all(|row| whole.databases.contains(row)), "{damaged}");
            }
        }
    }

    proptest! {
        #[test]
        fn garbage_is_no_answer(text in "(\\PC|[\n\t ]|CLUSTER MODULES:\n|MODULE|VERSION|db:1){0,80}") {
            prop_assert!(parse(&text).is_err());
        }
    }
}
