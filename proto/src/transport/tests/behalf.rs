//! Requests that one coordinator passes on to another: the one who asked is judged, and nobody else may speak for others.

use tonic::metadata::MetadataMap;

use super::super::keyring::Keyring;
use super::raw::{Fate, called, client, fate, serve_all};
use super::stand::Authority;
use crate::Caller;
use crate::transport::{Door, Limits, on_behalf_of};

const START: &str = "/ratchet.v1.Coordinator/Start";
const STATUS: &str = "/ratchet.v1.Coordinator/Status";
const ENROL: &str = "/ratchet.v1.Coordinator/Enrol";

fn said(text: &str) -> MetadataMap {
    let mut metadata = MetadataMap::new();
    metadata.insert("ratchet-on-behalf-of", text.parse().unwrap());
    metadata
}

#[tokio::test]
async fn who_asked_is_judged_and_believed_of_coordinators_only() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let issue = |who: &str| authority.issue(dir.path(), who, &["localhost"]);
    let leader = issue("coordinator/leader");
    let port = serve_all(Some(Keyring::of(&leader).unwrap()), Door::Coordinator, Limits::COORDINATOR).await;
    let ask = async |who: &str, path, metadata| {
        fate(called(client(port, &leader, Some(&issue(who))), path, metadata).await)
    };
    let denied = |id: &str| Fate::Denied(id.to_owned());
    let (ann, vic) = ("spiffe://prod/operator/ann", "spiffe://prod/viewer/vic");
    let standby = "coordinator/standby";
    assert_eq!(ask(standby, START, said(ann)).await, Fate::Reached(ann.to_owned()));
    assert_eq!(ask(standby, STATUS, said(vic)).await, Fate::Reached(vic.to_owned()));
    assert_eq!(ask(standby, START, said(vic)).await, denied("not-allowed"));
    assert_eq!(ask(standby, ENROL, said("anonymous")).await, Fate::Reached(Caller::Anonymous.to_string()));
    assert_eq!(ask(standby, STATUS, said("anonymous")).await, denied("not-allowed"));
    for wrong in ["", "ann", "spiffe://prod/root/ann", "spiffe://prod/coordinator/standby"] {
        assert_eq!(ask(standby, START, said(wrong)).await, denied("not-allowed"), "{wrong}");
    }
    assert_eq!(ask(standby, START, said("spiffe://other/operator/ann")).await, denied("other-fleet"));
    let mut two = said(ann);
    two.append("ratchet-on-behalf-of", vic.parse().unwrap());
    assert_eq!(ask(standby, START, two).await, denied("not-allowed"));
    // Under its own name a coordinator may do nothing here.
    assert_eq!(ask(standby, STATUS, MetadataMap::new()).await, denied("not-allowed"));
    for other in ["operator/ann", "viewer/vic", "agent/a"] {
        assert_eq!(ask(other, STATUS, said(ann)).await, denied("not-allowed"), "{other}");
    }
}

#[tokio::test]
async fn a_coordinator_of_another_fleet_speaks_for_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let leader = authority.issue(dir.path(), "coordinator/leader", &["localhost"]);
    let port = serve_all(Some(Keyring::of(&leader).unwrap()), Door::Coordinator, Limits::COORDINATOR).await;
    let foreign = authority.issue_as(dir.path(), "spiffe://other/coordinator/c", &[], |_| {});
    let metadata = said("spiffe://prod/operator/ann");
    let fate = fate(called(client(port, &leader, Some(&foreign)), START, metadata).await);
    assert_eq!(fate, Fate::Denied("other-fleet".to_owned()));
}

#[test]
fn what_is_passed_on_names_whoever_has_a_name() {
    let named = |caller: &Caller| {
        let mut metadata = MetadataMap::new();
        on_behalf_of(&mut metadata, caller);
        metadata.get("ratchet-on-behalf-of").map(|said| said.to_str().unwrap().to_owned())
    };
    let ann = Caller::Known("spiffe://prod/operator/ann".parse().unwrap());
    assert_eq!(named(&ann).as_deref(), Some("spiffe://prod/operator/ann"));
    assert_eq!(named(&Caller::Anonymous).as_deref(), Some("anonymous"));
    assert_eq!(named(&Caller::Local), None);
}
