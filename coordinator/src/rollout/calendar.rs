//! When windows are open: civil times and dates become instants, across changes of the clock.

mod spans;

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Windows;
use spans::Spans;

/// How far windows are looked for: more than a year, so that one that opens once a year is found.
const AHEAD_DAYS: [i64; 3] = [9, 62, 400];

/// How the windows stand at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowStands {
    /// A turn may begin if it is over in time.
    Open {
        /// When it closes; `None` if it does not within 400 days.
        closes_at: Option<Timestamp>,
    },
    /// None may.
    Closed {
        /// When it opens; `None` if it does not within 400 days.
        opens_at: Option<Timestamp>,
    },
}

impl WindowStands {
    /// Whether a turn that begins now would be over in time.
    pub(super) fn has_room(&self, now: Timestamp, takes: impl FnOnce() -> Duration) -> bool {
        match self {
            Self::Open { closes_at: None } => true,
            Self::Open { closes_at: Some(closes_at) } => fits(now, takes(), *closes_at),
            Self::Closed { .. } => false,
        }
    }
}

/// Why a turn may not begin now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotNow {
    /// In one sentence.
    pub why: String,
    /// When one of that length may; `None` if none may within 400 days.
    pub opens_at: Option<Timestamp>,
}

impl Windows {
    /// Whether there is anything to keep to.
    pub fn always(&self) -> bool {
        self.open.is_empty() && self.blackouts.is_empty()
    }

    /// How they stand. Where the time zone is not known nothing is open.
    pub fn stands(&self, now: Timestamp) -> WindowStands {
        if self.always() {
            return WindowStands::Open { closes_at: None };
        }
        let Some(zone) = self.zone() else { return WindowStands::Closed { opens_at: None } };
        let found = AHEAD_DAYS.iter().find_map(|days| {
            let end = after(now, *days);
            let stands = stands_among(&self.spans(&zone, now, end), now);
            let told = match stands {
                WindowStands::Open { closes_at } => closes_at,
                WindowStands::Closed { opens_at } => opens_at,
            };
            (told.is_some_and(|at| at < end)).then_some(stands)
        });
        found.unwrap_or_else(|| match stands_among(&self.spans(&zone, now, after(now, AHEAD_DAYS[0])), now) {
            WindowStands::Open { .. } => WindowStands::Open { closes_at: None },
            WindowStands::Closed { .. } => WindowStands::Closed { opens_at: None },
        })
    }

    /// What keeps them closed, for people: the blackout of that day, with the reason in the file.
    pub fn closed_why(&self, now: Timestamp) -> String {
        let today = self.zone().map(|zone| now.to_zoned(zone).date());
        let blackout = |day| self.blackouts.iter().find(|out| out.from <= day && day <= out.until);
        match today.and_then(blackout) {
            None => "the window is closed".to_owned(),
            Some(out) => {
                let why = out.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                format!("the window is closed, for there is a blackout until the end of {}{why}", out.until)
            }
        }
    }

    /// Whether a turn that takes so long may begin now.
    ///
    /// # Errors
    /// It may not: why, and when one may.
    pub fn admit(&self, now: Timestamp, takes: Duration) -> Result<(), NotNow> {
        let stands = self.stands(now);
        if stands.has_room(now, || takes) {
            return Ok(());
        }
        let Some(zone) = self.zone() else {
            let why = format!("the time zone {} is not known on this machine", self.zone);
            return Err(NotNow { why, opens_at: None });
        };
        let opens_at = self.opening_for(&zone, now, takes);
        let takes = span(takes);
        let why = match (stands, opens_at) {
            (_, None) => format!("no window of the next 400 days is as long as a turn, which takes {takes}"),
            (WindowStands::Open { closes_at: Some(closes_at) }, _) => {
                format!("the window closes at {}; a turn takes {takes}", self.clock(&zone, closes_at))
            }
            (WindowStands::Open { closes_at: None } | WindowStands::Closed { .. }, Some(opens_at)) => {
                format!("the window is closed; it opens at {}", self.clock(&zone, opens_at))
            }
        };
        Err(NotNow { why, opens_at })
    }

    /// When turns may be under way between two moments, in order and without overlaps. Nothing where the time zone is not
    /// known.
    pub fn openings(&self, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        if from >= until {
            return Vec::new();
        }
        if self.always() {
            return vec![(from, until)];
        }
        let Some(zone) = self.zone() else { return Vec::new() };
        let spans = self.spans(&zone, from, until).into_iter();
        let clipped = spans.map(|(start, end)| (start.max(from), end.min(until)));
        clipped.filter(|(start, end)| start < end).collect()
    }

    /// The next moment at which a window opens that is long enough.
    fn opening_for(&self, zone: &TimeZone, now: Timestamp, takes: Duration) -> Option<Timestamp> {
        AHEAD_DAYS.iter().find_map(|days| {
            let spans = self.spans(zone, now, after(now, *days)).into_iter();
            let mut later = spans.filter(|(start, end)| *start > now && fits(*start, takes, *end));
            later.next().map(|(start, _)| start)
        })
    }

    fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(&self.zone).ok()
    }

    fn spans(&self, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Spans {
        spans::spans(self, zone, from, until)
    }

    fn clock(&self, zone: &TimeZone, at: Timestamp) -> String {
        format!("{} ({})", at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M"), self.zone)
    }
}

/// A time span for people, in its two largest units.
pub(super) fn span(span: Duration) -> String {
    let (hours, minutes, seconds) = (span.as_secs() / 3600, span.as_secs() / 60 % 60, span.as_secs() % 60);
    match (hours, minutes, seconds) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Whether something that begins then and takes so long is over by that time. What cannot be counted is not.
pub(super) fn fits(begins: Timestamp, takes: Duration, until: Timestamp) -> bool {
    let end = SignedDuration::try_from(takes).ok().and_then(|takes| begins.checked_add(takes).ok());
    end.is_some_and(|end| end <= until)
}

fn stands_among(spans: &Spans, now: Timestamp) -> WindowStands {
    match spans.iter().find(|(_, end)| *end > now) {
        Some((start, end)) if *start <= now => WindowStands::Open { closes_at: Some(*end) },
        Some((start, _)) => WindowStands::Closed { opens_at: Some(*start) },
        None => WindowStands::Closed { opens_at: None },
    }
}

fn after(now: Timestamp, days: i64) -> Timestamp {
    now.checked_add((days * 24).hours()).unwrap_or(Timestamp::MAX)
}
