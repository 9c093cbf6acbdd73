//! Conditions: trees of tests of named facts.

use std::collections::BTreeSet;

use super::facts::{NamedFact, Scope};
use super::truth::Truth;
use super::value::Value;

/// When an advisory applies, within its ranges.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Whenever the ranges do.
    Always,
    /// When all of them hold.
    All(Vec<Self>),
    /// When one of them holds.
    Any(Vec<Self>),
    /// When it does not hold.
    Not(Box<Self>),
    /// When a fact is so.
    Test(Test),
}

/// How a fact must be.
#[derive(Clone, Debug)]
pub struct Test {
    /// The fact.
    pub fact: &'static NamedFact,
    /// How it must be.
    pub operation: Operation,
}

/// What a fact is compared with. The kinds fit the fact: that was checked when the advisories were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `is`: it is this.
    Is(Value),
    /// `any_of`: it is one of these.
    AnyOf(Vec<String>),
    /// `below`: it is lower.
    Below(Value),
    /// `at_least`: it is this or higher.
    AtLeast(Value),
    /// `has`: one of these is in the set.
    Has(Vec<String>),
    /// `empty`: whether nothing is in the set.
    Empty(bool),
}

impl Condition {
    /// Whether it holds, asking for each fact as it is needed.
    pub(super) fn truth(&self, lookup: &dyn Fn(&NamedFact) -> Result<Option<Value>, String>) -> Truth {
        match self {
            Self::Always => Truth::Yes,
            Self::All(parts) => Truth::all(parts.iter().map(|part| part.truth(lookup))),
            Self::Any(parts) => Truth::any(parts.iter().map(|part| part.truth(lookup))),
            Self::Not(part) => part.truth(lookup).not(),
            Self::Test(test) => test.truth(lookup),
        }
    }

    /// The facts it asks for, each once.
    pub(super) fn facts(&self) -> Vec<&'static NamedFact> {
        let mut facts = Vec::new();
        self.collect(&mut facts);
        let mut seen = BTreeSet::new();
        facts.retain(|fact| seen.insert(fact.id));
        facts
    }

    /// Whether it asks for a fact of this scope.
    pub(super) fn is_about(&self, scope: Scope) -> bool {
        self.facts().iter().any(|fact| fact.scope == scope)
    }

    fn collect(&self, facts: &mut Vec<&'static NamedFact>) {
        match self {
            Self::Always => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect(facts)),
            Self::Not(part) => part.collect(facts),
            Self::Test(test) => facts.push(test.fact),
        }
    }
}

impl Test {
    /// A fact of a thing that is not there (`None`: there is no database) is no way at all.
    fn truth(&self, lookup: &dyn Fn(&NamedFact) -> Result<Option<Value>, String>) -> Truth {
        let unknown = |reason| Truth::unknown(self.fact.id, reason);
        match lookup(self.fact) {
            Ok(None) => Truth::No,
            Err(reason) => unknown(reason),
            Ok(Some(value)) => match self.operation.holds(&value) {
                Some(holds) => holds.into(),
                None => unknown(format!("it came as {}, not as {}", value.kind(), self.fact.kind)),
            },
        }
    }
}

impl Operation {
    /// Whether it holds; `None` for a value of another kind than it was written for.
    fn holds(&self, value: &Value) -> Option<bool> {
        match (self, value) {
            (Self::Is(wanted), value) => (wanted.kind() == value.kind()).then(|| wanted == value),
            (Self::AnyOf(words), Value::Text(text)) => Some(words.contains(text)),
            (Self::Below(limit), value) => below(value, limit),
            (Self::AtLeast(limit), value) => below(value, limit).map(|below| !below),
            (Self::Has(words), Value::Set(set)) => Some(words.iter().any(|word| set.contains(word))),
            (Self::Empty(empty), Value::Set(set)) => Some(set.is_empty() == *empty),
            (Self::AnyOf(_) | Self::Has(_) | Self::Empty(_), _) => None,
        }
    }
}

fn below(value: &Value, limit: &Value) -> Option<bool> {
    match (value, limit) {
        (Value::Number(value), Value::Number(limit)) => Some(value < limit),
        (Value::Dotted(value), Value::Dotted(limit)) => Some(value < limit),
        _ => None,
    }
}
