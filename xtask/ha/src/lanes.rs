//! Many schedules, some side by side.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::report::Report;
use crate::schedule::Schedule;
use crate::trial::{self, Verdict};

/// Where schedules come to pass.
#[derive(Clone, Debug)]
pub struct Lanes {
    /// How many at once.
    pub lanes: usize,
    /// The program `ratchet`.
    pub program: PathBuf,
    /// Where the files of each are written, a directory for each seed.
    pub files: PathBuf,
    /// Whether they are kept where nothing was violated, too.
    pub keep: bool,
}

impl Lanes {
    /// Lets them come to pass. `told` hears of each, as it ends.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn run(&self, schedules: Vec<Schedule>, told: &(impl Fn(&str) + Sync)) -> Result<Report> {
        std::fs::create_dir_all(&self.files).with_context(|| self.files.display().to_string())?;
        let waiting = Mutex::new(VecDeque::from(schedules));
        let report = Mutex::new(Report::new());
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        std::thread::scope(|scope| {
            let lane = || -> Result<()> {
                while let Some(schedule) = next() {
                    let place = self.files.join(format!("seed-{}", schedule.seed));
                    let verdict = self.one(&schedule, &place)?;
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    told(&line(&schedule, &verdict));
                    if let Some(broken) = report.add(&schedule, &verdict, place) {
                        told(&broken.to_string());
                    }
                }
                Ok(())
            };
            let lanes: Vec<_> = (0..self.lanes.max(1)).map(|_| scope.spawn(lane)).collect();
            lanes
                .into_iter()
                .try_for_each(|lane| lane.join().map_err(|_| anyhow::anyhow!("a lane panicked"))?)
        })?;
        Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// One schedule, on a runtime of its own: the thread that plays it may be held up by programs that it runs, what
    /// answers and carries meanwhile may not. The processes that it starts end with it.
    fn one(&self, schedule: &Schedule, place: &Path) -> Result<Verdict> {
        // What an earlier one of the same seed has left.
        if place.exists() {
            std::fs::remove_dir_all(place)?;
        }
        std::fs::create_dir(place).with_context(|| place.display().to_string())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let verdict = runtime.block_on(trial::of(schedule, &self.program, place));
        if verdict.violations.is_empty() && !self.keep {
            std::fs::remove_dir_all(place)?;
        } else {
            std::fs::write(place.join("verdict.json"), serde_json::to_string_pretty(&verdict)?)?;
        }
        Ok(verdict)
    }
}

fn line(schedule: &Schedule, verdict: &Verdict) -> String {
    let faults: Vec<String> =
        schedule.faults.iter().map(|planned| planned.fault.kind().to_string()).collect();
    let worst = verdict.resumes.iter().filter_map(|resume| resume.seconds).max_by(f64::total_cmp);
    let worst = worst
        .map_or_else(|| "no run at work was struck".to_owned(), |s| format!("on after {s:.1} s at most"));
    let Verdict { seconds, violations, .. } = verdict;
    let end = if violations.is_empty() { "well" } else { "VIOLATED" };
    format!("seed {}: {}; {worst}; {end} ({seconds:.0} s)", schedule.seed, faults.join(", "))
}
