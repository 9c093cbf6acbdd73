//! What a named fact can be.

use std::collections::BTreeSet;
use std::fmt;

/// The kind of a named fact's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A number.
    Number,
    /// A word.
    Text,
    /// Numbers between dots, compared as numbers: `3.0.7`.
    Dotted,
    /// A set of words.
    Set,
}

/// The value of a named fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(u64),
    /// A word.
    Text(String),
    /// Numbers between dots.
    Dotted(Dotted),
    /// A set of words.
    Set(BTreeSet<String>),
}

/// Numbers between dots, compared as numbers; `3.3` and `3.3.0` are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dotted(Vec<u64>);

impl Dotted {
    /// Reads `3.0.7`; `None` if it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let mut numbers: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
        while numbers.len() > 1 && numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some(Self(numbers))
    }
}

impl Value {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Flag(_) => Kind::Flag,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Dotted(_) => Kind::Dotted,
            Self::Set(_) => Kind::Set,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "a yes or no",
            Self::Number => "a number",
            Self::Text => "a word",
            Self::Dotted => "numbers between dots",
            Self::Set => "a set of words",
        })
    }
}

impl fmt::Display for Dotted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Dotted(dotted) => dotted.fmt(f),
            Self::Set(set) if set.is_empty() => f.write_str("none"),
            Self::Set(set) => f.write_str(&set.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_between_dots_compare_as_numbers() {
        let dotted = |text| Dotted::parse(text).unwrap();
        assert!(dotted("3.0.22") < dotted("3.3") && dotted("3.10") > dotted("3.9.9"));
        assert_eq!(dotted("3.3.0"), dotted("3.3"));
        assert!(dotted("1.0.2") > dotted("1.0.1"));
        for text in ["", "3.", ".3", "3.x", "3 .0", "+3", "99999999999999999999"] {
            assert_eq!(Dotted::parse(text), None, "{text}");
        }
    }
}
