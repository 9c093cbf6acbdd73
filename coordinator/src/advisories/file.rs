//! The file as it is written: `coordinator/data/advisories.toml`, and the operator's own.

use std::collections::BTreeSet;

use proto::Version;
use toml::{Table, Value};

use super::advisory::{Advisory, Judged, Unchecked};
use super::builds::Builds;
use super::condition::Condition;
use super::error::Mistake;
use super::reader::Reader;
use super::tree::condition;
use crate::checks::{self, Severity};

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) advisories: Vec<Advisory>,
    pub(super) unchecked: Vec<Unchecked>,
}

/// Reads the whole file, or says everything that is wrong with it. `taken` are ids that are used already.
pub(super) fn read(mut file: Table, taken: &BTreeSet<String>) -> Result<File, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut out = File::default();
    let mut ids = taken.clone();
    match file.remove("schema") {
        Some(Value::Integer(1)) => {}
        _ => mistakes.push(of_file("`schema` must be 1")),
    }
    for (index, table) in tables(&mut file, "advisory", &mut mistakes).into_iter().enumerate() {
        out.advisories.push(advisory(index, table, &mut ids, &mut mistakes));
    }
    for (index, table) in tables(&mut file, "unchecked", &mut mistakes).into_iter().enumerate() {
        let mut reader = Reader::new(&format!("unchecked[{index}]"), table);
        out.unchecked.push(Unchecked { rule: reader.text("rule"), reason: reader.text("reason") });
        mistakes.extend(reader.finish());
    }
    mistakes.extend(file.keys().map(|key| of_file(&format!("nobody knows the key `{key}`"))));
    if mistakes.is_empty() { Ok(out) } else { Err(mistakes) }
}

fn of_file(what: &str) -> Mistake {
    Mistake { of: "the file".to_owned(), what: what.to_owned() }
}

fn tables(file: &mut Table, key: &str, mistakes: &mut Vec<Mistake>) -> Vec<Table> {
    let table = |value: Value| match value {
        Value::Table(table) => Some(table),
        _ => None,
    };
    let list = match file.remove(key) {
        None => Some(Vec::new()),
        Some(Value::Array(list)) => list.into_iter().map(table).collect(),
        Some(_) => None,
    };
    list.unwrap_or_else(|| {
        mistakes.push(of_file(&format!("`{key}` must be written as [[{key}]]")));
        Vec::new()
    })
}

fn advisory(index: usize, table: Table, ids: &mut BTreeSet<String>, mistakes: &mut Vec<Mistake>) -> Advisory {
    let place = format!("advisory[{index}]");
    let of = table.get("id").and_then(Value::as_str).map_or(place, |id| format!("`{id}`"));
    let mut reader = Reader::new(&of, table);
    let severity = required_severity(&mut reader);
    let advisory = Advisory {
        id: id(&mut reader, ids),
        title: reader.text("title"),
        rules: reader.texts("rules"),
        severity,
        cannot_tell: cannot_tell(&mut reader, severity),
        target: ranges(&mut reader, "target"),
        installed: ranges(&mut reader, "installed"),
        judged: judged(&mut reader),
        why: reader.text("why"),
        remedy: reader.text("remedy"),
        fixed_in: versions(&mut reader, "fixed_in"),
        source: reader.text("source"),
        promise: promise(&mut reader),
    };
    mistakes.extend(reader.finish());
    advisory
}

/// A word of small letters, digits, hyphens and dots that neither a check nor another advisory has.
fn id(reader: &mut Reader, ids: &mut BTreeSet<String>) -> String {
    let id = reader.text("id");
    let is_word =
        id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte));
    if !is_word {
        reader.mistake("an `id` is made of small letters, digits, hyphens and dots");
    }
    if checks::ALL.iter().any(|check| check.id == id) || RESERVED.contains(&id.as_str()) {
        reader.mistake("this `id` belongs to a check");
    }
    if !id.is_empty() && !ids.insert(id.clone()) {
        reader.mistake("another advisory has this `id`");
    }
    id
}

/// Ids of findings that are neither a check's nor an advisory's.
const RESERVED: [&str; 2] = ["advisories", "plan"];

fn required_severity(reader: &mut Reader) -> Severity {
    severity(reader, "severity").unwrap_or_else(|| {
        reader.mistake("it has no `severity`");
        Severity::Block
    })
}

fn severity(reader: &mut Reader, key: &str) -> Option<Severity> {
    match reader.optional_text(key)?.as_str() {
        "block" => Some(Severity::Block),
        "warn" => Some(Severity::Warn),
        "info" => Some(Severity::Info),
        other => {
            reader.mistake(format!("`{key}` must be block, warn or info, not `{other}`"));
            Some(Severity::Block)
        }
    }
}

fn cannot_tell(reader: &mut Reader, severity: Severity) -> Severity {
    let told = self::severity(reader, "cannot_tell").unwrap_or(severity);
    if told > severity {
        reader.mistake("`cannot_tell` must not be worse than `severity`");
    }
    told
}

fn ranges(reader: &mut Reader, key: &str) -> Vec<Builds> {
    let texts = reader.texts(key);
    let parsed = texts.iter().map(|text| Builds::parse(text));
    let (ranges, wrong): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
    wrong.into_iter().filter_map(Result::err).for_each(|error| reader.mistake(format!("`{key}`: {error}")));
    ranges.into_iter().filter_map(Result::ok).collect()
}

fn versions(reader: &mut Reader, key: &str) -> Vec<Version> {
    let mut versions = Vec::new();
    for text in reader.texts(key) {
        match text.parse() {
            Ok(version) => versions.push(version),
            Err(error) => reader.mistake(format!("`{key}`: {error}")),
        }
    }
    versions
}

/// The promises that something can be an obstacle to: P1 to P11.
fn promise(reader: &mut Reader) -> Option<String> {
    let promise = reader.optional_text("promise")?;
    let number = promise.strip_prefix('P').and_then(|digits| digits.parse::<u8>().ok());
    if !number.is_some_and(|number| (1..=11).contains(&number)) {
        reader.mistake(format!("`{promise}` is none of the promises P1 to P11"));
    }
    Some(promise)
}

/// A condition, or the checks that answer, or the reason why it never applies: one of them at most.
fn judged(reader: &mut Reader) -> Judged {
    let when = reader.take("when");
    let checks = reader.texts("answered_by");
    let reason = reader.optional_text("not_applicable");
    match (when, checks.is_empty(), reason) {
        (None, true, None) => Judged::Here(Condition::Always),
        (Some(when), true, None) => Judged::Here(condition(when, reader)),
        (None, false, None) => by_checks(reader, checks),
        (None, true, Some(reason)) => Judged::Never(reason),
        _ => {
            reader.mistake("only one of `when`, `answered_by` and `not_applicable` can be given");
            Judged::Here(Condition::Always)
        }
    }
}

fn by_checks(reader: &mut Reader, checks: Vec<String>) -> Judged {
    for id in &checks {
        if !checks::ALL.iter().any(|check| check.id == id) {
            reader.mistake(format!("`answered_by`: there is no check `{id}`"));
        }
    }
    Judged::ByChecks(checks)
}
