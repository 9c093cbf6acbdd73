//! Every cell of the vendor's table, by hand from fact sheet §1.1 and §1.3.

use super::version;
use crate::paths::{Origin, PathVerdict, Status, Table};

/// One version of every release the table's columns name.
const COLUMNS: [&[&str]; 7] = [
    &["7.2.4-52", "7.2.4-154"],
    &["7.4.2-54", "7.4.6-22"],
    &["7.8.2-34", "7.8.4-66", "7.8.6-303"],
    &["7.22.0-95", "7.22.2-179"],
    &["8.0.2-17", "8.0.6-54", "8.0.10-64"],
    &["8.0.16-29", "8.0.18-23", "8.0.20-96"],
    &["8.2.0-25", "8.2.0-46"],
];

/// Rows of fact sheet §1.1: the versions named, and a letter a column. `-` is a target below the row.
const ROWS: [(&[&str], &str); 11] = [
    (&["6.0.8-28", "6.0.12-58", "6.0.20-69"], "YNNNNNN"),
    (&["6.2.4-54", "6.2.8-39"], "YYNNNNN"),
    (&["6.2.10-83", "6.2.12-37", "6.2.18-43"], "YYYNNNN"),
    (&["6.4.2-30", "6.4.2-131"], "YYYYYNN"),
    (&["7.2.4-51"], "YYYYYYY"),
    (&["7.4.2-53"], "-YYYYYY"),
    (&["7.8.2-33"], "--YYYYY"),
    (&["7.22.0-94"], "---YYYY"),
    (&["8.0.2-16"], "----YYY"),
    (&["8.0.16-28"], "-----YY"),
    (&["8.2.0-24"], "------Y"),
];

#[test]
fn every_cell_of_todays_table_in_both_directions() {
    let table = Table::vendor().unwrap();
    let mut cells = 0;
    for (sources, letters) in ROWS {
        for (letter, targets) in letters.chars().zip(COLUMNS) {
            cells += 1;
            for from in sources.iter().map(|text| version(text)) {
                for to in targets.iter().map(|text| version(text)) {
                    let verdict = table.verdict(from, to);
                    let right = match letter {
                        'Y' => matches!(
                            verdict,
                            PathVerdict::Allowed { status: Status::Current, inferred: false, .. }
                        ),
                        'N' => matches!(verdict, PathVerdict::Denied { .. }),
                        _ => verdict == PathVerdict::NotAnUpgrade,
                    };
                    assert!(right, "{from} → {to} is {letter}, not {verdict:?}");
                    let back = table.verdict(to, from);
                    assert!(letter == '-' || back == PathVerdict::NotAnUpgrade, "{to} → {from}: {back:?}");
                }
            }
        }
    }
    assert_eq!(cells, 77);
}

#[test]
fn the_historical_rows() {
    let table = Table::vendor().unwrap();
    let allowed = [
        ("6.4.2-30", "6.4.2-43"),
        ("6.2.4-54", "6.2.18-70"),
        ("6.2.4-54", "6.4.2-30"),
        ("6.2.18-70", "6.4.2-131"),
        ("6.0.8-28", "6.2.4-54"),
        ("6.0.20-69", "6.4.2-30"),
        ("6.0.8-28", "6.0.20-69"),
        ("5.6.0-30", "6.0.20-69"),
        ("5.6.0-30", "6.0.8-28"),
        ("5.4.0-19", "6.0.12-58"),
        ("5.5.9-1", "6.0.8-28"),
        ("5.0.2-30", "5.6.0-30"),
        ("5.4.14-31", "5.6.0-30"),
        ("5.0.0-31", "5.4.6-18"),
        ("5.0.2-21", "5.4.14-28"),
        ("5.2.2-14", "5.4.14-28"),
        ("4.5.0-51", "5.2.0-14"),
        ("5.0.2-20", "5.2.2-14"),
        ("4.4.2-49", "5.0.2-30"),
        ("4.4.0-1", "4.5.0-51"),
    ];
    for (from, to) in allowed {
        let verdict = table.verdict(version(from), version(to));
        assert!(
            matches!(verdict, PathVerdict::Allowed { status: Status::Historical, .. }),
            "{from} → {to}: {verdict:?}"
        );
        assert_eq!(table.verdict(version(to), version(from)), PathVerdict::NotAnUpgrade, "{to} → {from}");
    }
    let inferred = table.verdict(version("6.0.8-28"), version("6.0.20-69"));
    assert!(matches!(inferred, PathVerdict::Allowed { inferred: true, .. }), "{inferred:?}");
}

#[test]
fn the_historical_limits() {
    let table = Table::vendor().unwrap();
    let refused = [
        ("5.4.14-31", "6.0.20-69"),
        ("5.6.0-30", "6.2.4-54"),
        ("5.6.0-30", "6.4.2-30"),
        ("5.6.0-30", "7.2.4-52"),
        ("5.3.9-1", "6.0.8-28"),
        ("5.0.2-29", "5.6.0-30"),
        ("5.0.2-20", "5.4.14-28"),
        ("5.0.1-99", "5.4.14-28"),
        ("4.4.0-9", "5.0.2-30"),
        ("4.4.2-49", "5.2.0-14"),
        ("4.3.0-1", "4.5.0-51"),
    ];
    for (from, to) in refused {
        let verdict = table.verdict(version(from), version(to));
        assert!(
            matches!(verdict, PathVerdict::Denied { .. } | PathVerdict::Unknown),
            "{from} → {to}: {verdict:?}"
        );
    }
}

#[test]
fn what_no_row_names_is_unknown() {
    let table = Table::vendor().unwrap();
    let unknown = [
        ("7.4.2-54", "8.0.22-1"),
        ("8.0.20-96", "8.0.22-1"),
        ("8.0.22-1", "8.2.0-46"),
        ("8.0.12-1", "8.2.0-46"),
        ("7.4.2-54", "8.0.0-1"),
        ("7.4.2-54", "8.0.12-1"),
        ("7.4.2-54", "100.0.2-3572"),
        ("6.2.2-1", "7.2.4-52"),
        ("6.2.2-1", "6.4.2-30"),
        ("7.5.0-1", "7.8.2-34"),
        ("7.4.2-54", "7.6.0-1"),
        ("8.2.0-46", "8.4.0-1"),
        ("0.0.0-0", "4.4.0-1"),
    ];
    for (from, to) in unknown {
        assert_eq!(table.verdict(version(from), version(to)), PathVerdict::Unknown, "{from} → {to}");
    }
}

#[test]
fn builds_decide_within_a_release() {
    let table = Table::vendor().unwrap();
    assert!(matches!(table.verdict(version("7.4.2-54"), version("7.4.2-216")), PathVerdict::Allowed { .. }));
    for to in ["7.4.2-54", "7.4.2-53", "7.2.4-154"] {
        assert_eq!(table.verdict(version("7.4.2-54"), version(to)), PathVerdict::NotAnUpgrade, "{to}");
    }
}

const SMALL: &str = r#"
schema = 1
as_of = "2026-07-21"
[[path]]
from = ">=7.2.0, <7.3.0"
to = [">=7.4.0, <7.5.0"]
effect = "allow"
status = "current"
source = "s"
[[bundled_db]]
cluster = ">=7.4.0, <7.5.0"
bundled = ["6.2", "7.2"]
default = "7.2"
[eol]
"7.4" = "2026-11-30"
"#;

#[test]
fn a_deny_wins_wherever_it_stands() {
    let deny = SMALL.replace("effect = \"allow\"", "effect = \"deny\"");
    let row = &deny[deny.find("[[path]]").unwrap()..deny.find("[[bundled_db]]").unwrap()];
    for text in [
        SMALL.replace("[[bundled_db]]", &format!("{row}[[bundled_db]]")),
        SMALL.replacen("[[path]]", &format!("{row}[[path]]"), 1),
    ] {
        let verdict =
            Table::parse(&text, Origin::BuiltIn).unwrap().verdict(version("7.2.4-52"), version("7.4.2-54"));
        assert!(matches!(verdict, PathVerdict::Denied { .. }), "{verdict:?}");
    }
}

#[test]
fn a_damaged_table_is_refused() {
    Table::parse(SMALL, Origin::BuiltIn).unwrap();
    for (what, with) in [
        ("schema = 1", "schema = 2"),
        ("schema = 1", ""),
        ("from = ", "form = "),
        ("effect = \"allow\"", "effect = \"maybe\""),
        ("status = \"current\"", "status = \"soon\""),
        (">=7.2.0, <7.3.0", "^7.2.0"),
        (">=7.2.0, <7.3.0", "7.2.x"),
        ("source = \"s\"", "source = \"s\"\nfrom_min_build = \"7.2.0\""),
        ("source = \"s\"", "source = \"s\"\nexcept = [\"7.2.0-1\"]"),
        ("2026-11-30", "2026-11-31"),
        ("[[path]]", "[[paths]]"),
        ("[[bundled_db]]", "[[bundled]]"),
    ] {
        assert!(SMALL.contains(what), "{what}");
        assert!(Table::parse(&SMALL.replacen(what, with, 1), Origin::BuiltIn).is_err(), "{what} → {with}");
    }
}

#[test]
fn the_databases_and_ends_of_life_of_the_fact_sheet() {
    let table = Table::vendor().unwrap();
    let bundled = |text: &str| table.bundled(version(text)).map(|bundled| bundled.versions.join(" "));
    assert_eq!(bundled("7.4.6-22").unwrap(), "6.0 6.2 7.2");
    assert_eq!(bundled("7.8.2-34").unwrap(), "6.2 7.2 7.4");
    assert_eq!(bundled("8.0.20-96").unwrap(), "6.2 7.2 7.4 8.0 8.2 8.4 8.6");
    assert_eq!(bundled("6.0.20-69"), None);
    assert_eq!(table.end_of_life(version("7.22.0-95").line()).unwrap().to_string(), "2027-10-30");
    assert_eq!(table.end_of_life(version("8.2.0-46").line()), None);
}
