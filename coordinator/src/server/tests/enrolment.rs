//! Enrolment: a token is used once, only for what it is for, and by nobody who was not meant.

use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use proto::{Caller, Clock, EnrolToken, Failure, Sha256, pb};
use rcgen::{CertificateParams, KeyPair, PublicKeyData, SanType};

use super::stage::{Stage, noon};
use crate::documents::EnrollingState;
use crate::pki::tests::{founded, order};
use crate::pki::{self, Authority, Order, Register};
use crate::server::Core;
use crate::store::Shelf;

/// A stage whose coordinators sign, and where their authority is.
fn signing() -> (Stage, std::path::PathBuf) {
    let mut stage = Stage::new();
    let dir = stage.path("authority");
    drop(founded(&dir));
    stage.more = format!("[enrolment]\nauthority = \"{}\"\n", dir.display());
    (stage, dir)
}

async fn token(core: &Core, pattern: &str, confirm: bool) -> EnrolToken {
    let asked = pb::CreateTokenRequest { pattern: pattern.to_owned(), valid_seconds: 3600, confirm };
    core.create_token(asked, &Caller::Local).await.unwrap().token.parse().unwrap()
}

/// A node with a key of its own.
struct Node {
    name: &'static str,
    key: KeyPair,
    hosts: Vec<String>,
}

impl Node {
    fn new(name: &'static str) -> Self {
        Self { name, key: KeyPair::generate().unwrap(), hosts: vec![name.to_owned()] }
    }

    fn asks(&self, token: &EnrolToken) -> pb::EnrolRequest {
        let csr = CertificateParams::default().serialize_request(&self.key).unwrap();
        pb::EnrolRequest {
            token: token.id.clone(),
            secret: token.secret.to_vec(),
            name: self.name.to_owned(),
            hosts: self.hosts.clone(),
            csr: csr.der().to_vec(),
        }
    }

    async fn enrols(&self, core: &Core, token: &EnrolToken) -> Result<pb::EnrolReply, Failure> {
        core.enrol(self.asks(token)).await
    }

    fn key(&self) -> Sha256 {
        Sha256::of(&self.key.subject_public_key_info())
    }
}

async fn decide(core: &Core, subject: &str, accept: bool, certificate: Option<&str>) -> Result<(), Failure> {
    let certificate = certificate.map(str::to_owned);
    let asked = pb::DecideEnrolmentRequest { subject: subject.to_owned(), accept, certificate };
    core.decide_enrolment(asked, &Caller::Local).await.map(drop)
}

#[tokio::test]
async fn a_node_gets_the_certificate_of_its_name_and_its_key_whatever_its_request_says() {
    let (stage, dir) = signing();
    let core = stage.core().await;
    let (token, node) = (token(&core, "db-*", false).await, Node::new("db-1"));
    let mut params = CertificateParams::new(vec!["ops.internal".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::URI("spiffe://prod/coordinator/ops".try_into().unwrap()));
    let csr = params.serialize_request(&node.key).unwrap().der().to_vec();
    let reply = core.enrol(pb::EnrolRequest { csr, ..node.asks(&token) }).await.unwrap();
    let read = pki::read(&reply.certificate).unwrap().remove(0);
    assert_eq!(read.identity.unwrap().to_string(), "spiffe://prod/agent/db-1");
    assert_eq!(read.key, node.key());
    assert_eq!(pki::spki_digest(&reply.authority).unwrap(), token.authority);
    assert!(reply.revoked.starts_with("-----BEGIN X509 CRL"), "{}", reply.revoked);
    let issued = Register::read(&dir).unwrap().certificates.remove(0);
    assert_eq!(issued.hosts, ["db-1".parse().unwrap()], "what the request says counts for nothing");
}

#[tokio::test]
async fn the_same_node_may_ask_again_and_nobody_else() {
    let (stage, dir) = signing();
    let core = stage.core().await;
    let (token, node) = (token(&core, "db-*", false).await, Node::new("db-1"));
    let first = node.enrols(&core, &token).await.unwrap();
    // The answer was lost, and perhaps the coordinator, too.
    let core = stage.core().await;
    assert_eq!(node.enrols(&core, &token).await.unwrap().certificate, first.certificate);
    assert_eq!(Register::read(&dir).unwrap().certificates.len(), 1);
    for other in [Node::new("db-1"), Node::new("db-2")] {
        assert_eq!(other.enrols(&core, &token).await.unwrap_err().id, "token-refused");
    }
    let hosts = vec!["ops.internal".to_owned()];
    let more = core.enrol(pb::EnrolRequest { hosts, ..node.asks(&token) }).await.unwrap_err();
    assert_eq!(more.id, "token-refused");
}

/// Two coordinators on one store, two nodes with one token, at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_nodes_with_one_token_exactly_one_gets_in() {
    let (stage, dir) = signing();
    let (first, second) = (Arc::new(stage.core().await), Arc::new(stage.core().await));
    let mut granted = 0;
    for _ in 0..10 {
        let token = token(&first, "*", false).await;
        let nodes = [Node::new("a"), Node::new("b"), Node::new("c"), Node::new("d")];
        let asking = nodes.iter().zip([&first, &second, &first, &second]).map(|(node, core)| {
            let (core, asked) = (Arc::clone(core), node.asks(&token));
            tokio::spawn(async move { core.enrol(asked).await })
        });
        let answers = futures::future::join_all(asking.collect::<Vec<_>>()).await;
        // The authority may be in the other one's hands: then the node is let in and asks again.
        let in_at_last = answers.into_iter().filter(|answer| match answer.as_ref().unwrap() {
            Ok(_) => true,
            Err(failure) if failure.id == "authority-busy" => false,
            Err(failure) => {
                assert_eq!(failure.id, "token-refused");
                false
            }
        });
        assert!(in_at_last.count() <= 1);
        let mut got = 0;
        for node in &nodes {
            got += usize::from(
                node.enrols(&first, &token).await.is_ok_and(|reply| !reply.certificate.is_empty()),
            );
            let waits = first.enrolments().await.unwrap().nodes;
            assert_eq!(waits.iter().filter(|row| row.token == token.id).count(), 1);
        }
        granted += got;
        // Names come again: without this the next one would wait for a person.
        let mut authority = Authority::open(&dir, noon()).unwrap();
        for node in &nodes {
            let _revoked = authority.revoke(node.name, "next", noon());
        }
    }
    assert_eq!(granted, 10);
}

#[tokio::test]
async fn what_a_token_is_not_for_it_does_not_open() {
    let (stage, _) = signing();
    let mut core = stage.core().await;
    let token = token(&core, "orders-?", false).await;
    let node = Node::new("orders-1");
    let unknown =
        core.enrol(pb::EnrolRequest { token: "x".to_owned(), ..node.asks(&token) }).await.unwrap_err();
    let wrong = core.enrol(pb::EnrolRequest { secret: vec![0; 32], ..node.asks(&token) }).await.unwrap_err();
    assert_eq!(unknown, wrong, "whoever guesses learns nothing");
    let name = Node::new("carts-1").enrols(&core, &token).await.unwrap_err();
    assert!(name.message.contains("orders-?"), "{name}");
    let junk = core.enrol(pb::EnrolRequest { csr: vec![1; 99], ..node.asks(&token) }).await.unwrap_err();
    assert_eq!(junk.id, "invalid-request");
    for hosts in [vec!["a b".to_owned()], vec!["h".to_owned(); 33]] {
        assert_eq!(
            core.enrol(pb::EnrolRequest { hosts, ..node.asks(&token) }).await.unwrap_err().id,
            "usage"
        );
    }
    core.world.clock = Clock::from_fn(Arc::new(|| noon() + SignedDuration::from_secs(3600)));
    let late = node.enrols(&core, &token).await.unwrap_err();
    assert!(late.id == "token-refused" && late.message.contains("expired"), "{late}");
    core.world.clock = Clock::from_fn(Arc::new(noon));
    // None of these has used the token up.
    node.enrols(&core, &token).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_taken_back_opens_nothing() {
    let (stage, _) = signing();
    let core = stage.core().await;
    let token = token(&core, "db-1", false).await;
    decide(&core, &token.id, false, None).await.unwrap();
    let refused = Node::new("db-1").enrols(&core, &token).await.unwrap_err();
    assert_eq!(refused.id, "token-refused");
    assert_eq!(decide(&core, &token.id, false, None).await.unwrap_err().id, "no-such-enrolment");
}

#[tokio::test]
async fn nobody_gets_in_before_a_person_has_said_so_where_that_is_wanted() {
    let (stage, dir) = signing();
    let core = stage.core().await;
    let (first, second) = (token(&core, "db-*", true).await, token(&core, "db-*", true).await);
    let (good, bad) = (Node::new("db-1"), Node::new("db-2"));
    for (node, token) in [(&good, &first), (&bad, &second)] {
        let reply = node.enrols(&core, token).await.unwrap();
        assert!(reply.certificate.is_empty() && reply.waits_for.contains("ratchet pki accept"), "{reply:?}");
    }
    assert!(Register::read(&dir).unwrap().certificates.is_empty());
    let shown = core.enrolments().await.unwrap();
    assert_eq!(shown.nodes.iter().map(|row| row.state).collect::<Vec<_>>(), [EnrollingState::Waiting; 2]);
    assert!(shown.nodes.iter().any(|row| row.key_sha256 == good.key().to_string() && row.hosts == ["db-1"]));
    decide(&core, "db-1", true, None).await.unwrap();
    decide(&core, "db-2", false, None).await.unwrap();
    assert!(!good.enrols(&core, &first).await.unwrap().certificate.is_empty());
    assert_eq!(bad.enrols(&core, &second).await.unwrap_err().id, "enrolment-refused");
    assert_eq!(decide(&core, "db-2", true, None).await.unwrap_err().id, "no-such-enrolment");
}

#[tokio::test]
async fn a_name_or_a_host_that_somebody_has_is_not_given_away_by_a_pattern() {
    let (stage, dir) = signing();
    let core = stage.core().await;
    let mut authority = Authority::open(&dir, noon()).unwrap();
    authority.issue(&order(proto::Role::Agent, "db-1", &["10.0.0.1"]), noon()).unwrap();
    authority.issue(&order(proto::Role::Coordinator, "ops", &["ops.internal"]), noon()).unwrap();
    drop(authority);
    let hosts = vec!["ops.internal".to_owned()];
    for node in [Node::new("db-1"), Node { hosts, ..Node::new("db-2") }] {
        let reply = node.enrols(&core, &token(&core, "db-*", false).await).await.unwrap();
        assert!(reply.waits_for.contains("certificate"), "{reply:?}");
    }
    Authority::open(&dir, noon()).unwrap().revoke("db-1", "gone", noon()).unwrap();
    let reply = Node::new("db-1").enrols(&core, &token(&core, "db-*", false).await).await.unwrap();
    assert!(!reply.certificate.is_empty());
}

#[tokio::test]
async fn two_that_wait_under_one_name_are_told_apart_by_their_tokens() {
    let (stage, _) = signing();
    let core = stage.core().await;
    let (first, second) = (token(&core, "db-1", true).await, token(&core, "db-1", true).await);
    let (one, two) = (Node::new("db-1"), Node::new("db-1"));
    one.enrols(&core, &first).await.unwrap();
    two.enrols(&core, &second).await.unwrap();
    assert_eq!(decide(&core, "db-1", true, None).await.unwrap_err().id, "ambiguous-name");
    decide(&core, &second.id, true, None).await.unwrap();
    assert!(one.enrols(&core, &first).await.unwrap().certificate.is_empty());
    assert!(!two.enrols(&core, &second).await.unwrap().certificate.is_empty());
}

/// The authority's key is on another machine; the coordinator has its own certificate and no more.
#[tokio::test]
async fn where_nothing_is_signed_a_certificate_is_handed_in() {
    let mut stage = Stage::new();
    let mut authority = founded(&stage.path("elsewhere"));
    let (ops, key) = authority.issue(&order(proto::Role::Coordinator, "ops", &["ops"]), noon()).unwrap();
    let pki = stage.path("pki");
    let (signed, out, install_dir) = (&ops, stage.path(""), Path::new("/etc/ratchet/pki"));
    pki::Bundle { signed, key: &key, out: &out, install_dir }.write(&authority, false).unwrap();
    std::fs::rename(out.join("ops"), &pki).unwrap();
    let at = |name: &str| pki.join(name).display().to_string();
    let mut core = stage.core().await;
    assert_eq!(
        core.create_token(
            pb::CreateTokenRequest { pattern: "a".into(), valid_seconds: 1, confirm: false },
            &Caller::Local
        )
        .await
        .unwrap_err()
        .id,
        "configuration"
    );
    core.config.security = proto::transport::Security::Tls(proto::transport::Tls {
        ca: at("ca.pem").into(),
        cert: at("cert.pem").into(),
        key: at("key.pem").into(),
        crl: None,
        names: Default::default(),
    });
    stage.more.clear();
    let (token, node) = (token(&core, "db-1", false).await, Node::new("db-1"));
    assert_eq!(token.authority, authority.pin());
    let reply = node.enrols(&core, &token).await.unwrap();
    assert!(reply.waits_for.contains("signs nothing"), "{}", reply.waits_for);
    assert_eq!(decide(&core, "db-1", true, None).await.unwrap_err().id, "signs-nothing");
    let row = core.enrolments().await.unwrap().nodes.remove(0);
    let request = pki::CertificateRequest::from_pem(&row.request).unwrap();
    let mut sign = |identity: Order, request: &pki::CertificateRequest| {
        authority.sign(&Order { follows: true, ..identity }, request, noon()).unwrap().pem
    };
    let agent = |name: &str| order(proto::Role::Agent, name, &[]);
    let foreign = CertificateParams::default().serialize_request(&KeyPair::generate().unwrap()).unwrap();
    let foreign = pki::CertificateRequest::from_der(foreign.der()).unwrap();
    for wrong in [
        sign(agent("db-2"), &request),
        sign(order(proto::Role::Operator, "db-1", &[]), &request),
        sign(agent("db-1"), &foreign),
        "nothing".to_owned(),
    ] {
        assert_eq!(decide(&core, "db-1", true, Some(&wrong)).await.unwrap_err().id, "usage");
    }
    let right = sign(agent("db-1"), &request);
    decide(&core, "db-1", true, Some(&right)).await.unwrap();
    let reply = node.enrols(&core, &token).await.unwrap();
    assert_eq!((reply.certificate, pki::spki_digest(&reply.authority).unwrap()), (right, token.authority));
}

#[tokio::test]
async fn no_secret_is_in_the_store_or_in_what_is_shown() {
    let (stage, _) = signing();
    let core = stage.core().await;
    let asked = pb::CreateTokenRequest { pattern: "db-1".into(), valid_seconds: 60, confirm: true };
    let document = core.create_token(asked, &Caller::Local).await.unwrap();
    let token: EnrolToken = document.token.parse().unwrap();
    let secret = document.token.rsplit('.').next().unwrap().to_owned();
    Node::new("db-1").enrols(&core, &token).await.unwrap();
    let mut kept = format!("{document:?} {token:?} {:?}", core.enrolments().await.unwrap());
    for shelf in [Shelf::Token, Shelf::Enrolment] {
        kept.push_str(&format!("{:?}", core.store().shelved(shelf).await.unwrap()));
    }
    assert!(kept.contains(&token.id), "something was looked at");
    assert!(!kept.contains(&secret) && !kept.contains("PRIVATE KEY"), "{kept}");
}

#[tokio::test]
async fn an_agent_renews_its_own_certificate_and_nobody_else_does() {
    let (stage, dir) = signing();
    let core = stage.core().await;
    let (token, node) = (token(&core, "db-1", false).await, Node::new("db-1"));
    node.enrols(&core, &token).await.unwrap();
    let next = KeyPair::generate().unwrap();
    let csr = CertificateParams::default().serialize_request(&next).unwrap().der().to_vec();
    let renew = async |caller: &str| {
        let asked = pb::RenewCertificateRequest { csr: csr.clone() };
        core.renew_certificate(asked, &Caller::Known(caller.parse().unwrap())).await
    };
    let reply = renew("spiffe://prod/agent/db-1").await.unwrap();
    let read = pki::read(&reply.certificate).unwrap().remove(0);
    assert_eq!(read.key, Sha256::of(&next.subject_public_key_info()));
    let register = Register::read(&dir).unwrap();
    assert_eq!(register.certificates[1].hosts, register.certificates[0].hosts);
    for (caller, id) in [
        ("spiffe://prod/agent/db-2", "no-such-certificate"),
        ("spiffe://test/agent/db-1", "no-such-certificate"),
        ("spiffe://prod/operator/db-1", "not-an-agent"),
    ] {
        assert_eq!(renew(caller).await.unwrap_err().id, id, "{caller}");
    }
    for caller in [Caller::Local, Caller::Anonymous] {
        let asked = pb::RenewCertificateRequest { csr: csr.clone() };
        assert_eq!(core.renew_certificate(asked, &caller).await.unwrap_err().id, "not-an-agent");
    }
    Authority::open(&dir, noon()).unwrap().revoke("db-1", "stolen", noon()).unwrap();
    assert_eq!(renew("spiffe://prod/agent/db-1").await.unwrap_err().id, "no-such-certificate");
}
