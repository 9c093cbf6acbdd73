//! Advisories, the vendor's and the operator's own.

use std::path::Path;

use coordinator::advisories::Advisories;

use super::TOML;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(TOML).short_runs(1000);

fn seeds() -> Vec<Vec<u8>> {
    seeds::parts("coordinator/data/advisories.toml", "[[advisory]]")
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    match Advisories::parse(&text) {
        Ok(advisories) => {
            expect::in_proportion(&advisories, text.len(), 256);
            let twice = advisories.all().first().map(|_| advisories.clone().with_own(&text, Path::new("/x")));
            assert!(twice.is_none_or(|twice| twice.is_err()), "an id was taken twice");
        }
        Err(error) => expect::in_proportion(&error.to_string(), text.len(), 512),
    }
}
