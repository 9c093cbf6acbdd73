//! Every advisory with each of its answers (`cases.toml`), at the level of named facts.

use std::collections::{BTreeMap, BTreeSet};

use proto::Version;

use super::{vendor, version};
use crate::advisories::facts::{self, NamedFact};
use crate::advisories::truth::Truth;
use crate::advisories::{Advisory, Condition, Dotted, Kind, Value};

type Facts = BTreeMap<String, Value>;

/// The cases of one advisory.
struct Case {
    id: String,
    hop: (Version, Version),
    free_hop: (Version, Version),
    applies: Option<Facts>,
    not: Option<Facts>,
    cannot_tell: Option<Facts>,
}

fn cases() -> Vec<Case> {
    let file: toml::Table = include_str!("cases.toml").parse().unwrap();
    file["case"].as_array().unwrap().iter().map(|case| of_table(case.as_table().unwrap())).collect()
}

fn of_table(case: &toml::Table) -> Case {
    let hop = |key: &str| {
        let ends: Vec<Version> =
            case[key].as_array().unwrap().iter().map(|it| version(it.as_str().unwrap())).collect();
        (ends[0], ends[1])
    };
    let facts = |key: &str| {
        let table = case.get(key)?.as_table().unwrap();
        Some(table.iter().map(|(id, given)| (id.clone(), value(id, given))).collect())
    };
    Case {
        id: case["id"].as_str().unwrap().to_owned(),
        hop: hop("hop"),
        free_hop: hop("free_hop"),
        applies: facts("applies"),
        not: facts("not"),
        cannot_tell: facts("cannot_tell"),
    }
}

fn value(id: &str, given: &toml::Value) -> Value {
    let fact = facts::find(id).unwrap_or_else(|| panic!("{id} is no fact"));
    let words = || given.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned());
    match fact.kind {
        Kind::Flag => Value::Flag(given.as_bool().unwrap()),
        Kind::Number => Value::Number(given.as_integer().unwrap().try_into().unwrap()),
        Kind::Text => Value::Text(given.as_str().unwrap().to_owned()),
        Kind::Dotted => Value::Dotted(Dotted::parse(given.as_str().unwrap()).unwrap()),
        Kind::Set => Value::Set(words().collect()),
    }
}

fn truth(condition: &Condition, facts: &Facts) -> Truth {
    let lookup =
        |fact: &NamedFact| facts.get(fact.id).cloned().map(Some).ok_or_else(|| "not given".to_owned());
    condition.truth(&lookup)
}

fn is_about(advisory: &Advisory, (from, to): (Version, Version)) -> bool {
    advisory.is_about_target(to) && advisory.is_about_start([Some(from)])
}

#[test]
fn every_advisory_is_tried_with_each_of_its_answers() {
    let advisories = vendor();
    let cases = cases();
    let judged: Vec<&Advisory> = advisories.all().iter().filter(|it| it.condition().is_some()).collect();
    let tried: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    let wanted: BTreeSet<&str> = judged.iter().map(|advisory| advisory.id.as_str()).collect();
    assert_eq!(tried, wanted);
    assert_eq!(cases.len(), judged.len());
    for case in cases {
        let advisory = advisories.explain(&case.id).unwrap();
        assert!(is_about(advisory, case.hop), "{}: the hop is not in its ranges", case.id);
        assert!(!is_about(advisory, case.free_hop), "{}: the free hop is in its ranges", case.id);
        let condition = advisory.condition().unwrap();
        if matches!(condition, Condition::Always) {
            assert!(case.applies.is_none(), "{} needs no facts", case.id);
            continue;
        }
        let of = |facts: &Option<Facts>, what| {
            truth(condition, facts.as_ref().unwrap_or_else(|| panic!("{} has no case `{what}`", case.id)))
        };
        assert_eq!(of(&case.applies, "applies"), Truth::Yes, "{}", case.id);
        assert_eq!(of(&case.not, "not"), Truth::No, "{}", case.id);
        let open = of(&case.cannot_tell, "cannot_tell");
        assert!(matches!(&open, Truth::Unknown(missing) if !missing.is_empty()), "{}: {open:?}", case.id);
    }
}

#[test]
fn what_is_missing_never_makes_an_advisory_not_apply() {
    let advisories = vendor();
    let mut tried = 0;
    for case in cases() {
        let condition = advisories.explain(&case.id).unwrap().condition().unwrap();
        for facts in [case.applies, case.cannot_tell].into_iter().flatten() {
            for mask in 0..1_u32 << facts.len() {
                let kept =
                    facts.clone().into_iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0);
                let kept: Facts = kept.map(|(_, fact)| fact).collect();
                assert_ne!(truth(condition, &kept), Truth::No, "{} with {kept:?} only", case.id);
                tried += 1;
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn every_operator_says_unknown_of_a_value_of_another_kind() {
    let advisories = vendor();
    for advisory in advisories.all().iter().filter_map(Advisory::condition) {
        for fact in advisory.facts() {
            let odd = if fact.kind == Kind::Set { Value::Flag(true) } else { Value::Set(BTreeSet::new()) };
            let given = Facts::from([(fact.id.to_owned(), odd)]);
            assert!(matches!(truth(advisory, &given), Truth::Unknown(_)), "{}", fact.id);
        }
    }
}
