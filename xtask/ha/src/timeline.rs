//! How long runs stood still after each blow: pure.

use jiff::Timestamp;
use serde::Serialize;

use crate::schedule::Kind;

/// A fault that has struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Blow {
    /// Of which kind.
    pub kind: Kind,
    /// When it was done.
    pub at: Timestamp,
    /// Until when whoever led before cannot be who goes on, if it was who led that was struck. What it had begun may
    /// still be written down, but shows nothing.
    pub silences_until: Option<Timestamp>,
}

/// A moment in which a run moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// The epoch of who drove it.
    pub epoch: u64,
}

/// What happened around the runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct History {
    /// The faults, in their order.
    pub blows: Vec<Blow>,
    /// Since when runs could go on, or could not: somebody who may lead is whole, and a database takes writes. In order,
    /// each different from the one before; before the first they could.
    pub able: Vec<(Timestamp, bool)>,
}

/// What is known of a run's progress.
#[derive(Clone, Debug)]
pub struct Work {
    /// The run.
    pub run: String,
    /// When it was journaled to have moved on and when a node began what it had ordered, in order. The first is its
    /// beginning, the last its end.
    pub marks: Vec<Mark>,
}

/// How long a run stood still after a blow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resume {
    /// Of which kind the blow was.
    pub kind: Kind,
    /// The run.
    pub run: String,
    /// Seconds from when it could go on to when it did; `None` if it never did.
    pub seconds: Option<f64>,
}

impl History {
    /// Notes whether runs can go on from now on.
    pub fn able(&mut self, at: Timestamp, able: bool) {
        if self.able.last().is_none_or(|(_, last)| *last) != able {
            self.able.push((at, able));
        }
    }

    /// How long the runs that were at work stood still after each blow. A blow that was followed by another before a run
    /// moved on is left out for that run: the next one counts.
    pub fn resumes(&self, works: &[Work]) -> Vec<Resume> {
        let of_blow = |(index, blow): (usize, &Blow)| {
            let next = self.blows.get(index + 1).map(|next| next.at);
            let resumed = works.iter().filter_map(move |work| self.resume(blow, next, work));
            resumed.collect::<Vec<_>>()
        };
        self.blows.iter().enumerate().flat_map(of_blow).collect()
    }

    fn resume(&self, blow: &Blow, next: Option<Timestamp>, work: &Work) -> Option<Resume> {
        let (began, ended) = (work.marks.first()?, work.marks.last()?);
        if blow.at < began.at || ended.at <= blow.at {
            return None;
        }
        let from = self.first_able_from(blow.at)?;
        let before = work.marks.iter().filter(|mark| mark.at <= blow.at).map(|mark| mark.epoch).max();
        let counts = |mark: &&Mark| {
            let silenced = blow.silences_until.is_some_and(|until| mark.at < until);
            mark.at > from && (!silenced || Some(mark.epoch) > before)
        };
        let on = work.marks.iter().find(counts).map(|mark| mark.at);
        if next.is_some_and(|next| on.is_none_or(|on| next < on)) {
            return None;
        }
        let seconds = on.map(|on| on.duration_since(from).as_secs_f64());
        Some(Resume { kind: blow.kind, run: work.run.clone(), seconds })
    }

    /// The first moment from this one on in which runs can go on; `None` if they never can again.
    fn first_able_from(&self, at: Timestamp) -> Option<Timestamp> {
        let before = self.able.iter().take_while(|(since, _)| *since <= at).last();
        if before.is_none_or(|(_, able)| *able) {
            return Some(at);
        }
        self.able.iter().find(|(since, able)| *since > at && *able).map(|(since, _)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Moments, of the driver of the first epoch.
    fn work(seconds: &[i64]) -> Work {
        let marks = seconds.iter().map(|second| Mark { at: at(*second), epoch: 1 }).collect();
        Work { run: "r".to_owned(), marks }
    }

    fn history(blows: &[(Kind, i64)], able: &[(i64, bool)]) -> History {
        let blow = |(kind, second): &(Kind, i64)| Blow { kind: *kind, at: at(*second), silences_until: None };
        let mut history = History { blows: blows.iter().map(blow).collect(), able: Vec::new() };
        able.iter().for_each(|(second, able)| history.able(at(*second), *able));
        history
    }

    fn seconds(history: &History, work: Work) -> Vec<(Kind, Option<f64>)> {
        history.resumes(&[work]).into_iter().map(|resume| (resume.kind, resume.seconds)).collect()
    }

    #[test]
    fn a_blow_counts_until_the_run_moves_on() {
        let history = history(&[(Kind::Kill, 10)], &[]);
        assert_eq!(seconds(&history, work(&[0, 9, 19, 20, 30])), [(Kind::Kill, Some(9.0))]);
    }

    #[test]
    fn runs_that_were_not_at_work_do_not_count() {
        let history = history(&[(Kind::Kill, 10)], &[]);
        assert_eq!(seconds(&history, work(&[11, 12])), []);
        assert_eq!(seconds(&history, work(&[0, 10])), []);
        assert_eq!(seconds(&history, work(&[])), []);
    }

    #[test]
    fn a_failover_counts_from_the_promotion() {
        let history = history(&[(Kind::Failover, 10)], &[(10, false), (14, true)]);
        // What was written down at 11 was acknowledged after the promotion only.
        assert_eq!(seconds(&history, work(&[0, 11, 17, 30])), [(Kind::Failover, Some(3.0))]);
    }

    #[test]
    fn of_blows_without_progress_between_them_the_last_counts() {
        let history = history(&[(Kind::Kill, 10), (Kind::Cut, 15)], &[(15, false), (20, true)]);
        assert_eq!(seconds(&history, work(&[0, 28, 30])), [(Kind::Cut, Some(8.0))]);
    }

    #[test]
    fn what_the_one_that_was_struck_had_begun_does_not_count_before_it_is_well_again() {
        let mut history = history(&[(Kind::Cut, 10)], &[]);
        history.blows[0].silences_until = Some(at(25));
        let taken_over = Mark { at: at(18), epoch: 2 };
        let mut work = work(&[0, 11, 17, 30]);
        assert_eq!(seconds(&history, work.clone()), [(Kind::Cut, Some(20.0))]);
        work.marks.insert(3, taken_over);
        assert_eq!(seconds(&history, work), [(Kind::Cut, Some(8.0))]);
    }

    #[test]
    fn what_never_moves_on_is_told() {
        let history = history(&[(Kind::Pause, 10)], &[(10, false), (40, true)]);
        assert_eq!(seconds(&history, work(&[0, 20])), [(Kind::Pause, None)]);
        assert_eq!(history.able, [(at(10), false), (at(40), true)]);
    }
}
