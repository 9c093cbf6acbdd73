//! Leading, journals of rollouts, and the shelf.

use super::*;
use crate::rollout::{Event, Request};

fn rollout(name: &str) -> RolloutName {
    name.parse().unwrap()
}

async fn lead(store: &dyn Store, holder: &str) -> Lead {
    store.lead(holder, Some("10.0.0.7:7444"), Acquire::Seize { above: Epoch(0) }).await.unwrap()
}

pub(super) async fn one_leads_and_others_learn_who_and_where(place: &dyn Opens) {
    let (one, other) = (place.open().await, place.open().await);
    assert_eq!(other.leader().await.unwrap(), None);
    let lead = one.lead("alice", Some("10.0.0.7:7444"), Acquire::IfFree).await.unwrap();
    let address = Some("10.0.0.7:7444".to_owned());
    let leader = Leader { epoch: Epoch(1), holder: "alice".to_owned(), address };
    assert_eq!(other.leader().await.unwrap(), Some(leader));
    let refused = other.lead("bob", None, Acquire::IfFree).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Led { holder } if holder == "alice"), "{refused}");
    // Leading and driving are different things, whatever a cluster is called.
    other.acquire(&cluster("leader"), "bob", Acquire::IfFree).await.unwrap();
    drop(lead);
    let next = loop {
        match other.lead("bob", None, Acquire::IfFree).await {
            Err(StoreError::Led { .. }) => tokio::task::yield_now().await,
            lead => break lead.unwrap(),
        }
    };
    let leader = Leader { epoch: next.epoch, holder: "bob".to_owned(), address: None };
    assert_eq!((next.epoch, one.leader().await.unwrap()), (Epoch(2), Some(leader)));
}

pub(super) async fn who_does_not_lead_any_more_appends_to_no_rollout(place: &dyn Opens) {
    let (hung, other) = (place.open().await, place.open().await);
    let old = lead(&*hung, "alice").await;
    let first = hung.append_rollout(&old, &rollout("june"), 1, at(), &Event::Paused).await.unwrap();
    let new = lead(&*other, "bob").await;
    for name in ["june", "july"] {
        let deposed = hung.append_rollout(&old, &rollout(name), 2, at(), &Event::Paused).await.unwrap_err();
        let latest = LatestDriver { epoch: Epoch(2), holder: "bob".to_owned() };
        assert!(
            matches!(&deposed, StoreError::Deposed { epoch: Epoch(1), latest: Some(by) } if *by == latest),
            "{deposed:?}"
        );
    }
    drop(old);
    assert_eq!(hung.leader().await.unwrap().unwrap().holder, "bob", "the end of the old one frees nothing");
    let second = other.append_rollout(&new, &rollout("june"), 2, at(), &Event::Resumed).await.unwrap();
    assert_eq!(hung.rollout_journal(&rollout("june"), 1).await.unwrap(), [first, second.clone()]);
    assert_eq!(hung.rollout_journal(&rollout("june"), 2).await.unwrap(), [second]);
    assert_eq!(hung.rollouts().await.unwrap(), [rollout("june")]);
    assert_eq!(hung.rollout_journal(&rollout("july"), 1).await.unwrap(), []);
}

pub(super) async fn a_rollout_begins_with_number_one_and_no_number_is_there_twice(place: &dyn Opens) {
    let store = place.open().await;
    let lead = lead(&*store, "alice").await;
    let append = async |seq, event| store.append_rollout(&lead, &rollout("june"), seq, at(), &event).await;
    assert!(append(2, Event::Paused).await.is_err());
    append(1, Event::Paused).await.unwrap();
    assert!(append(1, Event::Paused).await.is_err(), "it is there already");
    append(2, Event::Resumed).await.unwrap();
    assert!(append(2, Event::Resumed).await.is_err());
    assert_eq!(store.rollout_journal(&rollout("june"), 1).await.unwrap().len(), 2);
}

pub(super) async fn requests_for_a_rollout_need_no_rollout_and_keep_their_order(place: &dyn Opens) {
    let (one, other) = (place.open().await, place.open().await);
    one.ask_rollout(&rollout("june"), &Request::Approve { wave: 2 }, "bob", at()).await.unwrap();
    other.ask_rollout(&rollout("july"), &Request::Abort, "bob", at()).await.unwrap();
    other.ask_rollout(&rollout("june"), &Request::Pause, "carol", at()).await.unwrap();
    let all = other.rollout_requests(&rollout("june"), 0).await.unwrap();
    let asked: Vec<_> = all.iter().map(|asked| (asked.request.clone(), asked.by.as_str())).collect();
    assert_eq!(asked, [(Request::Approve { wave: 2 }, "bob"), (Request::Pause, "carol")]);
    assert_eq!(one.rollout_requests(&rollout("june"), all[0].number).await.unwrap(), all[1..]);
}

/// A reader who has seen a number never misses a lower one.
pub(super) async fn requests_become_visible_in_the_order_of_their_numbers(place: &dyn Opens) {
    let stores = [place.open().await, place.open().await, place.open().await];
    let asking = async {
        let asks = (0..30).map(|number| {
            let store = &stores[number % 2];
            async move { store.ask_rollout(&rollout("june"), &Request::Pause, "bob", at()).await.unwrap() }
        });
        futures::future::join_all(asks).await
    };
    let reading = async {
        let mut seen = Vec::new();
        while seen.len() < 30 {
            let above = seen.last().copied().unwrap_or(0);
            let new = stores[2].rollout_requests(&rollout("june"), above).await.unwrap();
            seen.extend(new.iter().map(|asked| asked.number));
        }
        seen
    };
    let both = async { futures::future::join(asking, reading).await };
    let patience = std::time::Duration::from_secs(60);
    let (mut asked, seen) = tokio::time::timeout(patience, both).await.expect("a request was missed");
    asked.sort_unstable();
    assert_eq!(asked, seen);
}

pub(super) async fn a_shelf_keeps_documents_by_name(place: &dyn Opens) {
    let store = place.open().await;
    store.put(Shelf::Notice, "b", "1").await.unwrap();
    store.put(Shelf::Notice, "b", "2").await.unwrap();
    store.put(Shelf::Agent, "b", "another shelf").await.unwrap();
    assert!(store.put_new(Shelf::Notice, "a-z", "first").await.unwrap());
    assert!(!store.put_new(Shelf::Notice, "a-z", "second").await.unwrap());
    store.put(Shelf::Notice, "B", "capital").await.unwrap();
    let all = place.open().await.shelved(Shelf::Notice).await.unwrap();
    let told: Vec<_> = all.iter().map(|(key, body)| (key.as_str(), body.as_str())).collect();
    assert_eq!(told, [("B", "capital"), ("a-z", "first"), ("b", "2")]);
    assert!(store.take_off(Shelf::Notice, "b").await.unwrap());
    assert!(!store.take_off(Shelf::Notice, "b").await.unwrap());
    assert_eq!(store.shelved(Shelf::Agent).await.unwrap().len(), 1);
    assert!(store.put_new(Shelf::Notice, "b", "again").await.unwrap());
}
