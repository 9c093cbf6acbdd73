//! The line that a connection begins with, and the one that answers it.

use proto::Failure;
use proto::transport::{Hello, Unwelcome, read_answer};

use super::JSON;
use crate::{Target, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(JSON).longest(8 * 1024).short_runs(5000);

fn seeds() -> Vec<Vec<u8>> {
    let failure = Failure::operator("name-taken", "another agent has this name", "change `name`");
    let unwelcome = Unwelcome { failure, leader: Some("ops1:7444".to_owned()) };
    let mut seeds = seeds::texts(&[
        r#"RATCHET-AGENT/1 {"name":"db-1","memory":"m-1","version":"0.1.0"}"#,
        "RATCHET-AGENT/1 {}",
        "OK",
        "NO {}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]);
    seeds.extend(unwelcome.text().map(|text| text.trim_ascii_end().to_vec()));
    seeds
}

fn run(line: &[u8]) {
    if let Ok(hello) = Hello::read(line) {
        let text = hello.text().unwrap_or_else(|error| panic!("{error}"));
        let again = Hello::read(text.trim_ascii_end()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again, hello);
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1, "more than one line");
    }
    if let Ok(Err(unwelcome)) = read_answer(line) {
        let text = unwelcome.text().unwrap_or_else(|error| panic!("{error}"));
        let again = read_answer(text.trim_ascii_end()).unwrap_or_else(|error| panic!("{error}"));
        let again = again.err().unwrap_or_else(|| panic!("a refusal became a welcome"));
        assert_eq!(again.leader, unwelcome.leader);
        assert_eq!(again.failure.id, unwelcome.failure.id);
    }
}
