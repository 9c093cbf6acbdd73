//! A coordinator's journal of a run: bodies of events in every format there ever was, and what they leave when replayed.

use coordinator::run::{Event, Record, decide, replay};
use coordinator::store::format;
use proto::RunId;

use super::JSON;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(JSON).longest(64 * 1024).short_runs(600);

/// A store of the first release: each event alone, and the journal up to each of some of them, a line for each.
fn seeds() -> Vec<Vec<u8>> {
    let bodies = bodies();
    let journals = [2, 6, 19, bodies.len() / 2, bodies.len()].map(|end| bodies[..end].join("\n"));
    bodies.iter().cloned().chain(journals).map(String::into_bytes).collect()
}

fn bodies() -> Vec<String> {
    let dump = seeds::file("coordinator/src/store/tests/version1.sql");
    let body = |line: &str| {
        let values = line.strip_prefix("INSERT INTO event VALUES(")?.strip_suffix("');")?;
        Some(values.splitn(6, ',').nth(5)?.trim_start_matches('\'').replace("''", "'"))
    };
    expect::text(&dump).lines().filter_map(body).collect()
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    let mut events = Vec::new();
    for body in text.lines() {
        for known in 0..=format::FORMAT + 1 {
            let Ok(event) = format::read(known, body) else { continue };
            assert!((1..=format::FORMAT).contains(&known), "an event in format {known}");
            same_again(&event);
            if known == 1 {
                events.push(event);
            }
        }
    }
    replayed(events, text.len());
}

fn same_again(event: &Event) {
    let json = serde_json::to_string(event).unwrap_or_else(|error| panic!("{error}"));
    let again = format::read(format::FORMAT, &json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(again, *event);
}

/// Whatever was read is a run or is refused; what there is to do next can be said of any run.
fn replayed(events: Vec<Event>, length: usize) {
    let id: RunId = "orders-1".parse().unwrap_or_else(|_| unreachable!("a short name"));
    let record = |(seq, event)| Record { seq, epoch: proto::Epoch(1), at: jiff::Timestamp::UNIX_EPOCH, event };
    let records: Vec<Record> = (1..).zip(events).map(record).collect();
    for end in 1..=records.len() {
        let Ok(run) = replay(&id, &records[..end]) else { return };
        expect::in_proportion(&decide(&run), length, 64);
    }
}
