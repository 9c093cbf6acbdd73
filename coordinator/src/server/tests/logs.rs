//! Every line that is logged on behalf of a run says which run it is.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::drivers::told;
use super::stage::{Stage, begun, id, name};
use crate::store::{Acquire, Store};

pub(super) type Fields = BTreeMap<String, String>;

/// Keeps every event with its own fields and those of the spans it is in, as the journal gets them.
#[derive(Clone, Default)]
pub(super) struct Capture(pub(super) Arc<Mutex<Vec<Fields>>>);

struct Into<'a>(&'a mut Fields);

impl Visit for Into<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
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
        fields.insert("target".to_owned(), event.metadata().target().to_owned());
        self.0.lock().unwrap().push(fields);
    }
}

#[tokio::test]
async fn every_event_while_a_run_is_driven_carries_its_run_cluster_and_epoch() {
    let capture = Capture::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(capture.clone()));
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    let lease = store.acquire(&name("orders"), "bob@ops1", Acquire::IfFree).await.unwrap();
    let core = stage.core().await;
    capture.0.lock().unwrap().clear();
    let driving = core.spawn(lease, id("r1"), Vec::new()).await.unwrap();
    told(&core, &mut core.watching(id("r1"), 1)).await;
    driving.await.unwrap();
    let all = capture.0.lock().unwrap().clone();
    let ours: Vec<&Fields> =
        all.iter().filter(|fields| fields["target"].starts_with("coordinator")).collect();
    assert!(!ours.is_empty(), "nothing was logged: {all:?}");
    let head = store.verbatim(&id("r1")).await.unwrap().pop().unwrap();
    let ends = ours.iter().filter(|fields| fields.contains_key("phase"));
    let told: Vec<_> = ends.map(|fields| (&*fields["seq"], fields["digest"].trim_matches('"'))).collect();
    assert_eq!(
        told,
        [(&*head.seq.to_string(), &*head.chain)],
        "the end of the chain is told at the end of the run"
    );
    for fields in &ours {
        let field = |name: &str| fields.get(name).map(String::as_str);
        assert_eq!(
            (field("run"), field("cluster"), field("epoch")),
            (Some("r1"), Some("orders"), Some("2")),
            "{fields:?}"
        );
    }
}
