//! Every message of both services: decoded, turned into the vocabulary, and back.
//!
//! The first byte says which message the rest is.

use std::fmt::Debug;

use jiff::Timestamp;
use prost::Message;
use proto::wire::{CancelStep, Claimed, Execute, HaltsNow, Histories, Observe, RunHooks, SetHalt, TakeClaim, TakeOver, TakenOver, WireError};
use proto::{Authority, Failure, HookOutcome, NodeFacts, NodeUid, StepEvent, StepHistory, pb, sample};

use crate::{Target, expect};

pub(super) const TARGET: Target = Target::new(run, seeds).longest(32 * 1024).short_runs(4000);

type Reader = fn(&[u8]);

macro_rules! kinds {
    (both ways { $($domain:ty => $wire:ident,)* } one way { $($read:ty => $from:ident,)* } messages { $($message:ident,)* }) => {
        /// The messages by name: those that are words of the vocabulary, and those that are only read field by field.
        const KINDS: &[(&str, Reader)] = &[
            $((stringify!($wire), both_ways::<$domain, pb::$wire>),)*
            $((stringify!($from), one_way::<$read, pb::$from>),)*
            $((stringify!($message), message::<pb::$message>),)*
        ];
    };
}

kinds! {
    both ways {
    NodeFacts => NodeFacts,
    StepEvent => StepEvent,
    StepHistory => StepHistory,
    Observe => ObserveRequest,
    TakeClaim => ClaimRequest,
    Claimed => ClaimReply,
    TakeOver => TakeOverRequest,
    TakenOver => TakeOverReply,
    Authority => ReleaseRequest,
    Execute => ExecuteRequest,
    CancelStep => CancelRequest,
    Histories => HistoriesRequest,
    RunHooks => RunHooksRequest,
    SetHalt => SetHaltRequest,
    HaltsNow => SetHaltReply,
    Failure => Failure,
    }
    one way {
    Vec<StepHistory> => HistoriesReply,
    Vec<HookOutcome> => RunHooksReply,
    }
    messages {
    ReleaseReply, CancelReply, SetCatalogueRequest, SetCatalogueReply,
    Document, StatusRequest, PathsRequest, AddPackageRequest, ListPackagesRequest, ShowPackageRequest, RemovePackageRequest,
    CheckRequest, PlanRequest, StartRequest, RunsRequest, ShowRequest, ReportRequest, WatchRequest, PauseRequest, ResumeRequest,
    AbortRequest, RetryRequest, TakeOverClusterRequest, WhyRequest, RolloutFileRequest, RolloutsRequest, RolloutRequest,
    WatchRolloutRequest, AskRolloutRequest, HaltFleetRequest, InventoryRequest, AssignAgentRequest, LeaderRequest,
    ExportRunRequest, PruneRunsRequest, EnrolRequest, EnrolReply, RenewCertificateRequest, CreateTokenRequest, EnrolmentsRequest,
    DecideEnrolmentRequest,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let facts = sample::healthy_facts(NodeUid(1), 3, Timestamp::UNIX_EPOCH);
    let failure = Failure::operator("x", "it does not go", "do something").because("why");
    let mut seeds = vec![
        seed("NodeFacts", &pb::NodeFacts::from(&facts)),
        seed("Failure", &pb::Failure::from(&failure)),
    ];
    // A part of the facts is a valid beginning of nearly every other message: every kind gets one.
    let name = pb::StatusRequest::default().encode_to_vec();
    seeds.extend((0..KINDS.len()).map(|kind| [&[kind as u8][..], &name, b"\x0a\x06orders\x10\x03"].concat()));
    seeds
}

fn seed(kind: &str, message: &impl Message) -> Vec<u8> {
    let number = KINDS.iter().position(|(name, _)| *name == kind).unwrap_or_default();
    [&[number as u8][..], &message.encode_to_vec()].concat()
}

fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let (_, read) = KINDS[usize::from(*kind) % KINDS.len()];
    read(bytes);
}

/// What is taken out of a message and put into one again is the same.
fn both_ways<T, P>(bytes: &[u8])
where
    T: TryFrom<P, Error = WireError> + PartialEq + Debug,
    P: Message + Default + for<'a> From<&'a T>,
{
    let Some(value) = one_way_value::<T, P>(bytes) else { return };
    let sent = P::from(&value).encode_to_vec();
    let again = P::decode(sent.as_slice()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(T::try_from(again).unwrap_or_else(|error| panic!("{error}")), value);
}

fn one_way<T: TryFrom<P, Error = WireError> + Debug, P: Message + Default>(bytes: &[u8]) {
    let _value = one_way_value::<T, P>(bytes);
}

fn one_way_value<T: TryFrom<P, Error = WireError> + Debug, P: Message + Default>(bytes: &[u8]) -> Option<T> {
    let message = P::decode(bytes).ok()?;
    let value = T::try_from(message).ok()?;
    // An empty message in a list is two bytes.
    expect::in_proportion(&value, bytes.len(), 512);
    Some(value)
}

fn message<P: Message + Default + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(message) = P::decode(bytes) else { return };
    expect::in_proportion(&message, bytes.len(), 512);
    let again = P::decode(message.encode_to_vec().as_slice());
    assert!(again.is_ok_and(|again| again == message), "{message:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;

    /// A call that is added has its messages tried, too.
    #[test]
    fn every_message_of_both_services_is_a_kind() {
        let mut looked_at = 0;
        for file in ["agent", "coordinator"] {
            let proto = seeds::file(&format!("proto/proto/ratchet/v1/{file}.proto"));
            for line in expect::text(&proto).lines().filter(|line| line.trim().starts_with("rpc ")) {
                for part in line.split('(').skip(1) {
                    let name = part.split(')').next().unwrap_or_default().trim_start_matches("stream ");
                    assert!(KINDS.iter().any(|(kind, _)| *kind == name), "{name} is not tried: add it to `kinds!`");
                    looked_at += 1;
                }
            }
        }
        assert!(looked_at > 80, "{looked_at}");
    }
}
