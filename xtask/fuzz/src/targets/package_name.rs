//! Names of package files, alone and in URLs.

use coordinator::catalogue::parse_file_name;

use crate::{Target, expect, seeds};

const WORDS: &[&str] =
    &["redislabs-", "redislabs_", "7.4.6-22", "-", "jammy", "rhel9-fips", "amd64", "x86_64", "aarch64", ".tar", ".tar.gz", "https://", "?", "#", "/"];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS).longest(512).short_runs(20_000);

fn seeds() -> Vec<Vec<u8>> {
    seeds::texts(&[
        "redislabs-7.4.6-22-jammy-amd64.tar",
        "https://mirror.internal/a/redislabs-7.22.0-95-rhel9-x86_64.tar.gz?sig=x#y",
        "/srv/redislabs-6.4.2-110-rhel8-aarch64.tar",
        "redislabs-7.8.6-13-rhel9-fips-x86_64.tar",
    ])
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    let Ok(name) = parse_file_name(&text) else { return };
    let plain = format!("redislabs-{}-{}-{}.tar", name.version, name.os, name.arch);
    assert_eq!(parse_file_name(&plain), Ok(name), "{plain}");
}
