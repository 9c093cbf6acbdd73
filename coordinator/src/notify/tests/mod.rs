//! What is news, and what is said of it.

mod rollouts;
mod runs;

use super::{Kind, Notice, Subject};
use crate::documents::Document;

/// Some news.
pub(crate) fn notice() -> Notice {
    let run = "orders-20260601-120000-beef".parse().unwrap();
    let subject = Subject::of_run(&run);
    Notice {
        schema: Notice::SCHEMA.to_owned(),
        id: format!("{}#7", subject.key()),
        at: "2026-06-01T12:00:00Z".parse().unwrap(),
        kind: Kind::Halted,
        subject,
        cluster: Some("orders".parse().unwrap()),
        title: "orders: the upgrade to 7.8.2-34 has halted".to_owned(),
        text: "it failed".to_owned(),
        commands: vec!["ratchet resume orders-20260601-120000-beef".to_owned()],
        journal: None,
        exit: Some(4),
    }
}

#[test]
fn kinds_have_the_same_words_everywhere() {
    for kind in Kind::ALL {
        assert_eq!(kind.word().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
    }
    assert!("doen".parse::<Kind>().unwrap_err().to_string().contains("`doen`"));
}
