//! `[deadlines]`: every wait of a run ends (promise P12).

use super::reader::{Mistakes, Reader};
use crate::run::Deadlines;

/// The keys, in the order of a run.
pub(super) const KEYS: [&str; 10] =
    ["reach", "fetch", "unpack", "gate", "check", "install", "confirm", "collect", "tune", "hook"];

/// The deadlines a table sets, the defaults for the rest.
pub(super) fn deadlines(reader: Option<Reader>, mistakes: &mut Mistakes) -> Deadlines {
    let default = Deadlines::default();
    let Some(mut reader) = reader else { return default };
    let mut span = |name, default| reader.span(name, mistakes).unwrap_or(default);
    let deadlines = Deadlines {
        reach: span("reach", default.reach),
        fetch: span("fetch", default.fetch),
        unpack: span("unpack", default.unpack),
        gate: span("gate", default.gate),
        check: span("check", default.check),
        install: span("install", default.install),
        confirm: span("confirm", default.confirm),
        collect: span("collect", default.collect),
        tune: span("tune", default.tune),
        hook: span("hook", default.hook),
    };
    reader.finish(&KEYS, mistakes);
    deadlines
}
