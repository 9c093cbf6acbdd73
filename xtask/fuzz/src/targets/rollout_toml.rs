//! `rollout.toml`.

use std::path::Path;

use coordinator::rollout::{Spec, parse_rollout};

use super::TOML;
use crate::{Target, expect, seeds};

const FULL: &str = r#"name = "spring"
target = "7.22.0-95"
max_unavailable = 2
[[wave]]
name = "canary"
select = ["env=staging", "orders"]
soak = "24h"
[[wave]]
name = "rest"
select = ["*"]
[[window]]
days = ["sat", "sun"]
from = "01:00"
to = "05:00"
zone = "Europe/Berlin"
[[blackout]]
from = "2026-12-20"
to = "2027-01-02"
why = "sales"
"#;

pub(super) const TARGET: Target = Target::new(run, seeds).words(TOML);

fn seeds() -> Vec<Vec<u8>> {
    let documented = seeds::toml_blocks("docs", "[[wave]]");
    documented.into_iter().chain(seeds::texts(&[FULL])).collect()
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    match parse_rollout(&text, Path::new("/x/rollout.toml")) {
        Ok(spec) => {
            expect::in_proportion(&spec, text.len(), 64);
            // It is kept as JSON: what is kept is what was read.
            let json = serde_json::to_string(&spec).unwrap_or_else(|error| panic!("{error}"));
            let again: Spec = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
            assert_eq!(again, spec);
        }
        Err(error) => expect::in_proportion(&error.to_string(), text.len(), 256),
    }
}
