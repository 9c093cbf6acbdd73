//! What happened in a simulated world, in virtual time: what a person reads when a promise was broken.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::time::Instant;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Virtual milliseconds since the world began.
    pub at: u64,
    /// Whose doing it was: `n2`, `c1`, `operator`, `world`.
    pub who: String,
    /// What.
    pub what: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6}.{:03} s  {:<9} {}", self.at / 1000, self.at % 1000, self.who, self.what)
    }
}

#[derive(Debug, Default)]
struct Written {
    lines: Vec<Line>,
    violations: Vec<String>,
    faults: BTreeMap<&'static str, u64>,
    names: Vec<(String, &'static str)>,
}

impl Written {
    fn named(&self, text: String) -> String {
        self.names.iter().fold(
            text,
            |text, (really, name)| {
                if text.contains(really) { text.replace(really, name) } else { text }
            },
        )
    }
}

/// The history of one world, its broken promises and its faults. Cheap to clone; may be written from any thread.
#[derive(Clone, Debug)]
pub struct History {
    began: Instant,
    written: Arc<Mutex<Written>>,
}

impl History {
    /// An empty history that begins now. Must be called inside the world's runtime.
    pub fn begin() -> Self {
        Self { began: Instant::now(), written: Arc::default() }
    }

    /// The moment the world began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Virtual milliseconds since the world began.
    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Calls something by a name of its own from now on, where what it is really called differs each time: a directory, a
    /// process, a run.
    pub fn call(&self, really: impl Into<String>, name: &'static str) {
        self.written().names.push((really.into(), name));
    }

    /// Notes something.
    pub fn note(&self, who: &str, what: impl Into<String>) {
        let at = self.now();
        let mut written = self.written();
        let what = written.named(what.into());
        written.lines.push(Line { at, who: who.to_owned(), what });
    }

    /// Notes that a fault was injected, and counts it under its kind.
    pub fn fault(&self, kind: &'static str, who: &str, what: impl Into<String>) {
        *self.written().faults.entry(kind).or_default() += 1;
        self.note(who, format!("FAULT {kind}: {}", what.into()));
    }

    /// Notes a broken promise.
    pub fn violation(&self, promise: &str, what: impl fmt::Display) {
        let text = format!("{promise} broken: {what}");
        self.note("PROMISE", &text);
        let mut written = self.written();
        let text = written.named(text);
        written.violations.push(text);
    }

    /// Everything that happened so far.
    pub fn lines(&self) -> Vec<Line> {
        self.written().lines.clone()
    }

    /// The promises that were broken so far.
    pub fn violations(&self) -> Vec<String> {
        self.written().violations.clone()
    }

    /// How often faults of each kind were injected so far.
    pub fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.written().faults.clone()
    }

    /// Lines are only ever added, so a poisoned lock is harmless.
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
