//! `[settings]`: what settings of the product are to be while a run is under way; each is put back at its end.

use std::collections::BTreeMap;

use proto::Setting;
use toml::Value;

use super::reader::{Mistakes, Reader, kind};

/// The keys, by setting: a setting without a key does not compile.
fn key(setting: Setting) -> &'static str {
    match setting {
        Setting::ReplicaHaGracePeriod => "replica_ha_grace_period",
        Setting::ParallelShardsUpgrade => "parallel_shards_upgrade",
    }
}

/// All keys.
pub(super) const KEYS: [&str; Setting::ALL.len()] = ["replica_ha_grace_period", "parallel_shards_upgrade"];

/// What each setting is to be. Ratchet changes nothing that it was not told to: a setting that is not here is left as it is.
pub(super) fn settings(reader: Option<Reader>, mistakes: &mut Mistakes) -> BTreeMap<Setting, u64> {
    let mut settings = BTreeMap::new();
    let Some(mut reader) = reader else { return settings };
    for setting in Setting::ALL {
        let value = match setting {
            Setting::ReplicaHaGracePeriod => seconds(&mut reader, key(setting), mistakes),
            Setting::ParallelShardsUpgrade => number(&mut reader, key(setting), mistakes),
        };
        if let Some(value) = value {
            settings.insert(setting, value);
        }
    }
    reader.finish(&KEYS, mistakes);
    settings
}

/// The product counts in whole seconds.
fn seconds(reader: &mut Reader, name: &str, mistakes: &mut Mistakes) -> Option<u64> {
    let span = reader.span(name, mistakes)?;
    if span.subsec_nanos() != 0 {
        mistakes.note(&reader.key(name), "it is no whole number of seconds", "write one, like \"1h\"");
    }
    Some(span.as_secs())
}

fn number(reader: &mut Reader, name: &str, mistakes: &mut Mistakes) -> Option<u64> {
    let remedy = "write a number that is not negative, without quotes, or leave it out";
    let reason = match reader.take(name)? {
        Value::Integer(number) => match u64::try_from(number) {
            Ok(number) => return Some(number),
            Err(_) => format!("{number} is negative"),
        },
        other => format!("it is {}, not a number", kind(&other)),
    };
    mistakes.note(&reader.key(name), reason, remedy);
    None
}
