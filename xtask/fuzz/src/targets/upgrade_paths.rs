//! The table of upgrade paths.

use std::path::PathBuf;

use coordinator::paths::{Origin, Table};

use super::TOML;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(TOML).longest(64 * 1024).short_runs(400);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = seeds::parts("coordinator/data/upgrade-paths.toml", "[[path]]");
    seeds.truncate(8);
    seeds.push(seeds::file("coordinator/data/upgrade-paths.toml"));
    seeds.extend(seeds::texts(&[SMALL]));
    seeds
}

const SMALL: &str = r#"schema = 1
as_of = "2026-11-01"
[[path]]
from = "7.4"
to = ["7.22", "8.0"]
effect = "allow"
status = "current"
source = "https://x"
[[bundled_db]]
cluster = "7.4"
bundled = ["6.0", "7.2"]
default = "7.2"
[eol]
"7.4" = "2027-02-28"
"#;

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    match Table::parse(&text, Origin::File(PathBuf::from("/x"))) {
        Ok(table) => expect::in_proportion(&table, text.len(), 256),
        Err(error) => expect::in_proportion(&error.to_string(), text.len(), 64),
    }
}
