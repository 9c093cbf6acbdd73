//! How news is shown: JSON lines, plain lines, or redrawn in place.

use jiff::Timestamp;
use proto::Failure;

use super::lines;
use super::live::Live;
use crate::cli::client::Answer;
use crate::cli::output::Output;
use crate::documents::{RunDocument, WatchDocument};

/// How news is shown.
pub(super) enum View {
    /// A JSON object a line on stdout.
    Json,
    /// A line an event on stderr.
    Lines,
    /// Lines above, the run as it stands below, on a terminal.
    Live(Live),
}

impl View {
    pub(super) fn new(out: &Output) -> Self {
        if out.is_json() {
            Self::Json
        } else if out.is_live() {
            Self::Live(Live::new())
        } else {
            Self::Lines
        }
    }

    /// Shows what is new.
    pub(super) fn news(&mut self, out: &mut Output, news: &Answer<WatchDocument>) -> Result<(), Failure> {
        if let Self::Json = self {
            return out.json(&news.json);
        }
        for event in &news.document.events {
            let line = lines::line(event, out.zone());
            self.note(out, &line);
        }
        self.tick(&news.document.run);
        Ok(())
    }

    /// Tells a person something on the side.
    pub(super) fn note(&mut self, out: &mut Output, text: &str) {
        match self {
            Self::Json | Self::Lines => out.tell(text),
            Self::Live(live) => live.line(text),
        }
    }

    /// Draws the run as it stands.
    pub(super) fn tick(&mut self, run: &RunDocument) {
        if let Self::Live(live) = self {
            live.draw(run, Timestamp::now());
        }
    }

    /// When drawing again is due: clocks move on without news.
    pub(super) async fn due(&mut self) {
        match self {
            Self::Live(live) => live.due().await,
            Self::Json | Self::Lines => std::future::pending().await,
        }
    }

    /// Takes away what was drawn in place, ahead of the last words.
    pub(super) fn clear(&mut self) {
        if let Self::Live(live) = self {
            live.clear();
        }
    }
}
