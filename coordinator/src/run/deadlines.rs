//! How long each kind of waiting may last (promise P12).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Wait;

/// How long each kind of waiting may last. Written into a run when it is created, so that it does not change under it. Runs
/// of before some of them existed take the defaults for those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    /// For the gate before a turn to pass.
    pub gate: Duration,
    /// For a node to be confirmed, by itself and then by others, after its installer ended.
    pub confirm: Duration,
    /// For the installer.
    pub install: Duration,
    /// For an agent that cannot be reached to come back.
    pub reach: Duration,
    /// For a package to be fetched.
    #[serde(default = "default_fetch")]
    pub fetch: Duration,
    /// For a package to be unpacked.
    #[serde(default = "default_unpack")]
    pub unpack: Duration,
    /// For the vendor's checks on one node.
    #[serde(default = "default_check")]
    pub check: Duration,
    /// For a bundle of logs to be gathered.
    #[serde(default = "default_collect")]
    pub collect: Duration,
    /// For a service to be restarted, or a setting to be read or changed.
    #[serde(default = "default_tune")]
    pub tune: Duration,
    /// For all hooks of one point on one side, however many they are.
    #[serde(default = "default_hook")]
    pub hook: Duration,
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn default_fetch() -> Duration {
    minutes(120)
}

fn default_unpack() -> Duration {
    minutes(30)
}

fn default_check() -> Duration {
    minutes(30)
}

fn default_collect() -> Duration {
    minutes(15)
}

fn default_tune() -> Duration {
    minutes(5)
}

fn default_hook() -> Duration {
    minutes(10)
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            gate: minutes(10),
            confirm: minutes(15),
            install: minutes(120),
            reach: minutes(5),
            fetch: default_fetch(),
            unpack: default_unpack(),
            check: default_check(),
            collect: default_collect(),
            tune: default_tune(),
            hook: default_hook(),
        }
    }
}

/// How long to try to give a node back before saying that its claim stays.
const RELEASE: Duration = Duration::from_secs(10);
/// An agent ends an install and a confirmation at their own deadlines, with a better story; this long after them it is
/// given up although it answers.
const OVERDUE: Duration = minutes(10);

impl Deadlines {
    /// The deadline of a kind of waiting.
    pub fn of(&self, wait: Wait) -> Duration {
        match wait {
            Wait::Claim | Wait::Reach => self.reach,
            Wait::Fetch => self.fetch,
            Wait::Unpack => self.unpack,
            Wait::Gate => self.gate,
            Wait::Check => self.check,
            Wait::Install => self.install.saturating_add(OVERDUE),
            Wait::Confirm => self.confirm.saturating_add(OVERDUE),
            Wait::Witness => self.confirm,
            Wait::Collect => self.collect,
            Wait::Restart | Wait::Tune | Wait::Setting => self.tune,
            Wait::Release => RELEASE,
            Wait::Hook => self.hook,
        }
    }

    /// How long to wait for a node whose installer said that it failed: long enough for slow services to answer, not
    /// for a miracle.
    pub fn hopeless(&self) -> Duration {
        self.confirm.min(Duration::from_secs(30))
    }
}
