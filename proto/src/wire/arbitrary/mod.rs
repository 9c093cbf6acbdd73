//! Any value of the vocabulary, for property tests.

mod cluster;
mod event;
mod facts;
mod hook;
mod step;

use std::time::Duration;

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

pub(crate) use cluster::*;
pub(crate) use event::*;
pub(crate) use facts::*;
pub(crate) use hook::*;
pub(crate) use step::*;

use crate::*;

pub(crate) fn text() -> impl Strategy<Value = String> {
    "\\PC{0,6}"
}

pub(crate) fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..3)
}

fn name<T: std::str::FromStr<Err = InvalidName>>(text: String) -> T {
    text.parse().unwrap()
}

const NAME: &str = "[A-Za-z0-9][A-Za-z0-9._-]{0,12}";

pub(crate) fn run_id() -> impl Strategy<Value = RunId> {
    NAME.prop_map(name)
}

pub(crate) fn step_id() -> impl Strategy<Value = StepId> {
    NAME.prop_map(name)
}

pub(crate) fn memory() -> impl Strategy<Value = AgentMemory> {
    NAME.prop_map(name)
}

pub(crate) fn cluster_name() -> impl Strategy<Value = ClusterName> {
    NAME.prop_map(name)
}

pub(crate) fn node_uid() -> impl Strategy<Value = NodeUid> {
    any::<u32>().prop_map(NodeUid)
}

pub(crate) fn epoch() -> impl Strategy<Value = Epoch> {
    any::<u64>().prop_map(Epoch)
}

pub(crate) fn version() -> impl Strategy<Value = Version> {
    any::<[u32; 4]>().prop_map(|[a, b, c, d]| Version::new(a, b, c, d))
}

pub(crate) fn sha256() -> impl Strategy<Value = Sha256> {
    any::<[u8; 32]>().prop_map(Sha256::from)
}

pub(crate) fn arch() -> impl Strategy<Value = Arch> {
    prop_oneof![Just(Arch::Amd64), Just(Arch::Arm64)]
}

/// Every moment that jiff knows, before 1970 too, to the nanosecond.
pub(crate) fn timestamp() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_nanosecond(), Timestamp::MAX.as_nanosecond());
    (first..=last).prop_map(|nanos| Timestamp::from_nanosecond(nanos).unwrap())
}

pub(crate) fn duration() -> impl Strategy<Value = Duration> {
    (0..super::time::LONGEST_SECONDS, 0..1_000_000_000_u32).prop_map(|(s, n)| Duration::new(s, n))
}

prop_compose! {
    pub(crate) fn claim()(
        run in run_id(), cluster in cluster_name(), epoch in epoch(), holder in text(), since in timestamp(),
    ) -> Claim {
        Claim { run, cluster, epoch, holder, since }
    }
}

prop_compose! {
    pub(crate) fn halt()(by in text(), why in text(), at in timestamp()) -> Halt {
        Halt { by, why, at }
    }
}

prop_compose! {
    pub(crate) fn node_halt()(source in text(), halt in halt()) -> NodeHalt {
        NodeHalt { source, halt }
    }
}

prop_compose! {
    pub(crate) fn authority()(run in run_id(), epoch in epoch()) -> Authority {
        Authority { run, epoch }
    }
}

prop_compose! {
    pub(crate) fn package()(
        sha256 in sha256(), version in version(), os in text().prop_map(OsToken), arch in arch(),
        size in any::<Option<u64>>(), sources in texts(),
    ) -> Package {
        Package { sha256, version, os, arch, size, sources }
    }
}

prop_compose! {
    fn program_failure()(argv in texts(), status in text(), tail in texts()) -> ProgramFailure {
        ProgramFailure { argv, status, tail }
    }
}

fn failure_kind() -> impl Strategy<Value = FailureKind> {
    prop_oneof![Just(FailureKind::Retry), Just(FailureKind::Operator), Just(FailureKind::Bug)]
}

prop_compose! {
    pub(crate) fn failure()(
        kind in failure_kind(), id in text(), message in text(), cause in option::of(text()),
        remedy in option::of(text()), program in option::of(program_failure()),
    ) -> Failure {
        Failure { kind, id, message, cause, remedy, program }
    }
}
