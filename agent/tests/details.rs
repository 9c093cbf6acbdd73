//! Facts asked for by name, of the real program on a stand-in node.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use common::*;
use proto::*;

/// What the product's tools and its API must tell; all others are of the machine.
const OF_THE_PRODUCT: [Fact; 5] =
    [Fact::ClusterInfo, Fact::NodeInfo, Fact::DatabaseInfo, Fact::Modules, Fact::DatabaseModules];
const OF_THE_API: [Fact; 9] = [
    Fact::Cluster,
    Fact::ClusterPolicy,
    Fact::Ldap,
    Fact::Licence,
    Fact::Databases,
    Fact::ActiveActive,
    Fact::Alerts,
    Fact::Actions,
    Fact::HealthReport,
];

#[tokio::test]
async fn a_stand_in_tells_what_its_machine_tells_and_why_it_tells_no_more() {
    let place = Place::new();
    let root = place.path("root").display().to_string();
    let details = Agent::start(&place).driver(1).details(Fact::ALL).await;
    assert_eq!(details.0.len(), Fact::ALL.len());
    for (fact, probe) in &details.0 {
        match probe.as_result() {
            Ok(value) => assert_eq!(value.kind(), fact.kind()),
            Err(reason) => assert!(reason.len() > 10, "{fact}: {reason}"),
        }
    }
    assert_eq!(details.text(Fact::Root), Ok(root.as_str()));
    assert_eq!(details.text(Fact::Umask), Ok("0022"));
    assert_eq!(details.text(Fact::Orchestrator), Ok("none"));
    assert_eq!(details.number(Fact::EffectiveUser), Ok(rustix::process::geteuid().as_raw().into()));
    assert!(!details.rows(Fact::Listeners).unwrap().is_empty(), "the agent itself listens");
    assert!(details.cell(Fact::OsRelease, "ID").is_ok());
    assert_eq!(details.lines(Fact::CircularLinks), Ok(&[][..]));
    assert!(details.flag(Fact::LogrotateChanged).unwrap_err().contains(&root));
    for fact in OF_THE_API {
        assert!(details.rows(fact).unwrap_err().contains("add [rest] to agent.toml"), "{fact}");
    }
    for fact in OF_THE_PRODUCT {
        assert!(details.rows(fact).is_err(), "{fact}");
    }
}

#[tokio::test]
async fn with_a_credential_the_products_api_is_asked_and_only_when_it_should_be() {
    let licence = async |headers: HeaderMap| match headers.get("authorization").map(|value| value.as_bytes())
    {
        Some(b"Basic dmlld2VyOmh1bnRlcjI=") => "{\"expired\": true, \"license\": \"text\"}".into_response(),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/v1/license", get(licence));
    tokio::spawn(async { axum::serve(listener, router).await });

    let place = Place::new();
    let file = place.path("password");
    fs::write(&file, "hunter2\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let rest = format!(
        "[rest]\nurl = 'http://localhost:{port}'\nuser = 'viewer'\npassword_file = '{}'\n",
        file.display()
    );
    place.configure(&rest);
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    let details = driver.details(&[Fact::Licence, Fact::Cluster]).await;
    assert_eq!(details.cell(Fact::Licence, "expired"), Ok("true"));
    assert!(details.cell(Fact::Licence, "license").is_err());
    assert!(matches!(details.0[&Fact::Cluster], Probe::Unsupported(_)));
    assert_eq!(details.0.len(), 2, "nothing else was asked for");

    // The password is read at each look: a new one needs no new agent.
    fs::write(&file, "another\n").unwrap();
    let reason = driver.details(&[Fact::Licence]).await.rows(Fact::Licence).unwrap_err();
    assert!(reason.contains("401") && !reason.contains("another"), "{reason}");
}
