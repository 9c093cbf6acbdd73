//! Chains of journals in a store, and hands that change what is in it.

use super::formats::{old_run, version_3};
use super::*;
use crate::documents::{VerificationDocument, VerificationOutcome};
use crate::rollout;

/// A run of five events on the embedded store.
async fn written(place: &Place) -> SqliteStore {
    let store = place.open().await;
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    for seq in 2..=5 {
        store.append(&lease, &run("r1"), seq, at(), &event(seq as u32)).await.unwrap();
    }
    store
}

async fn misfit(store: &dyn Store) -> Option<u64> {
    let events = store.verbatim(&run("r1")).await.unwrap();
    chain::verify(Owner::run(&run("r1")), &events).err().map(|misfit| misfit.seq)
}

/// Every column of every event, by hand.
#[tokio::test]
async fn a_changed_column_of_an_event_names_that_event() {
    let columns = [
        "epoch = epoch + 1",
        "at = replace(at, '2026', '2025')",
        "at = replace(at, 'Z', '.000Z')",
        "kind = 'ended'",
        "body = replace(body, 'null', 'NULL')",
        "body = body || ' '",
        "format = 3",
        "chain = replace(chain, substr(chain, 9, 1), 'x')",
        "chain = upper(chain) || ' '",
    ];
    for change in columns {
        for seq in 1..=5 {
            let place = Place::new();
            let store = written(&place).await;
            assert_eq!(misfit(&store).await, None);
            store.sql(&format!("UPDATE event SET {change} WHERE seq = {seq}")).await;
            assert_eq!(misfit(&store).await, Some(seq), "{change} of event {seq}");
        }
    }
}

#[tokio::test]
async fn what_is_taken_out_swapped_or_put_in_is_named() {
    for (change, seq) in [
        ("DELETE FROM event WHERE seq = 3", Some(3)),
        ("DELETE FROM event WHERE seq = 3; UPDATE event SET seq = seq - 1 WHERE seq > 3", Some(3)),
        (
            "UPDATE event SET seq = 9 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 3; UPDATE event SET seq = 3 \
          WHERE seq = 9",
            Some(2),
        ),
        (
            "INSERT INTO event (run, seq, epoch, at, kind, body, format) SELECT run, 6, epoch, at, kind, body, format \
          FROM event WHERE seq = 5",
            Some(6),
        ),
        (
            "INSERT INTO event (run, seq, epoch, at, kind, body, format, chain) SELECT run, 6, epoch, at, kind, body, \
          format, chain FROM event WHERE seq = 5",
            Some(6),
        ),
        // Only whoever keeps the head elsewhere sees that.
        ("DELETE FROM event WHERE seq > 3", None),
    ] {
        let place = Place::new();
        let store = written(&place).await;
        store.sql(change).await;
        assert_eq!(misfit(&store).await, seq, "{change}");
    }
}

/// Whoever can write to the store can make the whole chain anew; not so that it leads to a head that is kept elsewhere.
#[tokio::test]
async fn a_chain_that_was_made_anew_does_not_lead_to_the_head_that_was_kept() {
    let place = Place::new();
    let store = written(&place).await;
    let events = store.verbatim(&run("r1")).await.unwrap();
    let [kept, earlier] = [4, 2].map(|at| events[at].chain.parse().unwrap());
    let compared = |events: &[StoredEvent], kept| {
        VerificationDocument::of_chain(Owner::run(&run("r1")), events).led_through(kept, events)
    };
    for kept in [&kept, &earlier] {
        let document = compared(&events, kept);
        assert_eq!((document.outcome, document.leads_through), (VerificationOutcome::Whole, Some(true)));
    }
    let forged =
        events.iter().map(|event| StoredEvent { body: event.body.replace('4', "9"), ..event.clone() });
    let forged = Owner::run(&run("r1")).linked(forged.collect());
    let document = compared(&forged, &kept);
    assert_eq!(
        (document.outcome, document.exit_code),
        (VerificationOutcome::Broken, 4),
        "{}",
        document.summary
    );
    assert_eq!(compared(&forged, &earlier).exit_code, 0, "nothing before event 4 was changed");
    assert_eq!(compared(&events[..3], &kept).exit_code, 4, "events were taken away at the end");
}

/// Nothing goes on from a past that is not the one that was written.
#[tokio::test]
async fn a_writer_notices_that_the_past_was_changed_under_its_hands() {
    for change in ["UPDATE event SET chain = '' WHERE seq = 2", "DELETE FROM event WHERE seq = 2"] {
        let place = Place::new();
        let store = place.open().await;
        let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
        store.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
        store.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
        store.sql(change).await;
        let refused = store.append(&lease, &run("r1"), 3, at(), &event(3)).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Damaged(why) if why.contains("event 2 of r1")), "{refused}");
        assert_eq!(proto::Failure::from(refused).id, "store-damaged");
    }
}

/// Events of an older version stay as they are, and what comes after them is chained.
#[tokio::test]
async fn a_store_of_version_three_goes_on_with_chains() {
    let place = Place::new();
    version_3(&place).await;
    let store = place.open().await;
    let old = old_run();
    let lease = store.acquire(&cluster("orders"), "alice", Acquire::IfFree).await.unwrap();
    for seq in 47..=48 {
        store.append(&lease, &old, seq, at(), &event(1)).await.unwrap();
    }
    let events = store.verbatim(&old).await.unwrap();
    let proof = chain::verify(Owner::run(&old), &events).unwrap();
    assert_eq!((proof.events, proof.unchained, proof.head.unwrap().seq), (48, 46, 48));
    let document = VerificationDocument::of_chain(Owner::run(&old), &events);
    assert_eq!((document.outcome, document.exit_code), (VerificationOutcome::Partly, 0));
    assert!(
        document.summary.starts_with("events 1–46 were written before journals were chained"),
        "{document:?}"
    );
    let first = VerificationDocument::of_run(&old, &events[..46]);
    assert_eq!((first.outcome, first.exit_code), (VerificationOutcome::Unproved, 4), "{}", first.summary);
    store.sql("UPDATE event SET chain = '' WHERE seq = 47").await;
    let events = store.verbatim(&old).await.unwrap();
    assert_eq!(
        chain::verify(Owner::run(&old), &events).unwrap_err().seq,
        48,
        "nobody passes a new event off as old"
    );
    assert!(store.packages().await.unwrap().iter().all(|package| package.added_by.is_empty()));
}

/// On both engines, over several turns at driving and at leading.
pub(super) async fn every_writer_goes_on_from_the_one_before(place: &dyn Opens) {
    let (one, other) = (place.open().await, place.open().await);
    let how = Acquire::Seize { above: Epoch(0) };
    let lease = one.acquire(&cluster("orders"), "alice", how).await.unwrap();
    one.create(&lease, &run("r1"), at(), &event(1)).await.unwrap();
    one.append(&lease, &run("r1"), 2, at(), &event(2)).await.unwrap();
    let next = other.acquire(&cluster("orders"), "bob", how).await.unwrap();
    other.append(&next, &run("r1"), 3, at(), &event(3)).await.unwrap();
    other.append(&next, &run("r1"), 4, at(), &event(4)).await.unwrap();
    let fenced = one.append(&lease, &run("r1"), 3, at(), &event(3)).await.unwrap_err();
    assert!(matches!(fenced, StoreError::Fenced { .. }), "{fenced}");
    let gap = other.append(&next, &run("r1"), 6, at(), &event(3)).await.unwrap_err();
    assert!(matches!(gap, StoreError::Damaged(_)), "a gap is refused: {gap}");
    assert_eq!(misfit(&*one).await, None);
    let june: RolloutName = "june".parse().unwrap();
    let lead = one.lead("alice", None, how).await.unwrap();
    for seq in 1..=3 {
        one.append_rollout(&lead, &june, seq, at(), &rollout::Event::Paused).await.unwrap();
    }
    let events = other.verbatim_rollout(&june).await.unwrap();
    let proof = chain::verify(Owner::rollout(&june), &events).unwrap();
    assert_eq!((proof.events, proof.unchained), (3, 0));
}
