//! `why`: what something waits for.

use jiff::tz::TimeZone;

use super::run::{foreign, to_put_back};
use super::style::{command, heading};
use super::units::moment;
use crate::checks::Severity;
use crate::documents::{ExplainedRow, WhyDocument};

/// The answer to `why`.
pub fn why(document: &WhyDocument, zone: &TimeZone) -> String {
    let mut out = format!("{}: {}\n", heading(&document.subject), document.verdict);
    if let Some(explained) = &document.explained {
        return out + &explanation(document, explained);
    }
    out.push_str(&super::fleet::halted(document.fleet_halt.as_ref()));
    let mut line = |label: &str, text: &str| out.push_str(&format!("  {label:<16} {text}\n"));
    if let Some(run) = document.run.as_deref().filter(|run| *run != document.subject) {
        line("run", run);
    }
    line("waits for", &super::printable(&document.waits_for));
    if let Some(since) = document.since {
        line("since", &moment(since, zone));
    }
    if let Some(until) = document.until {
        line("at the latest", &moment(until, zone));
    }
    line("who can act", &super::printable(&document.who));
    for next in &document.commands {
        line("with", &command(next));
    }
    out.push_str(&foreign(&document.foreign_changes));
    out.push_str(&to_put_back(&document.settings));
    out
}

/// What a check or an advisory is about.
fn explanation(document: &WhyDocument, explained: &ExplainedRow) -> String {
    let severity = match explained.severity {
        Severity::Info => "a note",
        Severity::Warn => "a warning",
        Severity::Block => "it stands in the way, also when it cannot be told",
    };
    let lines = [
        ("is about", Some(explained.title.as_str())),
        ("says at most", Some(severity)),
        ("is asked", Some(explained.when.as_str())),
        ("matters because", explained.why.as_deref()),
        ("helps", explained.remedy.as_deref()),
        ("source", Some(explained.source.as_str())),
        ("who can act", Some(document.who.as_str())),
    ];
    let told = lines.iter().filter_map(|(label, text)| Some((label, (*text)?)));
    let mut out: String =
        told.map(|(label, text)| format!("  {label:<16} {}\n", super::printable(text))).collect();
    for next in &document.commands {
        out.push_str(&format!("  {:<16} {}\n", "with", command(next)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn all_of_it_is_said() {
        let text = anstream::adapter::strip_str(&why(&sample::why(), &TimeZone::UTC)).to_string();
        assert_eq!(
            text,
            "orders: halted\n  run              orders-1\n  waits for        somebody to look at node 2\n  \
             since            2026-11-22 02:00:00 UTC\n  at the latest    2026-11-22 02:10:00 UTC\n  \
             who can act      an operator\n  with             ratchet retry orders-1\n"
        );
    }

    #[test]
    fn what_is_to_be_put_back_is_said() {
        let document = WhyDocument { settings: sample::settings(), ..sample::why() };
        let text = anstream::adapter::strip_str(&why(&document, &TimeZone::UTC)).to_string();
        assert!(text.contains("rladmin tune cluster slave_ha_grace_period 600"), "{text}");
    }
}
