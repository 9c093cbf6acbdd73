//! `[[notify]]`: who is told of news.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proto::Sha256;
use toml::Value;

use super::files;
use super::reader::{Mistakes, Reader, kind};
use crate::notify::Kind;

/// Its keys.
pub(super) const KEYS: [&str; 5] = ["webhook", "format", "secret_file", "command", "on"];

/// Somebody who is told of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyConfig {
    /// Who, and how.
    pub receiver: Receiver,
    /// Of what.
    pub on: BTreeSet<Kind>,
}

/// Who is told, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// By an HTTP request.
    Webhook {
        /// Where to.
        url: WebhookUrl,
        /// In which form.
        format: Format,
        /// The file with the secret that requests are signed with; unsigned if `None`.
        secret_file: Option<PathBuf>,
    },
    /// By a program that gets the news on its standard input: its path and arguments.
    Command(Vec<String>),
}

/// The form of a request's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `ratchet.notice/1`.
    #[default]
    Json,
    /// What Slack's incoming webhooks take.
    Slack,
}

/// Where a webhook is. Whoever knows the whole of it may send, so only its host is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(reqwest::Url);

impl WebhookUrl {
    /// The whole of it, to be dialled and not to be printed.
    pub fn whole(&self) -> reqwest::Url {
        self.0.clone()
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))?;
        f.write_str("/…")
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({self})")
    }
}

impl FromStr for WebhookUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The text itself is not repeated: it may hold a secret.
        let url: reqwest::Url = text.parse().map_err(|error| format!("it is not a URL: {error}"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let loopback = host.parse::<std::net::IpAddr>().map_or(host == "localhost", |ip| ip.is_loopback());
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if loopback => Ok(Self(url)),
            "http" => Err(format!("http:// is for this machine only, and {host} is not certainly it")),
            other => Err(format!("{other}:// is not spoken")),
        }
    }
}

impl NotifyConfig {
    /// A short name that stays the same as long as the receiver does, whatever its place in the file.
    pub fn key(&self) -> String {
        let told = match &self.receiver {
            Receiver::Webhook { url, .. } => format!("webhook\n{}", url.0),
            Receiver::Command(words) => format!("command\n{}", words.join("\0")),
        };
        Sha256::of(told.as_bytes()).to_string()[..16].to_owned()
    }
}

impl fmt::Display for NotifyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.receiver {
            Receiver::Webhook { url, .. } => url.fmt(f),
            Receiver::Command(words) => f.write_str(words.first().map_or("", String::as_str)),
        }
    }
}

/// All receivers. The same one twice would be told everything twice.
pub(super) fn notify(readers: Vec<Reader>, mistakes: &mut Mistakes) -> Vec<NotifyConfig> {
    let mut all: Vec<NotifyConfig> = Vec::new();
    for mut reader in readers {
        let place = reader.key("");
        let place = place.trim_end_matches('.').to_owned();
        let receiver = receiver(&mut reader, mistakes);
        let on = on(&mut reader, mistakes);
        reader.finish(&KEYS, mistakes);
        let Some(receiver) = receiver else { continue };
        let config = NotifyConfig { receiver, on };
        if all.iter().any(|other| other.key() == config.key()) {
            let reason = format!("{config} is told of news already");
            mistakes.note(&place, reason, "name each receiver once, with all of its `on`");
        }
        all.push(config);
    }
    all
}

fn receiver(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<Receiver> {
    let url = reader.text("webhook", "write https://HOST/PATH", mistakes);
    let (format, secret_file) = (format(reader, mistakes), files::file(reader, "secret_file", mistakes));
    let command = reader.take("command");
    match (url, command) {
        (Some(_), Some(_)) => {
            let remedy = "make two tables of it";
            mistakes.note(&reader.key("command"), "it stands beside `webhook`", remedy);
            None
        }
        (None, None) => {
            let remedy = "give `webhook = \"https://…\"` or `command = [\"/absolute/path\"]`";
            mistakes.note(&reader.key("webhook"), "it is missing", remedy);
            None
        }
        (Some(url), None) => match url.parse() {
            Ok(url) => Some(Receiver::Webhook { url, format: format.unwrap_or_default(), secret_file }),
            Err(reason) => {
                mistakes.note(&reader.key("webhook"), reason, "write https://HOST/PATH");
                None
            }
        },
        (None, Some(command)) => {
            let only = "it is for webhooks only";
            if format.is_some() {
                mistakes.note(&reader.key("format"), only, "remove it: a command gets JSON");
            }
            if secret_file.is_some() {
                mistakes.note(&reader.key("secret_file"), only, "remove it");
            }
            program(&reader.key("command"), command, mistakes).map(Receiver::Command)
        }
    }
}

fn format(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<Format> {
    let remedy = "write \"json\" or \"slack\"";
    match reader.text("format", remedy, mistakes)?.as_str() {
        "json" => Some(Format::Json),
        "slack" => Some(Format::Slack),
        other => {
            mistakes.note(&reader.key("format"), format!("`{other}` is no form that is known"), remedy);
            None
        }
    }
}

fn program(key: &str, command: Value, mistakes: &mut Mistakes) -> Option<Vec<String>> {
    let remedy = "write a list: the program by its absolute path, then its arguments";
    let words = texts(key, command, remedy, mistakes)?;
    match words.first() {
        Some(program) if Path::new(program).is_absolute() => Some(words),
        Some(program) => {
            mistakes.note(key, format!("`{program}` is not an absolute path"), remedy);
            None
        }
        None => {
            mistakes.note(key, "it is empty", remedy);
            None
        }
    }
}

/// What is told of; everything if nothing is said.
fn on(reader: &mut Reader, mistakes: &mut Mistakes) -> BTreeSet<Kind> {
    let key = reader.key("on");
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    let remedy = format!("write a list of: {}; or leave it out for all", words.join(", "));
    let Some(value) = reader.take("on") else { return Kind::ALL.into() };
    let Some(texts) = texts(&key, value, &remedy, mistakes) else { return BTreeSet::new() };
    if texts.is_empty() {
        mistakes.note(&key, "it is empty, so nothing would be told", &remedy);
    }
    let mut on = BTreeSet::new();
    for text in texts {
        match text.parse::<Kind>() {
            Ok(kind) => drop(on.insert(kind)),
            Err(error) => mistakes.note(&key, error.to_string(), &remedy),
        }
    }
    on
}

fn texts(key: &str, value: Value, remedy: &str, mistakes: &mut Mistakes) -> Option<Vec<String>> {
    let list = value.as_array().map(|list| list.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    match list {
        Some(Some(texts)) => Some(texts.into_iter().map(str::to_owned).collect()),
        Some(None) => {
            mistakes.note(key, "not all of it is text", remedy);
            None
        }
        None => {
            mistakes.note(key, format!("it is {}, not a list", kind(&value)), remedy);
            None
        }
    }
}

#[cfg(test)]
mod tests;
