//! A notice that is to be delivered: when it is tried, again and again, until it is given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Notice;

/// The pause after the first failure. It doubles with each, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(600);
/// How much of a pause is left to chance, so that a receiver that comes back is not run over.
const JITTER: f64 = 0.2;

/// After so long news is none any more. A night and a day: whoever repairs the receiver in the morning gets all of it.
pub const GIVES_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A notice for one receiver, as the store keeps it until it is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What is told.
    pub notice: Notice,
    /// Whom.
    pub target: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before.
    pub next_at: Timestamp,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They have it.
    Delivered,
    /// They will not have it, however often they are asked.
    Refused(String),
    /// It did not work, and may the next time.
    Failed(String),
}

/// What is to be done about a notice after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing more: it is delivered.
    Delivered,
    /// Nothing more: it is given up, and why.
    GivenUp(String),
    /// To try it again.
    Again(Box<Pending>),
}

impl Pending {
    /// A notice that nobody was told yet.
    pub fn new(notice: Notice, target: String) -> Self {
        let next_at = notice.at;
        Self { notice, target, attempts: 0, next_at, trouble: None }
    }

    /// Its name in the store: the same news for the same receiver is there once.
    pub fn key(&self) -> String {
        format!("{}@{}", self.notice.id, self.target)
    }

    /// What follows from an attempt. `chance` is a number from 0 to 1.
    pub fn after(mut self, answer: Answer, now: Timestamp, chance: f64) -> Next {
        self.attempts += 1;
        let trouble = match answer {
            Answer::Delivered => return Next::Delivered,
            Answer::Refused(reason) => return Next::GivenUp(reason),
            Answer::Failed(reason) => reason,
        };
        let pause = SignedDuration::try_from(pause(self.attempts, chance)).unwrap_or(SignedDuration::MAX);
        self.next_at = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        if self.next_at.duration_since(self.notice.at) > GIVES_UP_AFTER {
            return Next::GivenUp(format!("{trouble}; it has been tried {} times", self.attempts));
        }
        self.trouble = Some(trouble);
        Next::Again(Box::new(self))
    }
}

fn pause(attempts: u32, chance: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST).mul_f64(1.0 - JITTER * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::notice;

    fn later(seconds: i64) -> Timestamp {
        notice().at.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn pauses_grow_from_ten_seconds_to_ten_minutes_and_chance_only_shortens_them() {
        let pauses: Vec<u64> = (1..=9).map(|attempt| pause(attempt, 0.0).as_secs()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
        assert_eq!(pause(1, 1.0), Duration::from_secs(8));
        assert_eq!(pause(u32::MAX, 0.0), LONGEST);
    }

    #[test]
    fn what_fails_is_tried_for_a_day_and_then_given_up_with_the_reason() {
        let (mut pending, mut now, mut attempts) = (Pending::new(notice(), "t".to_owned()), later(0), 0);
        let reason = loop {
            attempts += 1;
            match pending.after(Answer::Failed("it answered 503".to_owned()), now, 0.0) {
                Next::Again(again) => (now, pending) = (again.next_at, *again),
                Next::GivenUp(reason) => break reason,
                Next::Delivered => panic!("nobody has it"),
            }
        };
        assert!(now > later(23 * 3600) && now <= later(24 * 3600), "{now}");
        assert_eq!(reason, format!("it answered 503; it has been tried {attempts} times"));
    }

    #[test]
    fn what_is_refused_is_given_up_at_once() {
        let pending = Pending::new(notice(), "t".to_owned());
        let next = pending.after(Answer::Refused("it answered 404".to_owned()), later(1), 0.5);
        assert_eq!(next, Next::GivenUp("it answered 404".to_owned()));
    }
}
