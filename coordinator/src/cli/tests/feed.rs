//! A served coordinator that goes away and comes back.

use std::sync::Arc;

use tonic::Status;

use super::fake::{Fake, Scene, wire};
use crate::cli::client::Client;
use crate::cli::follow::feed::{Feed, Item};
use crate::cli::render::sample;
use crate::documents::{RunDocument, WatchDocument};

fn news(run: RunDocument, seq: u64) -> Scene {
    let events = vec![sample::event(seq, None, "something")];
    Scene::Tell(wire(&WatchDocument { schema: "ratchet.watch/1".to_owned(), events, run }))
}

async fn kinds(feed: &mut Feed) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    loop {
        kinds.push(match feed.next().await {
            Ok(Item::News(_)) => "news",
            Ok(Item::Lost(_)) => "lost",
            Ok(Item::Over) => "over",
            Err(_) => "error",
        });
        if matches!(kinds.last(), Some(&"over" | &"error")) {
            return kinds;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_joined_again_where_it_was() {
    let fake = Arc::new(Fake::default());
    fake.watched(vec![news(sample::run(), 7), Scene::Break(Status::unavailable("restarting"))]);
    fake.watched(vec![news(sample::run(), 8)]);
    fake.watched(vec![news(sample::done(), 9)]);
    let mut feed = Feed::new(Client::new(fake.channel()), "orders-1", 1, true);
    assert_eq!(kinds(&mut feed).await, ["news", "lost", "news", "lost", "news", "over"]);
    let from: Vec<bool> = fake
        .asked()
        .iter()
        .zip([1, 8, 9])
        .map(|(asked, seq)| asked.contains(&format!("from_seq: {seq} ")))
        .collect();
    assert_eq!(from, [true, true, true], "{:?}", fake.asked());
}

#[tokio::test(start_paused = true)]
async fn one_that_stays_away_is_given_up() {
    let fake = Arc::new(Fake::default());
    let mut feed = Feed::new(Client::new(fake.channel()), "orders-1", 1, true);
    assert_eq!(kinds(&mut feed).await, ["lost", "error"]);
    assert!(fake.asked().len() > 60, "{}", fake.asked().len());
}

#[tokio::test]
async fn an_embedded_one_does_not_come_back() {
    let fake = Arc::new(Fake::default());
    let mut feed = Feed::new(Client::new(fake.channel()), "orders-1", 1, false);
    assert_eq!(kinds(&mut feed).await, ["error"]);
}

#[tokio::test]
async fn a_call_that_is_dropped_opens_no_second_stream() {
    let fake = Arc::new(Fake::default());
    fake.watched(vec![news(sample::done(), 1)]);
    let mut feed = Feed::new(Client::new(fake.channel()), "orders-1", 1, false);
    for _ in 0..50 {
        let dropped = futures::poll!(std::pin::pin!(feed.next()));
        if dropped.is_ready() {
            break;
        }
        tokio::task::yield_now().await;
    }
    let _rest = kinds(&mut feed).await;
    assert_eq!(fake.asked().len(), 1, "{:?}", fake.asked());
}
