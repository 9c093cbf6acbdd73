//! Numbers, spans and lists.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use toml::Value;

use crate::config::reader::{Mistakes, Reader, kind};

/// Takes a whole number out that is not below the least one.
pub(super) fn count(reader: &mut Reader, name: &str, least: u32, mistakes: &mut Mistakes) -> Option<u32> {
    let remedy = format!("write a whole number of {least} or more, without quotes");
    let reason = match reader.take(name)? {
        Value::Integer(number) => match u32::try_from(number).ok().filter(|number| *number >= least) {
            Some(number) => return Some(number),
            None => format!("{number} is not one"),
        },
        other => format!("it is {}, not a number", kind(&other)),
    };
    mistakes.note(&reader.key(name), reason, remedy);
    None
}

/// Takes a time span out; zero is one.
pub(super) fn span(reader: &mut Reader, name: &str, mistakes: &mut Mistakes) -> Option<Duration> {
    let remedy = "write a time span, like \"0s\", \"30m\" or \"1h 30m\"";
    let text = reader.text(name, remedy, mistakes)?;
    let parsed: Option<SignedDuration> = text.parse().ok();
    let span = parsed.and_then(|span| Duration::try_from(span).ok());
    if span.is_none() {
        mistakes.note(&reader.key(name), format!("`{text}` is not a time span"), remedy);
    }
    span
}

/// What the texts of a list read as.
pub(super) fn texts<T>(key: &str, value: Value, remedy: &str, mistakes: &mut Mistakes) -> Vec<T>
where
    T: FromStr,
    T::Err: Display,
{
    let Value::Array(values) = value else {
        mistakes.note(key, format!("it is {}, not a list", kind(&value)), remedy);
        return Vec::new();
    };
    let mut read = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let key = format!("{key}[{index}]");
        match value {
            Value::String(text) => match text.parse::<T>() {
                Ok(value) => read.push(value),
                Err(error) => mistakes.note(&key, error.to_string(), remedy),
            },
            other => mistakes.note(&key, format!("it is {}, not a text", kind(&other)), remedy),
        }
    }
    read
}
