use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use proto::Failure;
use proto::wire::status_of;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use super::*;

type Fields = BTreeMap<String, String>;

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<Fields>>>);

struct Into<'a>(&'a mut Fields);

impl Visit for Into<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Into(&mut fields));
        self.0.lock().unwrap().push(fields);
    }
}

/// The one line that is written while something is done.
fn line(of: impl FnOnce()) -> Fields {
    let capture = Capture::default();
    let subscriber = tracing_subscriber::registry().with(capture.clone());
    tracing::subscriber::with_default(subscriber, of);
    let lines = capture.0.lock().unwrap();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    line.clone()
}

fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(Caller::Known("spiffe://prod/coordinator/c1".parse().unwrap()));
    request
}

fn execute(run: &str, step: &str) -> Request<pb::ExecuteRequest> {
    let authority = Some(pb::Authority { run: run.to_owned(), epoch: 7 });
    request(pb::ExecuteRequest { authority, step: step.to_owned(), ..pb::ExecuteRequest::default() })
}

#[test]
fn an_order_is_told_with_who_gave_it_and_what_came_of_it() {
    let told = line(|| Audit::of("Execute", &execute("r1", "r1.h0.n3.install.a1")).told(Ok(())).unwrap());
    for (field, value) in [
        ("caller", "spiffe://prod/coordinator/c1"),
        ("call", "Execute"),
        ("run", "r1"),
        ("step", "r1.h0.n3.install.a1"),
        ("outcome", "done"),
    ] {
        assert_eq!(told[field], value, "{told:?}");
    }
}

#[test]
fn an_order_that_is_refused_is_told_with_the_reason() {
    let failure = Failure::operator("stale-epoch", "epoch 6 is superseded", "stop");
    let refused = || Err::<(), _>(status_of(&failure, Code::PermissionDenied));
    let claim = pb::ClaimRequest { run: "r1".to_owned(), ..pb::ClaimRequest::default() };
    let told = line(|| drop(Audit::of("Claim", &request(claim)).told(refused())));
    assert_eq!((told["outcome"].as_str(), told["run"].as_str()), ("refused", "r1"));
    assert!(told["reason"].contains("epoch 6 is superseded"), "{told:?}");
    let failed = Err::<(), _>(status_of(&Failure::bug("no room"), Code::Internal));
    let told = line(|| drop(Audit::of("SetHalt", &request(pb::SetHaltRequest::default())).told(failed)));
    assert_eq!(told["outcome"], "failed");
}

/// A log is read by people and programs: no line of it is written by whoever calls.
#[test]
fn nothing_that_is_no_name_gets_into_the_log() {
    for spoilt in ["r1\nordered caller=root", "", "../../etc", &"r".repeat(5000), "\u{1b}[2J"] {
        let told = line(|| Audit::of("Execute", &execute(spoilt, spoilt)).told(Ok(())).unwrap());
        assert_eq!((told["run"].as_str(), told["step"].as_str()), ("", ""), "{spoilt:?}");
    }
}

#[test]
fn a_caller_that_goes_away_in_the_middle_has_asked_all_the_same() {
    let told = line(|| drop(Audit::of("Execute", &execute("r1", "r1.h0.n3.install.a1"))));
    assert_eq!((told["outcome"].as_str(), told["call"].as_str()), ("unheard", "Execute"));
    let anonymous = Request::new(pb::ReleaseRequest::default());
    let told = line(|| Audit::of("Release", &anonymous).told(Ok(())).unwrap());
    assert_eq!(told["caller"], "somebody without a certificate");
}
