//! Many worlds, side by side, and their figures.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::script::Script;
use crate::world::{self, Outcome, Shared};

/// A world that broke a promise.
#[derive(Clone, Debug, Serialize)]
pub struct Broken {
    /// Which world.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// What was broken.
    pub violations: Vec<String>,
    /// Its history, for people.
    #[serde(skip)]
    pub history: String,
}

/// The figures of many worlds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Worlds that happened.
    pub seeds: u64,
    /// Worlds that broke a promise.
    pub violations: u64,
    /// Installs that began in them.
    pub installs: u64,
    /// How the runs ended.
    pub ends: BTreeMap<String, u64>,
    /// How often each kind of fault came.
    pub faults: BTreeMap<String, u64>,
    /// Virtual hours that passed in all of them together.
    pub virtual_hours: f64,
    /// Worlds in a minute of real time.
    pub seeds_per_minute: f64,
    /// The worlds that broke a promise.
    pub broken: Vec<Broken>,
}

/// The figures, for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<String, u64>| -> String {
            counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        writeln!(
            f,
            "{} worlds, {} with a broken promise; {} installs; {:.0} virtual hours; {:.0} seeds a minute",
            self.seeds, self.violations, self.installs, self.virtual_hours, self.seeds_per_minute
        )?;
        write!(f, "ends: {}\nfaults: {}", list(&self.ends), list(&self.faults))
    }
}

/// Lets worlds happen on so many threads. `told` hears of every one that broke a promise, at once.
pub fn run(
    worlds: &[(String, Script)],
    threads: usize,
    shared: &Shared,
    told: &(impl Fn(&Broken) + Sync),
) -> Report {
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let report = Mutex::new(Report::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some((name, script)) = worlds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = one(script, shared);
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(broken) = report.add(name, script, outcome) {
                        told(&broken);
                        report.broken.push(broken);
                    }
                }
            });
        }
    });
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.seeds_per_minute = report.seeds as f64 * 60.0 / began.elapsed().as_secs_f64().max(0.001);
    report
}

/// One world; a panic in it is a broken promise, too.
fn one(script: &Script, shared: &Shared) -> Result<Outcome, String> {
    match catch_unwind(AssertUnwindSafe(|| world::run(script, shared))) {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(error)) => Err(format!("the world could not be set up: {error:#}")),
        Err(_) => Err("something panicked; see the output above".to_owned()),
    }
}

impl Report {
    fn add(&mut self, name: &str, script: &Script, outcome: Result<Outcome, String>) -> Option<Broken> {
        self.seeds += 1;
        let broken = match outcome {
            Ok(outcome) => {
                self.count(&outcome);
                let history = outcome.readable();
                Broken { name: name.to_owned(), seed: script.seed, violations: outcome.violations, history }
            }
            Err(error) => {
                let (violations, history) = (vec![error], String::new());
                Broken { name: name.to_owned(), seed: script.seed, violations, history }
            }
        };
        let is_broken = !broken.violations.is_empty();
        self.violations += u64::from(is_broken);
        is_broken.then_some(broken)
    }

    fn count(&mut self, outcome: &Outcome) {
        let end =
            outcome.state.map_or_else(|| "none".to_owned(), |state| format!("{state:?}").to_lowercase());
        *self.ends.entry(end).or_default() += 1;
        self.installs += outcome.installs as u64;
        self.virtual_hours += outcome.lasted_ms as f64 / 3_600_000.0;
        for (kind, times) in &outcome.faults {
            *self.faults.entry((*kind).to_owned()).or_default() += times;
        }
    }

    /// The same, with another's figures added.
    pub fn and(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.violations += other.violations;
        self.installs += other.installs;
        self.virtual_hours += other.virtual_hours;
        for (end, times) in other.ends {
            *self.ends.entry(end).or_default() += times;
        }
        for (kind, times) in other.faults {
            *self.faults.entry(kind).or_default() += times;
        }
        self.broken.extend(other.broken);
        self
    }
}
