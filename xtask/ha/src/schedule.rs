//! What goes wrong, when and for how long: drawn from a seed, so that the same seed is the same schedule.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The leader's process is killed.
    Kill,
    /// The leader is cut off from the database.
    Cut,
    /// The leader is stopped, and does not know of it when it goes on.
    Pause,
    /// The database's primary dies and its standby is promoted.
    Failover,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kill, Self::Cut, Self::Pause, Self::Failover];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kill => "leader killed",
            Self::Cut => "leader cut off",
            Self::Pause => "leader paused",
            Self::Failover => "database failover",
        })
    }
}

/// How a way to the database is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    /// It is not.
    Clear,
    /// Nothing comes through in either direction, and new connections are taken and left in silence.
    Silent,
    /// Nothing comes through, and new connections are refused.
    Refusing,
    /// What is asked arrives and is done; no answer comes back.
    Deaf,
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// `kill -9` of the leader.
    Kill {
        /// When it is started again.
        back_after: Duration,
    },
    /// The leader's ways to the database are broken.
    Cut {
        /// How.
        weather: Weather,
        /// For how long. What was on its way then arrives late.
        lasting: Duration,
    },
    /// `SIGSTOP` to the leader.
    Pause {
        /// For how long.
        lasting: Duration,
    },
    /// `SIGKILL` to the primary.
    Failover {
        /// Whether its machine is gone, too: then nobody is told that its connections are.
        machine_gone: bool,
        /// When the standby is promoted.
        promoted_after: Duration,
    },
}

impl Fault {
    /// Of which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kill { .. } => Kind::Kill,
            Self::Cut { .. } => Kind::Cut,
            Self::Pause { .. } => Kind::Pause,
            Self::Failover { .. } => Kind::Failover,
        }
    }

    /// How long until what it has broken is mended, as far as it ever is.
    pub fn lasts(&self) -> Duration {
        match self {
            Self::Kill { back_after: lasts }
            | Self::Cut { lasting: lasts, .. }
            | Self::Pause { lasting: lasts }
            | Self::Failover { promoted_after: lasts, .. } => *lasts,
        }
    }
}

/// A fault and its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// When it strikes: so long after the one before, the first so long after the runs were started. Where those before
    /// still last, they overlap.
    pub after: Duration,
    /// What strikes.
    pub fault: Fault,
}

/// How long after the one before a fault strikes at most, in milliseconds: such that it mostly strikes runs at work.
/// Without faults they take some seven seconds, and each blow costs as much again.
const LATEST: [u64; 3] = [3_500, 7_000, 7_000];

/// A schedule of faults, and what they strike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// What it was drawn from.
    pub seed: u64,
    /// How many coordinators there are.
    pub coordinators: usize,
    /// How long an installation takes.
    pub install: Duration,
    /// Whether the master's role moves on when the master is upgraded.
    pub master_moves: bool,
    /// The faults, in their order.
    pub faults: Vec<Planned>,
}

impl Schedule {
    /// The schedule of a seed. Four seeds in a row begin with the four kinds of fault.
    pub fn of(seed: u64) -> Self {
        let mut draws = StdRng::seed_from_u64(seed);
        let first = Kind::ALL[usize::try_from(seed % 4).unwrap_or_default()];
        let mut kinds = vec![first];
        for _ in 1..draws.random_range(1..=3) {
            // A second primary there is not.
            let most = if kinds.contains(&Kind::Failover) { 3 } else { 4 };
            kinds.push(Kind::ALL[draws.random_range(0..most)]);
        }
        Self {
            seed,
            coordinators: draws.random_range(2..=3),
            install: millis(&mut draws, 1_500, 2_500),
            master_moves: draws.random_bool(0.5),
            faults: kinds
                .into_iter()
                .zip(LATEST)
                .map(|(kind, latest)| planned(&mut draws, kind, latest))
                .collect(),
        }
    }

    /// Whether it has faults of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        self.faults.iter().any(|planned| planned.fault.kind() == kind)
    }

    /// How long it takes until everything is mended.
    pub fn lasts(&self) -> Duration {
        let mut struck = Duration::ZERO;
        let mended = self.faults.iter().map(|planned| {
            struck += planned.after;
            struck + planned.fault.lasts()
        });
        mended.max().unwrap_or_default()
    }
}

fn planned(draws: &mut StdRng, kind: Kind, latest: u64) -> Planned {
    Planned { after: millis(draws, 200, latest), fault: fault(draws, kind) }
}

fn fault(draws: &mut StdRng, kind: Kind) -> Fault {
    match kind {
        Kind::Kill => Fault::Kill { back_after: millis(draws, 1_000, 10_000) },
        Kind::Cut => {
            let weather = [Weather::Silent, Weather::Refusing, Weather::Deaf][draws.random_range(0..3)];
            Fault::Cut { weather, lasting: millis(draws, 5_000, 25_000) }
        }
        // A whole minute in one case of three: longer than any lease, deadline of a call or pause between two attempts.
        Kind::Pause if draws.random_bool(1.0 / 3.0) => Fault::Pause { lasting: Duration::from_secs(60) },
        Kind::Pause => Fault::Pause { lasting: millis(draws, 8_000, 40_000) },
        Kind::Failover => Fault::Failover {
            machine_gone: draws.random_bool(0.5),
            promoted_after: millis(draws, 200, 5_000),
        },
    }
}

fn millis(draws: &mut StdRng, least: u64, most: u64) -> Duration {
    Duration::from_millis(draws.random_range(least..=most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_schedule_and_another_seed_another() {
        assert_eq!(Schedule::of(7), Schedule::of(7));
        let different: std::collections::BTreeSet<_> =
            (0..100).map(|seed| format!("{:?}", Schedule { seed: 0, ..Schedule::of(seed) })).collect();
        assert_eq!(different.len(), 100);
    }

    #[test]
    fn a_hundred_schedules_have_many_of_each_kind_and_some_overlap() {
        let all: Vec<_> = (0..100).map(Schedule::of).collect();
        for kind in Kind::ALL {
            assert!(all.iter().filter(|schedule| schedule.has(kind)).count() >= 25, "{kind}");
        }
        let minute = |schedule: &&Schedule| {
            let pause =
                |planned: &Planned| planned.fault == Fault::Pause { lasting: Duration::from_secs(60) };
            schedule.faults.iter().any(pause)
        };
        assert!(all.iter().filter(minute).count() >= 10);
        let overlapping =
            |schedule: &&Schedule| schedule.faults.windows(2).any(|two| two[1].after < two[0].fault.lasts());
        assert!(all.iter().filter(overlapping).count() >= 25);
    }

    #[test]
    fn there_is_one_failover_at_most_and_everything_is_mended_some_time() {
        for schedule in (0..1000).map(Schedule::of) {
            let failovers = schedule.faults.iter().filter(|planned| planned.fault.kind() == Kind::Failover);
            assert!(failovers.count() <= 1, "{schedule:?}");
            assert!((1..=3).contains(&schedule.faults.len()) && schedule.lasts() < Duration::from_secs(100));
        }
    }
}
