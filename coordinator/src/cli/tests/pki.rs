//! `ratchet pki`: on an authority in a directory, without any coordinator; and what is asked of one.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

use super::schema::shape_of;
use super::stage::Stage;
use crate::cli::Exit;
use crate::documents::{
    Document, EnrolTokenDocument, EnrollingRow, EnrollingState, EnrolmentDocument, EnrolmentsDocument,
    TokenRow,
};

/// A command on the authority of a directory, on a machine without a configuration.
async fn local(dir: &Path, line: &str) -> (Exit, Stage) {
    let stage = Stage::new();
    let line = line.replace("AUTH", &format!("--dir {}", dir.join("authority").display()));
    let exit = stage.run_bare(&line.replace("OUT", &format!("--out {}", dir.join("out").display()))).await;
    (exit, stage)
}

#[tokio::test]
async fn an_authority_is_made_issues_renews_lists_and_revokes_without_a_coordinator() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (exit, made) = local(dir, "pki init --fleet prod AUTH").await;
    assert_eq!((exit, made.stdout().contains("the authority of fleet prod")), (Exit::Done, true));
    assert_eq!(local(dir, "pki init --fleet prod AUTH").await.0, Exit::Blocked, "nothing is overwritten");
    let issue = "pki issue coordinator ops --host ops.internal AUTH OUT";
    assert_eq!(local(dir, issue).await.0, Exit::Done);
    assert_eq!(local(dir, issue).await.0, Exit::Blocked, "it has one");
    assert_eq!(local(dir, "pki issue agent db-1 --host 10.0.0.1 --days 20 AUTH OUT").await.0, Exit::Done);
    let key = |name: &str| fs::read_to_string(dir.join("out").join(name).join("key.pem")).unwrap();
    let before = (key("ops"), key("db-1"));
    let (exit, renewed) = local(dir, "pki renew --expiring 30d AUTH OUT").await;
    assert!(exit == Exit::Done && renewed.stdout().starts_with("agent db-1: "), "{}", renewed.stdout());
    assert_eq!(
        (key("ops"), key("db-1") == before.1),
        (before.0, false),
        "a new key, and only where it is due"
    );
    assert_eq!(local(dir, "pki revoke db-1 --reason stolen AUTH").await.0, Exit::Done);
    assert_eq!(local(dir, "pki renew db-1 AUTH OUT").await.0, Exit::Usage, "there is nothing to renew");
    let (_, list) = local(dir, "pki list AUTH").await;
    let shown = list.stdout();
    assert_eq!((shown.matches(" revoked ").count(), shown.matches(" valid ").count()), (2, 1), "{shown}");
    assert!(!shown.contains("PRIVATE") && !made.stdout().contains("PRIVATE"));
}

#[tokio::test]
async fn a_request_is_signed_and_the_certificate_printed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    local(dir, "pki init --fleet prod AUTH").await;
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    fs::write(dir.join("db-1.csr"), request).unwrap();
    let line = format!("pki sign {} agent db-1 --host db-1 AUTH", dir.join("db-1.csr").display());
    let (exit, signed) = local(dir, &line).await;
    assert_eq!(exit, Exit::Done);
    let read = crate::pki::read(&signed.stdout()).unwrap().remove(0);
    assert_eq!(read.identity.unwrap().to_string(), "spiffe://prod/agent/db-1");
    assert_eq!(local(dir, &line).await.0, Exit::Blocked);
    assert_eq!(local(dir, &format!("{line} --renew")).await.0, Exit::Done);
    let (_, expiring) = local(dir, "pki renew --expiring 400d AUTH OUT").await;
    assert!(expiring.stdout().contains("ratchet-agent renew"), "{}", expiring.stdout());
    let (exit, none) = local(dir, "pki sign /no/such.csr agent db-2 AUTH").await;
    assert!(exit == Exit::Usage && none.stderr().contains("/no/such.csr"), "{}", none.stderr());
}

#[tokio::test]
async fn without_an_authority_it_is_said_how_to_make_one() {
    let dir = tempfile::tempdir().unwrap();
    for line in ["pki list AUTH", "pki issue viewer anna AUTH OUT", "pki revoke anna --reason x AUTH"] {
        let (exit, stage) = local(dir.path(), line).await;
        assert!(exit == Exit::Usage && stage.stderr().contains("ratchet pki init"), "{}", stage.stderr());
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[tokio::test]
async fn documents_of_a_local_authority_keep_their_shape() {
    let dir = tempfile::tempdir().unwrap();
    let at = |line: &str| {
        let auth = format!("--dir {}", dir.path().join("authority").display());
        line.replace("AUTH", &auth).replace("OUT", &format!("--out {}", dir.path().join("out").display()))
    };
    insta::assert_snapshot!(shape_of(&Stage::new(), &at("pki init --fleet prod AUTH")).await, @r"
        .directory: text
        .fleet: text
        .key_sha256: text
        .not_after: text
        .schema: text
        ");
    insta::assert_snapshot!(shape_of(&Stage::new(), &at("pki issue agent a --host h AUTH OUT")).await, @r"
        .certificates: list
        .certificates[].bundle: text
        .certificates[].certificate.hosts: list
        .certificates[].certificate.hosts[]: text
        .certificates[].certificate.identity: text
        .certificates[].certificate.issued_at: text
        .certificates[].certificate.key_made_by: text
        .certificates[].certificate.name: text
        .certificates[].certificate.not_after: text
        .certificates[].certificate.not_before: text
        .certificates[].certificate.reason: null
        .certificates[].certificate.revoked_at: null
        .certificates[].certificate.role: text
        .certificates[].certificate.serial: text
        .certificates[].certificate.standing: text
        .certificates[].pem: text
        .left: list
        .schema: text
        ");
    let list = shape_of(&Stage::new(), &at("pki list AUTH")).await;
    for line in [".at: text", ".fleet: text", ".directory: text", ".certificates[].standing: text"] {
        assert!(list.lines().any(|shown| shown == line), "{line} is missing in\n{list}");
    }
    let revoked = shape_of(&Stage::new(), &at("pki revoke a --reason x AUTH")).await;
    for line in [".crl: text", ".number: number", ".certificates[].reason: text"] {
        assert!(revoked.lines().any(|shown| shown == line), "{line} is missing in\n{revoked}");
    }
}

fn moment() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_token_stands_alone_in_its_line_and_is_asked_for_as_typed() {
    let stage = Stage::new();
    let document = EnrolTokenDocument {
        schema: EnrolTokenDocument::SCHEMA.to_owned(),
        id: "abc".to_owned(),
        token: "rt1.x.abc.y".to_owned(),
        pattern: "orders-*".to_owned(),
        confirm: true,
        expires_at: moment(),
    };
    stage.fake.answers("create_token", &document);
    assert_eq!(stage.run("pki token --name orders-* --ttl 2d --confirm").await, Exit::Done);
    assert_eq!(
        stage.fake.asked(),
        [r#"create_token CreateTokenRequest { pattern: "orders-*", valid_seconds: 172800, confirm: true }"#]
    );
    assert_eq!(stage.stdout().lines().next(), Some("rt1.x.abc.y"));
    assert!(stage.stdout().contains("ratchet pki refuse abc"), "{}", stage.stdout());
}

#[tokio::test]
async fn nodes_that_wait_are_shown_with_what_to_compare_and_decided_about() {
    let document = EnrolmentsDocument {
        schema: EnrolmentsDocument::SCHEMA.to_owned(),
        at: moment(),
        signs: false,
        tokens: vec![TokenRow {
            id: "abc".to_owned(),
            pattern: "db-*".to_owned(),
            confirm: false,
            expires_at: moment(),
            by: "anna".to_owned(),
        }],
        nodes: vec![EnrollingRow {
            name: "db-1".to_owned(),
            token: "def".to_owned(),
            hosts: vec!["10.0.0.1".to_owned()],
            key_sha256: "ab".repeat(32),
            asked_at: moment(),
            until: moment(),
            state: EnrollingState::Waiting,
            waits_for: Some("a person".to_owned()),
            request: String::new(),
        }],
    };
    let stage = Stage::new();
    stage.fake.answers("enrolments", &document);
    assert_eq!(stage.run("pki enrolments").await, Exit::Done);
    for word in ["signs nothing", "db-*", "db-1", "10.0.0.1", "abababababababab", "waiting", "db-1: a person"]
    {
        assert!(stage.stdout().contains(word), "{word}: {}", stage.stdout());
    }
    let decided = EnrolmentDocument {
        schema: EnrolmentDocument::SCHEMA.to_owned(),
        subject: "db-1".to_owned(),
        state: Some(EnrollingState::Granted),
        summary: "done".to_owned(),
    };
    for (line, asked) in [
        ("pki accept db-1", r#"subject: "db-1", accept: true, certificate: None"#),
        ("pki refuse def", r#"subject: "def", accept: false, certificate: None"#),
    ] {
        let stage = Stage::new();
        stage.fake.answers("decide_enrolment", &decided);
        assert_eq!(stage.run(line).await, Exit::Done);
        assert!(stage.fake.asked()[0].contains(asked), "{:?}", stage.fake.asked());
    }
}
