//! Files that are wrong: every mistake is named, with the advisory it is in.

use std::path::Path;

use proto::Failure;

use super::vendor;
use crate::advisories::{Advisories, AdvisoryError};

const GOOD: &str = r#"
schema = 1
[[advisory]]
id = "ours"
title = "t"
severity = "block"
target = ">=7.4.6-22"
when = { all = [{ fact = "os", is = "rhel9" }, { not = { fact = "openssl", at_least = "3.3" } }] }
why = "w"
remedy = "r"
source = "s"
"#;

fn mistakes(text: &str) -> Vec<String> {
    match Advisories::parse(text) {
        Err(AdvisoryError::Mistakes { mistakes, .. }) => mistakes.iter().map(ToString::to_string).collect(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn each_mistake_is_named_with_its_advisory() {
    assert_eq!(Advisories::parse(GOOD).unwrap().ids().collect::<Vec<_>>(), ["ours"]);
    for (what, with, named) in [
        ("fact = \"os\"", "fact = \"oss\"", "there is no fact `oss`"),
        ("at_least = \"3.3\"", "has = \"3.3\"", "does not fit `openssl`"),
        ("is = \"rhel9\"", "is = 9", "not a word"),
        ("is = \"rhel9\"", "matches = \"rhel9\"", "no operator `matches`"),
        ("is = \"rhel9\"", "is = \"a\", any_of = [\"b\"]", "more than one operator"),
        (", is = \"rhel9\"", "", "no operator"),
        ("at_least = \"3.3\"", "at_least = \"three\"", "not numbers between dots"),
        ("all = [", "all = [], any = [", "nobody knows `any` here"),
        ("{ fact = \"os\", is = \"rhel9\" }", "{}", "name of a `fact`"),
        (">=7.4.6-22", "^7.4.6", "not a range of builds"),
        ("severity = \"block\"", "severity = \"fatal\"", "not `fatal`"),
        ("severity = \"block\"", "", "no `severity`"),
        ("severity = \"block\"", "severity = \"info\"\ncannot_tell = \"warn\"", "worse than `severity`"),
        ("title = \"t\"", "title = \" \"", "`title`"),
        ("title = \"t\"", "titel = \"t\"", "`titel`"),
        ("why = \"w\"", "", "no `why`"),
        ("remedy = \"r\"", "", "no `remedy`"),
        ("source = \"s\"", "", "no `source`"),
        ("source = \"s\"", "source = \"s\"\nfixed_in = [\"8.0\"]", "`8.0` is not a version"),
        ("source = \"s\"", "source = \"s\"\npromise = \"P12\"", "promises P1 to P11"),
        ("source = \"s\"", "source = \"s\"\nanswered_by = [\"disk\"]", "only one of"),
        ("id = \"ours\"", "id = \"Our own\"", "small letters"),
        ("id = \"ours\"", "id = \"disk\"", "belongs to a check"),
        ("schema = 1", "schema = 2", "`schema` must be 1"),
    ] {
        assert!(GOOD.contains(what), "{what}");
        let found = mistakes(&GOOD.replacen(what, with, 1));
        assert!(found.iter().any(|mistake| mistake.contains(named)), "{what} → {with}: {found:?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = GOOD.replace("\"os\"", "\"oss\"").replace("\"openssl\"", "\"ssl\"").replace("why = \"w\"", "");
    let found = mistakes(&text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|mistake| mistake.starts_with("`ours`: ")), "{found:?}");
}

#[test]
fn checks_that_answer_must_exist() {
    let line = GOOD.lines().find(|line| line.starts_with("when")).unwrap();
    assert!(Advisories::parse(&GOOD.replace(line, "answered_by = [\"disk\"]")).is_ok());
    let found = mistakes(&GOOD.replace(line, "answered_by = [\"disc\"]"));
    assert!(found[0].contains("there is no check `disc`"), "{found:?}");
}

#[test]
fn an_operator_adds_and_never_replaces() {
    let path = Path::new("/etc/ratchet/own.toml");
    let all = vendor().with_own(GOOD, path).unwrap();
    assert_eq!(all.ids().count(), vendor().ids().count() + 1);
    assert_eq!(all.explain("ours").unwrap().why, "w");
    let taken = GOOD.replace("\"ours\"", "\"openssl33-rhel9\"");
    let failure = Failure::from(vendor().with_own(&taken, path).unwrap_err());
    assert_eq!(failure.message, "the advisories /etc/ratchet/own.toml have a mistake");
    assert_eq!(failure.cause.as_deref(), Some("`openssl33-rhel9`: another advisory has this `id`"));
}
