//! `[enrolment]`: whether this coordinator signs certificates of nodes itself.

use std::path::PathBuf;

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::files;
use super::reader::{Mistakes, Reader};

/// The keys.
const KEYS: [&str; 2] = ["authority", "valid"];

/// An authority whose key lies on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentConfig {
    /// Its directory, as `ratchet pki init` has made it.
    pub authority: PathBuf,
    /// For how long certificates of nodes are valid.
    pub valid: SignedDuration,
}

/// A year: long enough for nodes that are seldom looked at, and they renew by themselves long before.
const VALID: SignedDuration = SignedDuration::from_hours(365 * 24);

/// No table, no authority here. A table without one is a mistake: somebody believes that there is one.
pub(super) fn enrolment(table: Option<Reader>, mistakes: &mut Mistakes) -> Option<EnrolmentConfig> {
    let mut table = table?;
    if !table.has("authority") {
        let remedy = "name the authority's directory, as `ratchet pki init` has made it";
        mistakes.note(&table.key("authority"), "it is missing", remedy);
    }
    let authority = files::file(&mut table, "authority", mistakes);
    let valid = valid(&mut table, mistakes).unwrap_or(VALID);
    table.finish(&KEYS, mistakes);
    Some(EnrolmentConfig { authority: authority?, valid })
}

fn valid(table: &mut Reader, mistakes: &mut Mistakes) -> Option<SignedDuration> {
    let remedy = "write a number of days or hours, like \"365d\"";
    let text = table.text("valid", remedy, mistakes)?;
    let valid = days(&text);
    if valid.is_none() {
        mistakes.note(&table.key("valid"), format!("`{text}` is not a time above zero"), remedy);
    }
    valid
}

/// A span above zero in which a day has 24 hours: `365d`, `12h`.
pub(crate) fn days(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(duration).filter(SignedDuration::is_positive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_in_hours_and_none_is_no_span() {
        assert_eq!(days("30d"), Some(SignedDuration::from_hours(720)));
        assert_eq!(days("1 week 1h"), Some(SignedDuration::from_hours(169)));
        for wrong in ["", "30", "0d", "-1d", "1 month", "soon"] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }
}
