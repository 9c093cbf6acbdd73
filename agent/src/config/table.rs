//! Taking typed values out of a TOML table while collecting everything that is wrong with it.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use toml::{Table, Value};

use super::Mistake;

/// A table that values are taken out of; what is left at the end nobody knows.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
    table: Table,
    mistakes: Vec<Mistake>,
}

impl Keys {
    pub(super) fn new(table: Table) -> Self {
        Self { prefix: String::new(), table, mistakes: Vec::new() }
    }

    /// Every mistake found, and every key nobody asked for.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for key in unknown {
            self.mistake(&key, "it is not known", "remove it or correct its name");
        }
        self.mistakes
    }

    /// The keys that nobody has taken out yet.
    pub(super) fn keys(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// A number of things, one at least.
    pub(super) fn count(&mut self, key: &str, default: usize) -> usize {
        let Some(value) = self.table.remove(key) else { return default };
        let count = value.as_integer().and_then(|count| usize::try_from(count).ok());
        count.filter(|count| *count > 0).unwrap_or_else(|| {
            self.mistake(key, "it is not a whole number above zero", "write it like 256, without quotes");
            default
        })
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(super) fn mistake(&mut self, key: &str, reason: impl Into<String>, remedy: &str) {
        let key = format!("{}{key}", self.prefix);
        self.mistakes.push(Mistake { key, reason: reason.into(), remedy: remedy.to_owned() });
    }

    /// A table below this one; to be given back with [`Self::put_back`].
    pub(super) fn table(&mut self, key: &str) -> Self {
        let table = match self.table.remove(key) {
            Some(Value::Table(table)) => table,
            Some(_) => {
                self.mistake(key, "it is not a table", &format!("write it as [{key}] with keys below"));
                Table::new()
            }
            None => Table::new(),
        };
        Self { prefix: format!("{}{key}.", self.prefix), table, mistakes: Vec::new() }
    }

    pub(super) fn put_back(&mut self, below: Self) {
        self.mistakes.extend(below.finish());
    }

    pub(super) fn string(&mut self, key: &str, default: &str) -> String {
        match self.table.remove(key) {
            Some(Value::String(text)) => text,
            Some(_) => {
                self.mistake(key, "it is not a text", "put it in double quotes");
                default.to_owned()
            }
            None => default.to_owned(),
        }
    }

    pub(super) fn strings(&mut self, key: &str, default: &[&str]) -> Vec<String> {
        let default = || default.iter().map(|&text| text.to_owned()).collect();
        let Some(value) = self.table.remove(key) else { return default() };
        let texts = value.as_array().and_then(|list| {
            list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        texts.unwrap_or_else(|| {
            self.mistake(key, "it is not a list of texts", "write it like [\"-y\"]");
            default()
        })
    }

    /// One text, or a list of them; none if absent.
    pub(super) fn one_or_more(&mut self, key: &str, like: &str) -> Vec<String> {
        match self.table.remove(key) {
            None => Vec::new(),
            Some(Value::String(text)) => vec![text],
            Some(value) => {
                let texts = value.as_array().filter(|list| !list.is_empty()).and_then(|list| {
                    list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
                });
                texts.unwrap_or_else(|| {
                    self.mistake(key, "it is neither a text nor a list of texts", like);
                    Vec::new()
                })
            }
        }
    }

    pub(super) fn boolean(&mut self, key: &str, default: bool) -> bool {
        match self.table.remove(key) {
            Some(Value::Boolean(value)) => value,
            Some(_) => {
                self.mistake(key, "it is neither true nor false", "write true or false, without quotes");
                default
            }
            None => default,
        }
    }

    pub(super) fn number(&mut self, key: &str, default: u64, allowed: RangeInclusive<u64>) -> u64 {
        let Some(value) = self.table.remove(key) else { return default };
        let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
        number.filter(|number| allowed.contains(number)).unwrap_or_else(|| {
            let remedy = format!("write one from {} to {}, without quotes", allowed.start(), allowed.end());
            self.mistake(key, format!("`{value}` is not a whole number that is allowed"), &remedy);
            default
        })
    }

    pub(super) fn address(&mut self, key: &str, default: &str) -> SocketAddr {
        let text = self.string(key, default);
        text.parse().unwrap_or_else(|_| {
            let reason = format!("`{text}` is not an IP address and a port");
            self.mistake(key, reason, "write it like 0.0.0.0:7443 or [::]:7443");
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
        })
    }

    pub(super) fn absolute_path(&mut self, key: &str, default: &str) -> PathBuf {
        let text = self.string(key, default);
        if !Path::new(&text).is_absolute() {
            self.mistake(key, format!("`{text}` is not an absolute path"), "begin it with /");
        }
        PathBuf::from(text)
    }

    pub(super) fn required_path(&mut self, key: &str) -> PathBuf {
        if !self.has(key) {
            self.mistake(key, "it is missing", "name a PEM file");
            return PathBuf::new();
        }
        self.absolute_path(key, "")
    }

    pub(super) fn duration(&mut self, key: &str, default: Duration) -> Duration {
        if !self.has(key) {
            return default;
        }
        let text = self.string(key, "");
        let parsed = text.parse::<SignedDuration>().ok().and_then(|signed| Duration::try_from(signed).ok());
        match parsed {
            Some(duration) if !duration.is_zero() => duration,
            _ => {
                let reason = format!("`{text}` is not a time above zero");
                self.mistake(key, reason, "write it like \"2h\", \"15m\" or \"1h 30m\"");
                default
            }
        }
    }
}
