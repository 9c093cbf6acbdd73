//! An agent's journals, whole and torn.

use std::fs;
use std::path::Path;

use agent::durable::Disk;
use agent::journal::{Journal, peek};
use jiff::Timestamp;
use proto::{Exit, Installed, StepEvent, StepOutcome, StepProgress, StepReport};

use crate::{Target, expect};

pub(super) const TARGET: Target =
    Target::new(run, seeds).words(&["ratchet-journal 1\n", "ratchet-journal 2\n", "\n", " {"]).short_runs(1000);

fn seeds() -> Vec<Vec<u8>> {
    let dir = expect::directory();
    let path = dir.path().join("events");
    let opened = Journal::<StepEvent>::open(&path, &Disk::real()).unwrap_or_else(|error| panic!("{error}"));
    let mut journal = opened.journal;
    journal.append(&events()).unwrap_or_else(|error| panic!("{error}"));
    let whole = fs::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let torn = whole[..whole.len() - 7].to_vec();
    vec![whole, torn, b"ratchet-journal 1\n".to_vec(), b"ratchet-jour".to_vec()]
}

fn events() -> Vec<StepEvent> {
    let step = "r.h0.n1.install.a1".parse().unwrap_or_else(|_| unreachable!("a short name"));
    let installed = Installed {
        exit: Exit::Code(0),
        took_ms: 7,
        log_says_complete: true,
        log_errors: Vec::new(),
        log_path: "/x/y".to_owned(),
    };
    let report = StepReport::Install(installed);
    let told = [
        StepProgress::Started { resumed: false },
        StepProgress::Output("Installation complete.".to_owned()),
        StepProgress::Finished(Box::new(StepOutcome::Completed { report, warnings: Vec::new() })),
    ];
    let event = |(seq, what)| StepEvent { step: proto::StepId::clone(&step), seq, at: Timestamp::UNIX_EPOCH, what };
    (1..).zip(told).map(event).collect()
}

/// Lines get the checksum that fits where they have none: else no mutation of a record is ever read.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut fixed = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match (line.get(12), line.strip_suffix(b"\n")) {
            (Some(b' '), Some(whole)) => {
                let json = &whole[13..];
                fixed.extend_from_slice(proto::Sha256::of(json).short().as_bytes());
                fixed.push(b' ');
                fixed.extend_from_slice(json);
                fixed.push(b'\n');
            }
            _ => fixed.extend_from_slice(line),
        }
    }
    fixed
}

fn run(bytes: &[u8]) {
    let dir = expect::directory();
    let path = dir.path().join("events");
    read(bytes, &path);
    read(&with_checksums(bytes), &path);
}

fn read(bytes: &[u8], path: &Path) {
    let _none = fs::remove_file(agent::journal::aside(path));
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{error}"));
    let Ok(peeked) = peek::<StepEvent>(path) else {
        assert!(Journal::<StepEvent>::open(path, &Disk::real()).is_err(), "refused by one, opened by the other");
        assert_eq!(fs::read(path).ok().as_deref(), Some(bytes), "what is refused is not touched");
        return;
    };
    assert!(peeked.records.len() <= bytes.split(|byte| *byte == b'\n').count(), "more records than lines");
    expect::in_proportion(&peeked.records, bytes.len(), 64);
    let opened = Journal::<StepEvent>::open(path, &Disk::real()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(opened.records, peeked.records);
    assert_eq!(opened.cut.unwrap_or(0), peeked.tail, "what is cut off is kept aside");
    drop(opened);
    let again = peek::<StepEvent>(path).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((again.records, again.tail), (peeked.records, 0), "opening repairs, and loses nothing");
}
