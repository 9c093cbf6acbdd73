//! What `rollout.toml` says, as values that need no further checking.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use proto::{ClusterName, RolloutName, Version};
use serde::{Deserialize, Serialize};

use crate::checks::Acceptance;

/// A rollout as its file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Its name: the same name is the same rollout.
    pub name: RolloutName,
    /// The version every cluster is to be upgraded to.
    pub target: Version,
    /// The waves, in their order; one at least. The canary is the first.
    pub waves: Vec<Wave>,
    /// How many clusters may be in flight at a time, over all waves; one at least.
    pub at_once: usize,
    /// How many clusters may fail, over all waves, before the rollout halts.
    pub failure_budget: u32,
    /// What the others do when a failure goes over a budget.
    pub on_failure: Siblings,
    /// When turns may begin.
    pub windows: Windows,
    /// How long a turn is taken to last while none was measured.
    pub turn_estimate: Duration,
    /// Clusters that must not be in flight together, besides those that are discovered. `None` if the file says nothing of
    /// it: then a cluster that does not tell whether it replicates is taken to do so (promise P5).
    pub partners: Option<Vec<BTreeSet<ClusterName>>>,
    /// What is accepted although it stands in the way, in every plan.
    #[serde(default)]
    pub accept: Vec<Acceptance>,
}

/// One wave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Its name, unique in the rollout.
    pub name: String,
    /// Which clusters are in it. A cluster belongs to the first wave that selects it.
    pub clusters: Vec<Selector>,
    /// How many of them may be in flight at a time; one at least.
    pub at_once: usize,
    /// How many of them may fail before the rollout halts.
    pub failure_budget: u32,
    /// How long they must be healthy, all together, before the next wave begins.
    pub soak: Duration,
    /// Whether a person must approve the wave before it begins.
    pub approval: bool,
}

/// Which clusters of the fleet. A cluster that no selector names is never touched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// The one of this name.
    Name(ClusterName),
    /// Those whose names match: `*`, `?`, `[a-z]`, `{a,b}`.
    Glob(String),
    /// Those that have all of these labels.
    Labels(BTreeMap<String, String>),
}

/// What clusters in flight do when another one's failure goes over a budget. Nothing new is started in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Siblings {
    /// They finish the turn under way, then pause.
    #[default]
    FinishTurn,
    /// They go on to the end of their runs.
    Continue,
    /// No further install begins, also not in a turn under way: the agents are told to refuse it.
    Halt,
}

/// When turns may begin: in an open window, and not in a blackout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// IANA name of the time zone that windows and blackouts are in, for instance `Europe/Berlin`.
    pub zone: String,
    /// The windows; none means always.
    pub open: Vec<Window>,
    /// Dates on which no turn begins, and into which none may reach.
    pub blackouts: Vec<Blackout>,
}

/// A window that opens on certain days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The days it opens on; one at least, in the order of the week.
    #[serde(with = "super::spec::days")]
    pub days: Vec<Weekday>,
    /// When it opens.
    pub from: Time,
    /// When it closes: on the same day if later than `from`, else on the next one.
    pub until: Time,
}

/// Dates, both included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blackout {
    /// The first.
    pub from: Date,
    /// The last.
    pub until: Date,
    /// Why, for people.
    pub why: Option<String>,
}

/// Days of the week as they are written in files: `mon` … `sun`.
pub(super) mod days {
    use jiff::civil::Weekday;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    const WORDS: [(&str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];

    /// The whole week, in its order.
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// The day that a word means.
    pub fn parse(word: &str) -> Option<Weekday> {
        WORDS.iter().find(|(known, _)| *known == word).map(|(_, day)| *day)
    }

    /// The word for a day.
    pub fn word(day: Weekday) -> &'static str {
        WORDS.iter().find(|(_, known)| *known == day).map_or("?", |(word, _)| word)
    }

    pub fn serialize<S: Serializer>(days: &[Weekday], to: S) -> Result<S::Ok, S::Error> {
        days.iter().map(|day| word(*day)).collect::<Vec<_>>().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Weekday>, D::Error> {
        let words = Vec::<String>::deserialize(from)?;
        words
            .iter()
            .map(|word| parse(word).ok_or_else(|| D::Error::custom(format!("`{word}` is no day"))))
            .collect()
    }
}
