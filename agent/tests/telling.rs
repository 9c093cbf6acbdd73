//! What an agent tells of a step that it carries out: over `/metrics`, and in its log.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use agent::config::Config;
use agent::durable::Disk;
use agent::executor::Executor;
use agent::metrics;
use agent::serve;
use agent::state::StateDir;
use common::Place;
use proto::*;
use tokio::net::TcpListener;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

type Fields = BTreeMap<String, String>;

/// Keeps every event with its own fields and those of the spans it is in, as the journal gets them.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Fields>>>);

struct Into<'a>(&'a mut Fields);

impl Visit for Into<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Capture {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Into(&mut fields));
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new();
        for span in context.event_scope(event).into_iter().flatten() {
            fields.extend(span.extensions().get::<Fields>().cloned().unwrap_or_default());
        }
        event.record(&mut Into(&mut fields));
        self.0.lock().unwrap().push(fields);
    }
}

fn step() -> StepId {
    StepId::of(&"r1".parse().unwrap(), 0, NodeUid(3), StepKind::Fetch, 1)
}

/// An agent in this process that has fetched a package for run `r1` at epoch 4.
async fn has_fetched(place: &Place) -> Executor {
    let config = Config::load(&place.path("agent.toml")).unwrap();
    let state = StateDir::create(&config.state_dir, &Disk::real()).unwrap();
    let executor = Executor::open(serve::door(config, state)).unwrap();
    let authority = Authority { run: "r1".parse().unwrap(), epoch: Epoch(4) };
    let claim = Claim {
        run: authority.run.clone(),
        cluster: "orders".parse().unwrap(),
        epoch: authority.epoch,
        holder: "test".to_owned(),
        since: jiff::Timestamp::UNIX_EPOCH,
    };
    executor.claim(claim).await.unwrap();
    let fetch = StepSpec::Fetch { package: place.package("exit 1"), rate_limit: None };
    let history = executor.execute(authority, step(), fetch, false).await.unwrap();
    let mut news = history.subscribe();
    while !history.has_ended() {
        news.changed().await.unwrap();
    }
    executor
}

#[tokio::test]
async fn steps_and_the_claim_are_told_to_whoever_asks() {
    let place = Place::new();
    let executor = has_fetched(&place).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let telling = tokio::spawn(metrics::tell(listener, executor));
    let text = reqwest::get(format!("http://{at}/metrics")).await.unwrap().text().await.unwrap();
    for line in [
        "ratchet_agent_steps_total{kind=\"fetch\",outcome=\"completed\"} 1",
        "ratchet_agent_step_seconds_count{kind=\"fetch\"} 1",
        "ratchet_agent_step_running{kind=\"fetch\"} 0",
        "ratchet_agent_claimed 1",
        "ratchet_agent_epoch 4",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
    assert_eq!(reqwest::get(format!("http://{at}/")).await.unwrap().status(), 404);
    telling.abort();
}

#[tokio::test]
async fn every_line_about_a_step_says_which_run_step_node_and_epoch() {
    let capture = Capture::default();
    // For all threads: steps are admitted on one that waits for the disk.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(capture.clone())).unwrap();
    let place = Place::new();
    has_fetched(&place).await;
    let all = capture.0.lock().unwrap().clone();
    let of_step = all.iter().filter(|fields| fields.contains_key("kind"));
    let mut messages = Vec::new();
    for fields in of_step {
        let field = |name: &str| fields.get(name).map(String::as_str);
        let ids = (field("run"), field("step"), field("node"), field("epoch"));
        assert_eq!(ids, (Some("r1"), Some(step().as_str()), Some("3"), Some("4")), "{fields:?}");
        messages.push(field("message").unwrap().to_owned());
    }
    for message in ["the step is at work", "the step has ended"] {
        assert!(messages.iter().any(|told| told == message), "{message} is not among {messages:?}");
        let told = all.iter().filter(|fields| fields.get("message").is_some_and(|told| told == message));
        assert!(told.into_iter().all(|fields| fields.contains_key("run")));
    }
}
