//! `[inventory]`: how often the whole fleet is looked at in the background.

use toml::Value;

use super::InventoryConfig;
use super::reader::{Mistakes, Reader, kind};

/// The keys.
pub(super) const KEYS: [&str; 3] = ["fast", "every", "at_once"];

/// How often, and how many at once; the defaults for what is not said.
pub(super) fn inventory(reader: Option<Reader>, mistakes: &mut Mistakes) -> InventoryConfig {
    let default = InventoryConfig::default();
    let Some(mut reader) = reader else { return default };
    let fast = reader.span("fast", mistakes).unwrap_or(default.fast);
    let every = reader.span("every", mistakes).unwrap_or(default.every);
    let at_once = at_once(&mut reader, mistakes).unwrap_or(default.at_once);
    if fast > every {
        let remedy = "write a shorter one, or a longer `every`";
        mistakes.note(&reader.key("fast"), "it is longer than `every`", remedy);
    }
    reader.finish(&KEYS, mistakes);
    InventoryConfig { fast, every, at_once }
}

fn at_once(reader: &mut Reader, mistakes: &mut Mistakes) -> Option<usize> {
    let reason = match reader.take("at_once")? {
        Value::Integer(number) => match usize::try_from(number) {
            Ok(number) if (1..=10_000).contains(&number) => return Some(number),
            Ok(_) | Err(_) => format!("{number} is not from 1 to 10000"),
        },
        other => format!("it is {}, not a number", kind(&other)),
    };
    mistakes.note(&reader.key("at_once"), reason, "write how many clusters may be looked at at once");
    None
}
