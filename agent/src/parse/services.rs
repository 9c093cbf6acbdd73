//! `supervisorctl status`: one line a service (fact sheet §3.8, §5.5).

use std::collections::BTreeSet;

use proto::Row;

use super::Unreadable;
use super::text::{excerpt, whole_lines};

const WHAT: &str = "`supervisorctl status`";

/// The states a supervisor knows.
const STATES: [&str; 8] =
    ["STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN"];

/// The services, each with its state, good or bad: `service`, `state`.
///
/// # Errors
/// When a line is anything but a service with a known state, or a service is there twice.
pub fn parse(text: &str) -> Result<Vec<Row>, Unreadable> {
    let clean = whole_lines(WHAT, text)?;
    let mut seen = BTreeSet::new();
    let lines = clean.lines().map(str::trim).filter(|line| !line.is_empty());
    let service = |line| {
        let fault = |what| Unreadable::new(WHAT, format!("{what}: `{}`", excerpt(line)));
        let (service, state) = service(line).ok_or_else(|| fault("a line is no service and its state"))?;
        if !seen.insert(service) {
            return Err(fault("a service is there twice"));
        }
        let cells = [("service", service), ("state", state)];
        Ok(cells.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
    };
    lines.map(service).collect()
}

/// `node_wd                          RUNNING   pid 1234, uptime 2 days, 1:02:03`.
fn service(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let (service, state) = (words.next()?, words.next()?);
    STATES.contains(&state).then_some((service, state))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATUS: &str = "alert_mgr                        RUNNING   pid 1234, uptime 2 days, 1:02:03\n\
                          cm_server                        STOPPED   Nov 26 06:50 AM\n\
                          dmcproxy                         FATAL     Exited too quickly (process log may have details)\n";

    #[test]
    fn every_state_is_told() {
        let rows = parse(STATUS).unwrap();
        let told: Vec<(&str, &str)> =
            rows.iter().map(|row| (row["service"].as_str(), row["state"].as_str())).collect();
        assert_eq!(told, [("alert_mgr", "RUNNING"), ("cm_server", "STOPPED"), ("dmcproxy", "FATAL")]);
    }

    #[test]
    fn anything_else_spoils_the_answer() {
        let long = STATUS.repeat(2);
        for text in [
            "",
            "unix:///var/opt/redislabs/run/supervisor.sock no such file\n",
            "error: <class 'ConnectionRefusedError'>, [Errno 111] Connection refused: file: socket.py line: 1\n",
            "node_wd: ERROR (no such process)\n",
            "node_wd RUNNIN\n",
            "node_wd\n",
            "node_wd RUNNING",
            &long,
            &format!("{STATUS}Traceback (most recent call last):\n"),
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_garbage_is_no_answer(text in "(\\PC|[\n\t ]|node_wd|RUNN){0,60}") {
            prop_assert!(parse(&text).is_err());
        }

        #[test]
        fn a_cut_is_noticed_or_between_lines(end in 0..STATUS.len()) {
            let whole = parse(STATUS).unwrap();
            if let Ok(read) = parse(&STATUS[..end]) {
                prop_assert!(STATUS[..end].ends_with('\n'));
                prop_assert_eq!(&read[..], &whole[..read.len()]);
            }
        }
    }
}
