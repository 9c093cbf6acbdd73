//! What is sent is what arrives.

use proptest::prelude::*;
use prost::Message;

use super::sent;
use crate::wire::arbitrary;
use crate::{Authority, Claim, NodeFacts, StepEvent, pb};

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
    package: Package;
}

proptest! {
    #[test]
    fn wrapped_claims_and_authorities(claim in arbitrary::claim(), authority in arbitrary::authority()) {
        prop_assert_eq!(sent::<Claim, pb::ClaimReply>(&claim), Ok(claim));
        prop_assert_eq!(sent::<Authority, pb::ReleaseRequest>(&authority), Ok(authority));
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
