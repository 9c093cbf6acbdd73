//! Figures of many schedules, for people and for programs.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::schedule::{Kind, Schedule};
use crate::trial::Verdict;

/// The figures.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Schedules that came to pass.
    pub schedules: usize,
    /// Schedules in which something was violated.
    pub violations: usize,
    /// By kind of fault.
    pub kinds: Vec<Figures>,
    /// The schedules in which something was violated.
    pub broken: Vec<Broken>,
    /// Seconds that all of them took, one after the other.
    pub seconds: f64,
    #[serde(skip)]
    resumes: Vec<Resumed>,
}

/// A run that stood still and moved on.
#[derive(Clone, Copy, Debug)]
struct Resumed {
    kind: Kind,
    seconds: f64,
    seed: u64,
}

/// The figures of a kind of fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// The kind.
    pub kind: Kind,
    /// Schedules with such a fault.
    pub schedules: usize,
    /// Those among them in which something was violated.
    pub violations: usize,
    /// How often such a fault struck a run at work that then moved on before the next one.
    pub resumed: usize,
    /// How long such a run stood still, in seconds: the median.
    pub median_s: Option<f64>,
    /// The longest.
    pub worst_s: Option<f64>,
    /// The seed of the schedule in which that was.
    pub worst_seed: Option<u64>,
}

/// A schedule in which something was violated.
#[derive(Clone, Debug, Serialize)]
pub struct Broken {
    /// Its seed.
    pub seed: u64,
    /// What was violated.
    pub violations: Vec<String>,
    /// Where its files are.
    pub files: PathBuf,
}

impl Report {
    /// Of nothing.
    pub fn new() -> Self {
        Self { kinds: Kind::ALL.map(Figures::none).to_vec(), ..Self::default() }
    }

    /// Adds a schedule; its files are in this directory. What was violated, if something was.
    pub fn add(&mut self, schedule: &Schedule, verdict: &Verdict, files: PathBuf) -> Option<&Broken> {
        let is_broken = !verdict.violations.is_empty();
        self.schedules += 1;
        self.seconds += verdict.seconds;
        self.violations += usize::from(is_broken);
        let resumed = verdict.resumes.iter().filter_map(|resume| {
            Some(Resumed { kind: resume.kind, seconds: resume.seconds?, seed: schedule.seed })
        });
        self.resumes.extend(resumed);
        for figures in self.kinds.iter_mut().filter(|figures| schedule.has(figures.kind)) {
            figures.schedules += 1;
            figures.violations += usize::from(is_broken);
            figures.count(&self.resumes);
        }
        is_broken.then(|| {
            let broken = Broken { seed: schedule.seed, violations: verdict.violations.clone(), files };
            self.broken.push(broken);
            &self.broken[self.broken.len() - 1]
        })
    }

    /// The figures of a kind.
    pub fn of(&self, kind: Kind) -> Option<&Figures> {
        self.kinds.iter().find(|figures| figures.kind == kind)
    }
}

impl Figures {
    fn none(kind: Kind) -> Self {
        let (median_s, worst_s, worst_seed) = (None, None, None);
        Self { kind, schedules: 0, violations: 0, resumed: 0, median_s, worst_s, worst_seed }
    }

    fn count(&mut self, resumes: &[Resumed]) {
        let mut all: Vec<&Resumed> = resumes.iter().filter(|resumed| resumed.kind == self.kind).collect();
        all.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
        self.resumed = all.len();
        self.median_s = all.get(all.len() / 2).map(|resumed| resumed.seconds);
        (self.worst_s, self.worst_seed) = all.last().map(|worst| (worst.seconds, worst.seed)).unzip();
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), |s| format!("{s:.1} s"));
        writeln!(
            f,
            "{:<18} {:>9} {:>10} {:>8} {:>9} {:>9}  in seed",
            "fault", "schedules", "violations", "resumed", "median", "worst"
        )?;
        for Figures { kind, schedules, violations, resumed, median_s, worst_s, worst_seed } in &self.kinds {
            let (median, worst) = (seconds(*median_s), seconds(*worst_s));
            write!(f, "{kind:<18} {schedules:>9} {violations:>10} {resumed:>8} {median:>9} {worst:>9}")?;
            writeln!(f, "  {}", worst_seed.map_or_else(|| "-".to_owned(), |seed| seed.to_string()))?;
        }
        write!(f, "{} schedules, {} with a violation", self.schedules, self.violations)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violations = self.violations.join("\n  ");
        write!(f, "VIOLATED by seed {}:\n  {violations}\n  see {}", self.seed, self.files.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Resume;

    fn verdict(kind: Kind, seconds: &[f64], violations: &[&str]) -> Verdict {
        let resume = |seconds: &f64| Resume { kind, run: "r".to_owned(), seconds: Some(*seconds) };
        Verdict {
            resumes: seconds.iter().map(resume).collect(),
            violations: violations.iter().map(ToString::to_string).collect(),
            ..Verdict::default()
        }
    }

    #[test]
    fn figures_are_by_kind_and_what_was_violated_is_kept_with_its_seed() {
        let (mut report, schedule) = (Report::new(), Schedule { faults: Vec::new(), ..Schedule::of(0) });
        let killed = Schedule { faults: Schedule::of(0).faults[..1].to_vec(), ..schedule.clone() };
        assert!(report.add(&killed, &verdict(Kind::Kill, &[3.0, 9.0], &[]), PathBuf::new()).is_none());
        let broken = report.add(&killed, &verdict(Kind::Kill, &[4.0], &["P1: two"]), "logs".into());
        assert_eq!(broken.map(ToString::to_string).unwrap(), "VIOLATED by seed 0:\n  P1: two\n  see logs");
        let figures = report.of(Kind::Kill).unwrap();
        assert_eq!((figures.schedules, figures.violations, figures.resumed), (2, 1, 3));
        assert_eq!((figures.median_s, figures.worst_s, figures.worst_seed), (Some(4.0), Some(9.0), Some(0)));
        assert_eq!(report.of(Kind::Failover).unwrap().median_s, None);
        assert!(report.to_string().ends_with("2 schedules, 1 with a violation"), "{report}");
    }
}
