//! An agent's own documents: claim, halts, memory, the order of a step, what was unpacked.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use agent::claims::ClaimRecord;
use agent::durable::{Disk, read_json};
use agent::executor::StepRecord;
use agent::halts::HaltRecord;
use agent::package::Manifest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::JSON;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(JSON);

fn seeds() -> Vec<Vec<u8>> {
    seeds::texts(&[
        r#"{"format":1,"claim":{"run":"r-1","cluster":"orders","epoch":3,"holder":"a@b","since":"2026-11-26T03:33:19Z"},"highest_epoch":3}"#,
        r#"{"claim":null,"highest_epoch":0,"released":2}"#,
        r#"{"format":1,"sources":{"fleet":{"number":4,"halt":{"by":"a","why":"b","at":"2026-11-26T03:33:19Z"}}}}"#,
        r#"{"format":1,"memory":"m-1"}"#,
        r#"{"format":1,"step":"r.s","run":"r","spec":"check","accepted_at":"2026-11-26T03:33:19Z"}"#,
        r#"{"format":1,"package":"b53774466f87daac20b112d0d11b57e7224c135ef10df06f40a014bdb7d4f911","version":"7.4.6-22","main_package":null,"warnings":[],"entries":{"install.sh":{"file":{"size":1,"mode":493,"sha256":"b53774466f87daac20b112d0d11b57e7224c135ef10df06f40a014bdb7d4f911"}},"d":"directory"}}"#,
        r#"{"format":2}"#,
    ])
}

fn run(bytes: &[u8]) {
    let dir = expect::directory();
    let path = dir.path().join("x.json");
    fs::write(&path, bytes).unwrap_or_else(|error| panic!("{error}"));
    same_again::<ClaimRecord>(&path, bytes);
    same_again::<HaltRecord>(&path, bytes);
    same_again::<StepRecord>(&path, bytes);
    same_again::<Manifest>(&path, bytes);
    let _memory = agent::memory::read(&path);
}

/// What is read and written again reads the same.
fn same_again<T: Serialize + DeserializeOwned + PartialEq + Debug>(path: &Path, bytes: &[u8]) {
    let Ok(read) = read_json::<T>(path) else { return };
    let read = read.unwrap_or_else(|| panic!("the file is there"));
    expect::in_proportion(&read, bytes.len(), 64);
    let other = path.with_extension("again");
    let written = Disk::real().write_json(&other, &read);
    written.unwrap_or_else(|error| panic!("{error}"));
    let again = read_json::<T>(&other).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again, Some(read));
}
