//! Conditions as they are written: `{ fact = "openssl", below = "3.3" }`, `{ all = [...] }`, `any`, `not`.

use toml::{Table, Value as Toml};

use super::condition::{Condition, Operation, Test};
use super::facts::{self, NamedFact};
use super::reader::{Reader, texts_of};
use super::value::{Dotted, Kind, Value};

/// Reads a tree. What is wrong is noted; the tree that comes back is then of no use.
pub(super) fn condition(value: Toml, reader: &mut Reader) -> Condition {
    match read(value) {
        Ok(condition) => condition,
        Err(mistakes) => {
            mistakes.into_iter().for_each(|what| reader.mistake(format!("`when`: {what}")));
            Condition::Always
        }
    }
}

fn read(value: Toml) -> Result<Condition, Vec<String>> {
    let Toml::Table(mut table) = value else { return mistake("a condition is written in braces") };
    for (key, combine) in [("all", Condition::All as fn(_) -> _), ("any", Condition::Any)] {
        if let Some(list) = table.remove(key) {
            no_more(&table)?;
            return parts(list, key).map(combine);
        }
    }
    if let Some(part) = table.remove("not") {
        no_more(&table)?;
        return read(part).map(|part| Condition::Not(Box::new(part)));
    }
    test(table).map(Condition::Test)
}

fn mistake<T>(what: impl Into<String>) -> Result<T, Vec<String>> {
    Err(vec![what.into()])
}

fn no_more(table: &Table) -> Result<(), Vec<String>> {
    let keys: Vec<String> = table.keys().map(|key| format!("nobody knows `{key}` here")).collect();
    if keys.is_empty() { Ok(()) } else { Err(keys) }
}

fn parts(list: Toml, key: &str) -> Result<Vec<Condition>, Vec<String>> {
    let Toml::Array(list) = list else { return mistake(format!("`{key}` must be a list of conditions")) };
    if list.is_empty() {
        return mistake(format!("`{key}` has no condition in it"));
    }
    let (good, bad): (Vec<_>, Vec<_>) = list.into_iter().map(read).partition(Result::is_ok);
    let mistakes: Vec<String> = bad.into_iter().filter_map(Result::err).flatten().collect();
    if mistakes.is_empty() { Ok(good.into_iter().filter_map(Result::ok).collect()) } else { Err(mistakes) }
}

fn test(mut table: Table) -> Result<Test, Vec<String>> {
    let Some(Toml::String(id)) = table.remove("fact") else {
        return mistake("a condition has `all`, `any`, `not`, or the name of a `fact`");
    };
    let Some(fact) = facts::find(&id) else { return mistake(format!("there is no fact `{id}`")) };
    let mut entries = table.into_iter();
    match (entries.next(), entries.next()) {
        (Some((operator, operand)), None) => {
            let operation = operation(fact, &operator, operand).map_err(|what| vec![what])?;
            Ok(Test { fact, operation })
        }
        (None, _) => mistake(format!("the test of `{id}` has no operator")),
        (Some(_), Some(_)) => mistake(format!("the test of `{id}` has more than one operator")),
    }
}

fn operation(fact: &NamedFact, operator: &str, operand: Toml) -> Result<Operation, String> {
    let misfit = || format!("`{operator}` does not fit `{}`, which is {}", fact.id, fact.kind);
    let wrong =
        || format!("`{operator}` of `{}` is compared with something that is not {}", fact.id, fact.kind);
    let operation = match (operator, fact.kind) {
        ("is", Kind::Flag | Kind::Number | Kind::Text | Kind::Dotted) => {
            value(fact.kind, operand).map(Operation::Is)
        }
        ("any_of", Kind::Text) => texts_of(operand).map(Operation::AnyOf),
        ("below", Kind::Number | Kind::Dotted) => value(fact.kind, operand).map(Operation::Below),
        ("at_least", Kind::Number | Kind::Dotted) => value(fact.kind, operand).map(Operation::AtLeast),
        ("has", Kind::Set) => texts_of(operand).map(Operation::Has),
        ("empty", Kind::Set) => operand.as_bool().map(Operation::Empty),
        ("is" | "any_of" | "below" | "at_least" | "has" | "empty", _) => return Err(misfit()),
        (other, _) => return Err(format!("there is no operator `{other}`")),
    };
    operation.ok_or_else(wrong)
}

fn value(kind: Kind, operand: Toml) -> Option<Value> {
    match (kind, operand) {
        (Kind::Flag, Toml::Boolean(flag)) => Some(Value::Flag(flag)),
        (Kind::Number, Toml::Integer(number)) => number.try_into().ok().map(Value::Number),
        (Kind::Text, Toml::String(text)) if !text.is_empty() => Some(Value::Text(text)),
        (Kind::Dotted, Toml::String(text)) => Dotted::parse(&text).map(Value::Dotted),
        _ => None,
    }
}
