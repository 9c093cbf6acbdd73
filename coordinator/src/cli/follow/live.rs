//! The run redrawn in place on a terminal's stderr.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::progress;
use crate::documents::RunDocument;

/// The drawing, and when to draw again.
pub(super) struct Live {
    all: MultiProgress,
    rows: Vec<ProgressBar>,
    again: Interval,
}

impl Live {
    /// Needs a tokio runtime.
    pub(super) fn new() -> Self {
        let mut again = interval(Duration::from_secs(1));
        again.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self { all: MultiProgress::new(), rows: Vec::new(), again }
    }

    /// A line that stays, above what is redrawn.
    pub(super) fn line(&self, text: &str) {
        if let Err(error) = self.all.println(text) {
            tracing::debug!(%error, "the terminal is gone");
        }
    }

    pub(super) fn draw(&mut self, run: &RunDocument, now: Timestamp) {
        let texts = progress::rows(run, now);
        for gone in self.rows.drain(texts.len().min(self.rows.len())..) {
            self.all.remove(&gone);
        }
        while self.rows.len() < texts.len() {
            self.rows.push(self.all.add(row()));
        }
        for (row, text) in self.rows.iter().zip(texts) {
            row.set_message(text);
            row.tick();
        }
    }

    pub(super) async fn due(&mut self) {
        self.again.tick().await;
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        if let Err(error) = self.all.clear() {
            tracing::debug!(%error, "the terminal is gone");
        }
    }
}

/// A row is text of ours, cut at the terminal's edge; the crate draws and redraws it.
fn row() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[tokio::test]
    async fn rows_come_and_go_with_the_run() {
        let mut live = Live::new();
        live.draw(&sample::run(), sample::at(120));
        assert_eq!(live.rows.len(), 5);
        assert!(live.rows[2].message().contains("installing"), "{}", live.rows[2].message());
        live.line("02:03:04  node 2    installing");
        live.draw(&sample::done(), sample::at(130));
        assert_eq!(live.rows.len(), 4);
        assert!(live.rows[2].message().contains("done"), "{}", live.rows[2].message());
        live.clear();
        assert!(live.rows.is_empty());
    }
}
