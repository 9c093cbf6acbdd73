//! Every wait ends (promise P12): each kind has a deadline, and whatever is due in any state is either done at once or one
//! of these waits.

use std::time::Duration;

use proto::StepKind;

use crate::run::{Deadlines, Wait};

#[test]
fn every_kind_of_waiting_has_a_deadline() {
    let deadlines = Deadlines::default();
    for wait in Wait::ALL {
        let limit = deadlines.of(wait);
        assert!(limit > Duration::ZERO && limit <= Duration::from_secs(24 * 3600), "{wait:?}: {limit:?}");
    }
    let of_steps: Vec<Wait> = StepKind::ALL.into_iter().map(Wait::from).collect();
    assert!(of_steps.iter().all(|wait| Wait::ALL.contains(wait)));
}

#[test]
fn a_journal_from_before_some_deadlines_existed_gets_the_defaults_for_them() {
    let old = r#"{"gate":{"secs":1,"nanos":0},"confirm":{"secs":2,"nanos":0},"install":{"secs":3,"nanos":0},"reach":{"secs":4,"nanos":0}}"#;
    let read: Deadlines = serde_json::from_str(old).unwrap();
    let expected = Deadlines {
        gate: Duration::from_secs(1),
        confirm: Duration::from_secs(2),
        install: Duration::from_secs(3),
        reach: Duration::from_secs(4),
        ..Deadlines::default()
    };
    assert_eq!(read, expected);
}
