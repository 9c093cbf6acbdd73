//! The settings of the cluster that a run changes, and what they were before (promise P13).

use std::collections::BTreeMap;

use proto::Setting;

/// A setting of which the original value has been written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SideEffect {
    /// What it was.
    pub original: u64,
    /// What it is while the run is under way.
    pub wanted: u64,
    /// Whether it has been put back.
    pub restored: bool,
}

impl SideEffect {
    /// Whether there is something to be put back.
    pub fn open(&self) -> bool {
        !self.restored && self.original != self.wanted
    }
}

/// Every setting a run has written down.
pub type SideEffects = BTreeMap<Setting, SideEffect>;

/// Whether a setting is good enough as it is: a longer grace period does no harm, of the others only the wanted value will do.
pub(super) fn is_enough(setting: Setting, original: u64, wanted: u64) -> bool {
    match setting {
        Setting::ReplicaHaGracePeriod => original >= wanted,
        Setting::ParallelShardsUpgrade => original == wanted,
    }
}
