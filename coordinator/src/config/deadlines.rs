//! `[deadlines]`: every wait of a run ends (promise P12).

use std::time::Duration;

use jiff::SignedDuration;

use super::reader::{Mistakes, Reader};
use crate::run::Deadlines;

/// The deadlines a table sets, the defaults for the rest.
pub(super) fn deadlines(reader: Option<Reader>, mistakes: &mut Mistakes) -> Deadlines {
    let default = Deadlines::default();
    let Some(mut reader) = reader else { return default };
    let mut duration = |name, default| duration(&mut reader, name, default, mistakes);
    let deadlines = Deadlines {
        gate: duration("gate", default.gate),
        confirm: duration("confirm", default.confirm),
        install: duration("install", default.install),
        reach: duration("reach", default.reach),
    };
    reader.finish(&["gate", "confirm", "install", "reach"], mistakes);
    deadlines
}

fn duration(reader: &mut Reader, name: &str, default: Duration, mistakes: &mut Mistakes) -> Duration {
    let remedy = "write a time span, like \"90s\", \"10m\" or \"1h 30m\"";
    let Some(text) = reader.text(name, remedy, mistakes) else { return default };
    let parsed: Option<SignedDuration> = text.parse().ok();
    match parsed.and_then(|span| Duration::try_from(span).ok()).filter(|span| !span.is_zero()) {
        Some(span) => span,
        None => {
            mistakes.note(&reader.key(name), format!("`{text}` is not a time span above zero"), remedy);
            default
        }
    }
}
