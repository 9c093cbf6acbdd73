//! Takes keys out of TOML tables one by one and notes every mistake, so that all are reported at once.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use toml::{Table, Value};

use super::Mistake;

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Notes one.
    pub(crate) fn note(&mut self, key: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Mistake { key: key.to_owned(), reason: reason.into(), remedy: remedy.into() });
    }

    /// All of them.
    pub(crate) fn into_vec(self) -> Vec<Mistake> {
        self.0
    }
}

/// A table whose keys are taken out one by one; what is left at the end is unknown.
#[derive(Debug)]
pub(crate) struct Reader {
    place: String,
    table: Table,
}

impl Reader {
    /// Reads a table found at a place; the top is the empty place.
    pub(crate) fn new(place: impl Into<String>, table: Table) -> Self {
        Self { place: place.into(), table }
    }

    /// The full name of a key of this table.
    pub(crate) fn key(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// Whether a key is there and was not taken yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The keys that were not taken yet.
    pub(crate) fn names(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// Takes a value out, whatever it is.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.table.remove(name)
    }

    /// Takes a text out.
    pub(crate) fn text(&mut self, name: &str, remedy: &str, mistakes: &mut Mistakes) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            other => {
                mistakes.note(&self.key(name), format!("it is {}, not a text", kind(&other)), remedy);
                None
            }
        }
    }

    /// Takes a text out that must be there.
    pub(crate) fn required(&mut self, name: &str, remedy: &str, mistakes: &mut Mistakes) -> Option<String> {
        if !self.has(name) {
            mistakes.note(&self.key(name), "it is missing", remedy);
        }
        self.text(name, remedy, mistakes)
    }

    /// Takes a text out that must be there and must read as a `T`.
    pub(crate) fn parsed<T>(&mut self, name: &str, remedy: &str, mistakes: &mut Mistakes) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let text = self.required(name, remedy, mistakes)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                mistakes.note(&self.key(name), error.to_string(), remedy);
                None
            }
        }
    }

    /// Takes a time span above zero out.
    pub(crate) fn span(&mut self, name: &str, mistakes: &mut Mistakes) -> Option<Duration> {
        let remedy = "write a time span, like \"90s\", \"10m\" or \"1h 30m\"";
        let text = self.text(name, remedy, mistakes)?;
        let parsed: Option<SignedDuration> = text.parse().ok();
        let span = parsed.and_then(|span| Duration::try_from(span).ok()).filter(|span| !span.is_zero());
        if span.is_none() {
            mistakes.note(&self.key(name), format!("`{text}` is not a time span above zero"), remedy);
        }
        span
    }

    /// Takes a yes or no out; absent means no.
    pub(crate) fn flag(&mut self, name: &str, mistakes: &mut Mistakes) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Boolean(flag)) => flag,
            Some(other) => {
                let reason = format!("it is {}, not true or false", kind(&other));
                mistakes.note(&self.key(name), reason, "write `true` or `false`, without quotes");
                false
            }
        }
    }

    /// Takes a table out.
    pub(crate) fn table(&mut self, name: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let key = self.key(name);
        match self.take(name)? {
            Value::Table(table) => Some(Self::new(key, table)),
            other => {
                let reason = format!("it is {}, not a table", kind(&other));
                mistakes.note(&key, reason, format!("write `[{key}]` and its keys below it"));
                None
            }
        }
    }

    /// Takes a list of tables out, `[[name]]`; absent means none.
    pub(crate) fn tables(&mut self, name: &str, mistakes: &mut Mistakes) -> Vec<Self> {
        let key = self.key(name);
        let remedy = format!("write `[[{key}]]` and the keys below it, once for each");
        let values = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => {
                mistakes.note(&key, format!("it is {}, not a list of tables", kind(&other)), remedy);
                return Vec::new();
            }
        };
        let mut tables = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let place = format!("{key}[{index}]");
            match value {
                Value::Table(table) => tables.push(Self::new(place, table)),
                other => mistakes.note(&place, format!("it is {}, not a table", kind(&other)), &remedy),
            }
        }
        tables
    }

    /// Notes every key that nobody took.
    pub(crate) fn finish(self, known: &[&str], mistakes: &mut Mistakes) {
        for name in self.table.keys() {
            let remedy = format!("remove it, or use one of: {}", known.join(", "));
            mistakes.note(&self.key(name), "there is no such key", remedy);
        }
    }
}

/// What a value is, in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
