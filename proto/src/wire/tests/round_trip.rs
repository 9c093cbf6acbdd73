//! What is sent is what arrives.

use proptest::prelude::*;
use prost::Message;

use super::sent;
use crate::wire::arbitrary;
use crate::{Authority, HookOutcome, NodeFacts, StepEvent, StepHistory, pb};

macro_rules! arrives_as_it_was_sent {
    ($($name:ident: $message:ident;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(128))]
            $(#[test]
            fn $name(value in arbitrary::$name()) {
                prop_assert_eq!(sent::<_, pb::$message>(&value), Ok(value));
            })*
        }
    };
}

arrives_as_it_was_sent! {
    node_facts: NodeFacts;
    cluster_view: ClusterView;
    step_event: StepEvent;
    step_spec: StepSpec;
    failure: Failure;
    claim: Claim;
    authority: Authority;
    execute: ExecuteRequest;
    take_claim: ClaimRequest;
    cancel_step: CancelRequest;
    observe: ObserveRequest;
    claimed: ClaimReply;
    set_halt: SetHaltRequest;
    halts_now: SetHaltReply;
    take_over: TakeOverRequest;
    taken_over: TakeOverReply;
    histories: HistoriesRequest;
    step_history: StepHistory;
    package: Package;
    run_hooks: RunHooksRequest;
    hook_outcome: HookOutcome;
}

proptest! {
    #[test]
    fn outcomes_of_hooks(outcomes in prop::collection::vec(arbitrary::hook_outcome(), 0..3)) {
        let wire = pb::RunHooksReply::from(outcomes.as_slice()).encode_to_vec();
        let reply = pb::RunHooksReply::decode(wire.as_slice()).unwrap();
        prop_assert_eq!(Vec::<HookOutcome>::try_from(reply), Ok(outcomes));
    }

    #[test]
    fn wrapped_authorities_and_histories(
        authority in arbitrary::authority(), steps in prop::collection::vec(arbitrary::step_history(), 0..3),
    ) {
        prop_assert_eq!(sent::<Authority, pb::ReleaseRequest>(&authority), Ok(authority));
        let wire = pb::HistoriesReply::from(steps.as_slice()).encode_to_vec();
        let reply = pb::HistoriesReply::decode(wire.as_slice()).unwrap();
        prop_assert_eq!(Vec::<StepHistory>::try_from(reply), Ok(steps));
    }

    #[test]
    fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        understand_or_refuse(&bytes);
    }

    #[test]
    fn damaged_bytes_never_panic(
        facts in arbitrary::node_facts(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = pb::NodeFacts::from(&facts).encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        understand_or_refuse(&bytes);
    }
}

/// Whatever is understood must also survive being sent on.
fn understand_or_refuse(bytes: &[u8]) {
    if let Some(facts) = pb::NodeFacts::decode(bytes).ok().and_then(|wire| NodeFacts::try_from(wire).ok()) {
        assert_eq!(sent::<_, pb::NodeFacts>(&facts), Ok(facts));
    }
    if let Some(event) = pb::StepEvent::decode(bytes).ok().and_then(|wire| StepEvent::try_from(wire).ok()) {
        assert_eq!(sent::<_, pb::StepEvent>(&event), Ok(event));
    }
}
