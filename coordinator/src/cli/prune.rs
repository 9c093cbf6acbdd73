//! `ratchet prune --older-than SPAN [--yes]`.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use proto::Failure;

use super::context::Context;
use super::{Exit, render};

/// Arguments of `prune`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only runs that were over this long ago: `90 days`, `6 months`, `1 year`
    #[arg(long, value_name = "SPAN", value_parser = span, allow_hyphen_values = true)]
    older_than: Span,
    /// Remove them; without this it is only shown which those are
    #[arg(long)]
    yes: bool,
}

impl Args {
    pub(super) async fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let before = before(Timestamp::now(), self.older_than)?;
        let answer = context.client().await?.prune_runs(before.to_string(), self.yes).await?;
        context.out.answer(&answer, render::pruned)?;
        Ok(Exit::Done)
    }
}

fn span(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    if span.is_negative() {
        return Err("it lies in the future".to_owned());
    }
    Ok(span)
}

/// Days and months are those of UTC.
fn before(now: Timestamp, span: Span) -> Result<Timestamp, Failure> {
    let before = now.to_zoned(TimeZone::UTC).checked_sub(span).map_err(|error| {
        let message = format!("`{span:#}` before now is no moment");
        Failure::operator("usage", message, "give a shorter span, like `90 days`").because(error.to_string())
    })?;
    Ok(before.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_counted_back_from_now() {
        let now: Timestamp = "2026-03-31T12:00:00Z".parse().unwrap();
        for (text, moment) in [
            ("90 days", "2025-12-31T12:00:00Z"),
            ("1 month", "2026-02-28T12:00:00Z"),
            ("36h", "2026-03-30T00:00:00Z"),
            ("P1Y", "2025-03-31T12:00:00Z"),
            ("0s", "2026-03-31T12:00:00Z"),
        ] {
            assert_eq!(before(now, span(text).unwrap()).unwrap().to_string(), moment, "{text}");
        }
        for bad in ["", "soon", "90", "-3 days", "3 days ago"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!(before(now, span("19000 years").unwrap()).unwrap_err().id, "usage");
    }
}
