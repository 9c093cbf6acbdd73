//! `[windows]`: when turns may begin.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use toml::Value;

use super::values::texts;
use crate::config::reader::{Mistakes, Reader};
use crate::rollout::spec::days;
use crate::rollout::{Blackout, Window, Windows};

pub(super) fn windows(reader: Option<Reader>, mistakes: &mut Mistakes) -> Windows {
    let Some(mut reader) = reader else { return Windows::default() };
    let remedy = "name a time zone of the IANA database, like \"Europe/Berlin\" or \"UTC\"";
    let zone = reader.required("zone", remedy, mistakes).unwrap_or_default();
    if !zone.is_empty() && TimeZone::get(&zone).is_err() {
        mistakes.note(&reader.key("zone"), format!("there is no time zone `{zone}`"), remedy);
    }
    let mut windows = Windows { zone, ..Windows::default() };
    for open in reader.tables("open", mistakes) {
        windows.open.extend(window(open, mistakes));
    }
    for dark in reader.tables("blackout", mistakes) {
        windows.blackouts.extend(blackout(dark, mistakes));
    }
    reader.finish(&["zone", "open", "blackout"], mistakes);
    windows
}

fn window(mut reader: Reader, mistakes: &mut Mistakes) -> Option<Window> {
    let days = days_of(&mut reader, mistakes);
    let (from, until) = (time(&mut reader, "from", mistakes), time(&mut reader, "until", mistakes));
    reader.finish(&["days", "from", "until"], mistakes);
    Some(Window { days, from: from?, until: until? })
}

/// In the order of the week, each once.
fn days_of(reader: &mut Reader, mistakes: &mut Mistakes) -> Vec<Weekday> {
    let (key, remedy) =
        (reader.key("days"), "list days of the week, like [\"mon\", \"tue\"], or leave it out");
    let Some(value) = reader.take("days") else { return days::ALL.to_vec() };
    if matches!(&value, Value::Array(values) if values.is_empty()) {
        mistakes.note(&key, "it is empty", remedy);
    }
    let mut named = Vec::new();
    for word in texts::<String>(&key, value, remedy, mistakes) {
        match days::parse(&word) {
            Some(day) => named.push(day),
            None => mistakes.note(&key, format!("`{word}` is no day"), remedy),
        }
    }
    days::ALL.into_iter().filter(|day| named.contains(day)).collect()
}

fn time(reader: &mut Reader, name: &str, mistakes: &mut Mistakes) -> Option<Time> {
    let remedy = "write a time of day in quotes, like \"22:00\"";
    let text = reader.required(name, remedy, mistakes)?;
    let formats = ["%H:%M", "%H:%M:%S"];
    let time = formats.iter().find_map(|format| Time::strptime(format, &text).ok());
    if time.is_none() {
        mistakes.note(&reader.key(name), format!("`{text}` is no time of day"), remedy);
    }
    time
}

fn blackout(mut reader: Reader, mistakes: &mut Mistakes) -> Option<Blackout> {
    let from = date(&mut reader, "from", mistakes);
    let last = if reader.has("until") { date(&mut reader, "until", mistakes) } else { from };
    let why = reader.text("why", "say why, for people", mistakes);
    if let (Some(from), Some(until)) = (from, last)
        && until < from
    {
        let reason = format!("{until} is before {from}");
        mistakes.note(&reader.key("until"), reason, "name the last day; both days are part of it");
    }
    reader.finish(&["from", "until", "why"], mistakes);
    Some(Blackout { from: from?, until: last?, why })
}

/// In quotes or, as TOML has dates of its own, without.
fn date(reader: &mut Reader, name: &str, mistakes: &mut Mistakes) -> Option<Date> {
    let remedy = "write a date in quotes, like \"2026-12-20\"";
    let text = match reader.take(name) {
        Some(Value::String(text)) => Some(text),
        Some(Value::Datetime(date)) => Some(date.to_string()),
        Some(_) | None => None,
    };
    let date = text.as_deref().and_then(|text| Date::strptime("%Y-%m-%d", text).ok());
    if date.is_none() {
        let reason =
            text.map_or("it is missing or not a date".to_owned(), |text| format!("`{text}` is no date"));
        mistakes.note(&reader.key(name), reason, remedy);
    }
    date
}
