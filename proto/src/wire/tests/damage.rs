//! Every required message, oneof and enum number of every message, spoiled one by one: found by the descriptors, so
//! that a field added later is tested too.

use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

use crate::wire::arbitrary;
use crate::wire::{Claimed, Execute, RunHooks, TakenOver, WireError};
use crate::{HookOutcome, NodeFacts, StepEvent, StepHistory, pb};

/// One thing done to a message.
struct Damage {
    /// The message after it.
    message: DynamicMessage,
    /// Where the error must be; `None` if the message is still a good one.
    error_at: Option<String>,
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin")).as_slice()).unwrap()
}

fn reflected(message: &impl Message, name: &str) -> DynamicMessage {
    let descriptor = pool().get_message_by_name(&format!("ratchet.v1.{name}")).unwrap();
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).unwrap()
}

/// A probe's answer is not a step of the path: `facts.view.nodes[2]`, not `facts.view.known.nodes[2]`.
fn path_of(parent: &str, field: &FieldDescriptor) -> String {
    if field.name() == "known" { parent.to_owned() } else { format!("{parent}.{}", field.name()) }
}

fn is_ours(message: &DynamicMessage) -> bool {
    message.descriptor().package_name() == "ratchet.v1"
}

fn damages(message: &DynamicMessage, path: &str) -> Vec<Damage> {
    let fields: Vec<_> = message.descriptor().fields().filter(|field| message.has_field(field)).collect();
    fields.iter().flat_map(|field| damages_of_field(message, field, path)).collect()
}

fn damages_of_field(message: &DynamicMessage, field: &FieldDescriptor, path: &str) -> Vec<Damage> {
    let at = path_of(path, field);
    let mut found = Vec::new();
    let mut with = |value: Option<Value>, error_at: Option<String>| {
        let mut message = message.clone();
        match value {
            Some(value) => message.set_field(field, value),
            None => message.clear_field(field),
        }
        found.push(Damage { message, error_at });
    };
    let in_oneof = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
    let optional = field.supports_presence() && field.field_descriptor_proto().proto3_optional();
    if in_oneof {
        with(None, Some(path.to_owned()));
    } else if optional {
        with(None, None);
    } else if matches!(field.kind(), Kind::Message(_)) && !field.is_list() {
        with(None, Some(at.clone()));
    }
    if matches!(field.kind(), Kind::Enum(_)) {
        with(Some(Value::EnumNumber(99)), Some(at.clone()));
        with(Some(Value::EnumNumber(0)), Some(at.clone()));
    }
    for (value, error_at) in damages_below(&message.get_field(field), &at) {
        with(Some(value), error_at);
    }
    found
}

fn damages_below(value: &Value, at: &str) -> Vec<(Value, Option<String>)> {
    match value {
        Value::Message(inner) if is_ours(inner) => damages(inner, at)
            .into_iter()
            .map(|damage| (Value::Message(damage.message), damage.error_at))
            .collect(),
        Value::List(items) => {
            let of_item = |(index, item): (usize, &Value)| {
                let replaced = move |(item, error_at)| {
                    let mut items = items.clone();
                    items[index] = item;
                    (Value::List(items), error_at)
                };
                damages_below(item, &format!("{at}[{index}]")).into_iter().map(replaced).collect::<Vec<_>>()
            };
            items.iter().enumerate().flat_map(of_item).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns how many damages were tried.
fn every_damage_is_found<T, P>(message: &P, name: &str, root: &str) -> usize
where
    P: Message + Default,
    T: TryFrom<P, Error = WireError>,
{
    let damages = damages(&reflected(message, name), root);
    for damage in &damages {
        let wire = P::decode(damage.message.encode_to_vec().as_slice()).unwrap();
        assert_eq!(T::try_from(wire).err().map(|error| error.path), damage.error_at);
    }
    damages.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn in_facts(facts in arbitrary::node_facts()) {
        let tried = every_damage_is_found::<NodeFacts, pb::NodeFacts>(&(&facts).into(), "NodeFacts", "facts");
        prop_assert!(tried > 40, "{}", tried);
    }

    #[test]
    fn in_events(event in arbitrary::step_event()) {
        let tried = every_damage_is_found::<StepEvent, pb::StepEvent>(&(&event).into(), "StepEvent", "event");
        prop_assert!(tried > 2, "{}", tried);
    }

    #[test]
    fn in_requests(execute in arbitrary::execute()) {
        let wire = pb::ExecuteRequest::from(&execute);
        let tried = every_damage_is_found::<Execute, _>(&wire, "ExecuteRequest", "execute");
        prop_assert!(tried > 2, "{}", tried);
    }

    #[test]
    fn in_answers_about_claims(claimed in arbitrary::claimed(), taken_over in arbitrary::taken_over()) {
        let wire = pb::ClaimReply::from(&claimed);
        let tried = every_damage_is_found::<Claimed, _>(&wire, "ClaimReply", "claimed");
        prop_assert!(tried > 1, "{}", tried);
        let wire = pb::TakeOverReply::from(&taken_over);
        every_damage_is_found::<TakenOver, _>(&wire, "TakeOverReply", "taken_over");
    }

    #[test]
    fn in_hooks(asked in arbitrary::run_hooks(), outcome in arbitrary::hook_outcome()) {
        let wire = pb::RunHooksRequest::from(&asked);
        let tried = every_damage_is_found::<RunHooks, _>(&wire, "RunHooksRequest", "run_hooks");
        prop_assert!(tried > 2, "{}", tried);
        let wire = pb::HookOutcome::from(&outcome);
        let tried = every_damage_is_found::<HookOutcome, _>(&wire, "HookOutcome", "outcome");
        prop_assert!(tried > 2, "{}", tried);
    }

    #[test]
    fn in_histories(history in arbitrary::step_history()) {
        let wire = pb::StepHistory::from(&history);
        let tried = every_damage_is_found::<StepHistory, _>(&wire, "StepHistory", "history");
        prop_assert!(tried > 2, "{}", tried);
    }
}

#[test]
fn an_empty_message_is_never_a_value() {
    assert!(NodeFacts::try_from(pb::NodeFacts::default()).is_err());
    assert!(StepEvent::try_from(pb::StepEvent::default()).is_err());
    assert!(Execute::try_from(pb::ExecuteRequest::default()).is_err());
    assert!(Claimed::try_from(pb::ClaimReply::default()).is_err());
    assert!(TakenOver::try_from(pb::TakeOverReply::default()).is_err());
    assert!(crate::wire::TakeOver::try_from(pb::TakeOverRequest::default()).is_err());
    assert!(crate::wire::Histories::try_from(pb::HistoriesRequest::default()).is_err());
    assert!(StepHistory::try_from(pb::StepHistory::default()).is_err());
    assert!(crate::Authority::try_from(pb::ReleaseRequest::default()).is_err());
    assert!(crate::wire::CancelStep::try_from(pb::CancelRequest::default()).is_err());
    assert!(RunHooks::try_from(pb::RunHooksRequest::default()).is_err());
    assert!(HookOutcome::try_from(pb::HookOutcome::default()).is_err());
    assert!(crate::Failure::try_from(pb::Failure::default()).is_err());
}
