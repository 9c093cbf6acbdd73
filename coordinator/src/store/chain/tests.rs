use super::*;
use proptest::prelude::*;
use proto::Epoch;

const AT: &str = "2026-06-01T12:00:00Z";

fn run(name: &str) -> RunId {
    name.parse().unwrap()
}

fn event(seq: u64) -> StoredEvent {
    let (kind, body) = (Some("paused".to_owned()), "\"paused\"".to_owned());
    StoredEvent { seq, epoch: Epoch(7), at: AT.to_owned(), kind, format: 4, body, chain: String::new() }
}

fn claimed(seq: u64) -> StoredEvent {
    let body = format!("{{\"claimed\":{{\"node\":{seq},\"memory\":null}}}}");
    StoredEvent { kind: Some("claimed".to_owned()), body, ..event(seq) }
}

fn journal(count: u64) -> Vec<StoredEvent> {
    Owner::run(&run("r1")).linked((1..=count).map(claimed).collect())
}

fn misfit(events: &[StoredEvent]) -> u64 {
    verify(Owner::run(&run("r1")), events).expect_err("it does not fit").seq
}

/// Computed by another program, in another language: what is covered, and in which order, is a format.
#[test]
fn the_chain_is_what_it_is_documented_to_be() {
    let linked = Owner::run(&run("r1")).linked(vec![event(1), event(2)]);
    let chains: Vec<&str> = linked.iter().map(|event| event.chain.as_str()).collect();
    assert_eq!(
        chains,
        [
            "8afe4aac57e890f468822171dbeaf60308d96c8ca9b3f1461fe0b69dd2b221e6",
            "6d65652469416001f91a560b9baf8733abf86fde6f8bf9dc7397d58b36e7bb1d",
        ]
    );
}

#[test]
fn a_journal_that_was_left_alone_is_proved_to_its_head() {
    let events = journal(5);
    let proof = verify(Owner::run(&run("r1")), &events).unwrap();
    assert_eq!((proof.events, proof.unchained, proof.remarks.len()), (5, 0, 0));
    assert_eq!(proof.head.unwrap().digest.to_string(), events[4].chain);
}

#[test]
fn no_event_of_one_journal_is_one_of_another() {
    let events = journal(2);
    assert_eq!(verify(Owner::run(&run("r2")), &events).unwrap_err().seq, 1);
    let rollout: RolloutName = "r1".parse().unwrap();
    assert_eq!(verify(Owner::rollout(&rollout), &events).unwrap_err().seq, 1);
}

#[test]
fn what_is_missing_doubled_or_in_another_order_is_named() {
    let events = journal(5);
    for gone in 0..4 {
        let mut left = events.clone();
        left.remove(gone);
        assert_eq!(misfit(&left), gone as u64 + 1, "it is not there");
        // Numbers that were made to fit again do not help.
        left.iter_mut().zip(1..).for_each(|(event, seq)| event.seq = seq);
        assert_eq!(misfit(&left), gone as u64 + 1);
    }
    for first in 0..4 {
        let mut swapped = events.clone();
        swapped.swap(first, first + 1);
        assert!([first as u64 + 1, first as u64 + 2].contains(&misfit(&swapped)));
        swapped.iter_mut().zip(1..).for_each(|(event, seq)| event.seq = seq);
        assert_eq!(misfit(&swapped), first as u64 + 1);
    }
    let mut doubled = events.clone();
    doubled.insert(2, events[1].clone());
    assert_eq!(misfit(&doubled), 2);
    assert_eq!(misfit(&[]), 1, "an empty journal proves nothing");
}

#[test]
fn epochs_never_go_back_and_a_clock_that_did_is_only_noted() {
    let owner = run("r1");
    let at = |event: StoredEvent, at: &str| StoredEvent { at: at.to_owned(), ..event };
    let set_back = vec![claimed(1), at(claimed(2), "2026-06-01T11:59:59Z"), claimed(3)];
    let set_back = Owner::run(&owner).linked(set_back);
    let proof = verify(Owner::run(&owner), &set_back).unwrap();
    assert_eq!(proof.remarks, ["event 2 is dated before event 1: the clock was set back"]);
    let fenced = vec![claimed(1), StoredEvent { epoch: Epoch(6), ..claimed(2) }, claimed(3)];
    assert_eq!(misfit(&Owner::run(&owner).linked(fenced)), 2, "a chain that was made anew does not hide it");
}

/// Old events are in no chain; the rest is proved. Nobody can pass a new one off as old.
#[test]
fn only_the_first_events_may_be_in_no_chain() {
    let owner = run("r1");
    let mut events: Vec<StoredEvent> = (1..=3).map(claimed).collect();
    let proof = verify(Owner::run(&owner), &events).unwrap();
    assert_eq!((proof.unchained, proof.head), (3, None));
    let rest = Owner::run(&owner).linked((4..=6).map(claimed).collect());
    events.extend(rest);
    let proof = verify(Owner::run(&owner), &events).unwrap();
    assert_eq!((proof.events, proof.unchained, proof.head.unwrap().seq), (6, 3, 6));
    for stripped in 3..6 {
        let mut events = events.clone();
        events[stripped].chain.clear();
        // The first one of the chain takes the next with it, which then has nothing to go on from.
        let expected = if stripped == 3 { 5 } else { stripped as u64 + 1 };
        assert_eq!(misfit(&events), expected);
    }
}

#[test]
fn a_kind_that_is_not_the_bodys_and_a_body_that_is_no_event_are_named() {
    let spoilt = |change: fn(&mut StoredEvent)| {
        let mut events: Vec<StoredEvent> = (1..=3).map(claimed).collect();
        change(&mut events[1]);
        misfit(&Owner::run(&run("r1")).linked(events))
    };
    assert_eq!(spoilt(|event| event.kind = Some("ended".to_owned())), 2);
    assert_eq!(spoilt(|event| event.body = "{}".to_owned()), 2);
    assert_eq!(spoilt(|event| event.body = "[1]".to_owned()), 2);
    assert_eq!(spoilt(|event| event.body.truncate(5)), 2);
    assert_eq!(spoilt(|event| event.at = "yesterday".to_owned()), 2);
}

/// Nothing is moved from one part of an event to the next.
#[test]
fn the_parts_of_an_event_are_kept_apart() {
    let owner = run("r1");
    let one = StoredEvent { at: "ab".to_owned(), body: "c".to_owned(), ..event(1) };
    let other = StoredEvent { at: "a".to_owned(), body: "bc".to_owned(), ..event(1) };
    assert_ne!(Owner::run(&owner).link(None, &one), Owner::run(&owner).link(None, &other));
}

proptest! {
    /// One byte of one event, wherever it is.
    #[test]
    fn no_byte_can_be_changed(at in 0..6_usize, column in 0..3, place in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut events = journal(6);
        let text = match column {
            0 => &mut events[at].at,
            1 => &mut events[at].body,
            _ => &mut events[at].chain,
        };
        let mut bytes = text.clone().into_bytes();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != to);
        bytes[place] = to;
        *text = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert_eq!(misfit(&events), at as u64 + 1);
    }

    #[test]
    fn no_number_can_be_changed(at in 0..6_usize, epoch in any::<u64>(), format in any::<i64>()) {
        let mut events = journal(6);
        prop_assume!(events[at].epoch.0 != epoch || events[at].format != format);
        (events[at].epoch, events[at].format) = (Epoch(epoch), format);
        prop_assert_eq!(misfit(&events), at as u64 + 1);
    }
}
