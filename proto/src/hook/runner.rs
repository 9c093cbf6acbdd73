//! Running the hooks of a point, one after the other, each within its own deadline and all of them within another.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::judge::{judge, tail};
use super::listing::{Entry, Unfit, entries};
use super::process;
use super::{HookCall, HookOutcome, HookSide};

/// No call lasts longer, whatever it is allowed: a moment must be one that a clock can tell.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Runs the hooks of one side. Clones share that two hooks never run at once.
#[derive(Clone, Debug)]
pub struct HookRunner {
    side: HookSide,
    directory: PathBuf,
    each: Duration,
    at_work: Arc<Mutex<()>>,
}

impl HookRunner {
    /// Hooks below a directory, each of which may take so long.
    pub fn new(side: HookSide, directory: PathBuf, each: Duration) -> Self {
        Self { side, directory, each, at_work: Arc::default() }
    }

    /// Runs all hooks of a point and says what became of each, in order. However many they are, they are through within
    /// `all`: a hook whose turn does not come before that is not run, and says so.
    pub async fn run(&self, call: &HookCall, all: Duration) -> Vec<HookOutcome> {
        let all = all.min(LONGEST);
        let until = Instant::now() + all;
        let Ok(_alone) = timeout_at(until, self.at_work.lock()).await else {
            let message = format!("hooks of another call were at work for {all:?}");
            return vec![self.unknown(call, message, "see which with: ps -ef --forest")];
        };
        let entries = match timeout_at(until, self.entries(call)).await {
            Ok(Ok(entries)) => entries,
            Ok(Err(Unfit { name, reason, remedy })) => {
                return vec![call.cannot_tell(self.side, &name, reason, remedy)];
            }
            Err(_) => {
                let message = format!("{} could not be read within {all:?}", self.directory.display());
                return vec![self.unknown(call, message, "see to the file system that it is on")];
            }
        };
        let mut outcomes = Vec::new();
        for entry in entries {
            outcomes.push(match entry {
                Entry::Hook { name, path } => self.run_one(call, &name, &path, until).await,
                Entry::Unfit(Unfit { name, reason, remedy }) => {
                    call.cannot_tell(self.side, &name, reason, remedy)
                }
            });
        }
        outcomes
    }

    /// A file system may hang; the runtime's threads must not.
    async fn entries(&self, call: &HookCall) -> Result<Vec<Entry>, Unfit> {
        let (directory, point) = (self.directory.clone(), call.point);
        let own = rustix::process::geteuid().as_raw();
        let listed = tokio::task::spawn_blocking(move || entries(&directory, point, own)).await;
        listed.unwrap_or_else(|error| {
            let (name, remedy) = (point.word().to_owned(), "try again".to_owned());
            Err(Unfit { name, reason: format!("which hooks there are cannot be told: {error}"), remedy })
        })
    }

    async fn run_one(&self, call: &HookCall, name: &str, path: &Path, until: Instant) -> HookOutcome {
        let began = Instant::now();
        let left = until.saturating_duration_since(began);
        if left.is_zero() {
            let message = "it was not run: the time for all hooks together was over".to_owned();
            let remedy = "make the hooks before it faster, or give all of them more time".to_owned();
            return call.cannot_tell(self.side, name, message, remedy);
        }
        let input = match call.input(self.side) {
            Ok(input) => input,
            Err(error) => {
                let message = format!("it was not run: what it reads cannot be written: {error}");
                return call.cannot_tell(self.side, name, message, "report it: it is a bug".to_owned());
            }
        };
        let ran = process::run(path, &input, self.each.min(left)).await;
        let judged = judge(&ran.ending, &ran.stdout);
        let stdout = if judged.answered { &[] } else { ran.stdout.as_slice() };
        let remedy = judged.verdict.blocks().then(|| format!("see to what {} says", path.display()));
        HookOutcome {
            verdict: judged.verdict,
            message: judged.message,
            remedy: judged.remedy.or(remedy),
            output_tail: tail(&[stdout, &ran.stderr]),
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..call.cannot_tell(self.side, name, String::new(), String::new())
        }
    }

    fn unknown(&self, call: &HookCall, message: String, remedy: &str) -> HookOutcome {
        call.cannot_tell(self.side, call.point.word(), message, remedy.to_owned())
    }
}
