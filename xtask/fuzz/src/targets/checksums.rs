//! The vendor's published checksums.

use coordinator::catalogue::VendorChecksums;

use super::TOML;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(TOML);

fn seeds() -> Vec<Vec<u8>> {
    let parts = seeds::parts("coordinator/data/package-checksums.toml", "[[package]]");
    // Without the list of what is defective a file is none.
    let whole = |part: &Vec<u8>| [part, &b"\n[[defective]]\nversion = \"1\"\n"[..]].concat();
    parts.iter().take(40).map(whole).collect()
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    match VendorChecksums::parse(&text) {
        Ok(checksums) => expect::in_proportion(&checksums, text.len(), 64),
        Err(error) => expect::in_proportion(&error.to_string(), text.len(), 64),
    }
}
