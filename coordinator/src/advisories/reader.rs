//! Reading one table of the file: every key is taken once, and what is left over is a mistake.

use toml::{Table, Value};

use super::error::Mistake;

/// A table that is being read, and what was wrong with it so far.
#[derive(Debug)]
pub(super) struct Reader {
    /// What mistakes are named after: the advisory's id, or its place.
    of: String,
    table: Table,
    mistakes: Vec<Mistake>,
}

impl Reader {
    pub(super) fn new(of: &str, table: Table) -> Self {
        Self { of: of.to_owned(), table, mistakes: Vec::new() }
    }

    pub(super) fn mistake(&mut self, what: impl Into<String>) {
        self.mistakes.push(Mistake { of: self.of.clone(), what: what.into() });
    }

    /// The mistakes, with one for each key that nobody took.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for key in unknown {
            self.mistake(format!("nobody knows the key `{key}`"));
        }
        self.mistakes
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.table.remove(key)
    }

    /// A text that must be there; empty if it is not, with a mistake.
    pub(super) fn text(&mut self, key: &str) -> String {
        match self.take(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => text,
            Some(_) => self.missing(format!("`{key}` must be a text and not an empty one")),
            None => self.missing(format!("it has no `{key}`")),
        }
    }

    pub(super) fn optional_text(&mut self, key: &str) -> Option<String> {
        self.table.contains_key(key).then(|| self.text(key))
    }

    /// A text or a list of texts; none if the key is not there.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(texts) = texts_of(value) else {
            self.mistake(format!("`{key}` must be a text or a list of texts"));
            return Vec::new();
        };
        texts
    }

    fn missing(&mut self, what: String) -> String {
        self.mistake(what);
        String::new()
    }
}

/// A text or a list of texts, none of them empty.
pub(super) fn texts_of(value: Value) -> Option<Vec<String>> {
    let list = match value {
        Value::Array(list) => list,
        text @ Value::String(_) => vec![text],
        _ => return None,
    };
    let text = |value: Value| match value {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    };
    let texts: Vec<String> = list.into_iter().map(text).collect::<Option<_>>()?;
    (!texts.is_empty()).then_some(texts)
}
