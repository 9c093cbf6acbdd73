//! Documents of the API as facts, and what is no such document as none.

use proto::{Fact, FactValue, Probe, Row, sample};
use serde_json::{Value, json};

use super::*;
use crate::host::Product;
use crate::observe::details::answer;
use crate::observe::details::once::Once;
use crate::rest::Session;
use crate::rest::tests::server::{Answers, Server};

fn row(cells: &[(&str, &str)]) -> Row {
    cells.iter().map(|(key, cell)| ((*key).to_owned(), (*cell).to_owned())).collect()
}

const FACTS: [(Fact, &[&str]); 9] = [
    (Fact::Cluster, &["/v1/cluster"]),
    (Fact::ClusterPolicy, &["/v1/cluster/policy"]),
    (Fact::Ldap, &["/v1/cluster/ldap"]),
    (Fact::Licence, &["/v1/license"]),
    (Fact::Databases, &["/v1/bdbs"]),
    (Fact::ActiveActive, &["/v1/crdbs"]),
    (Fact::Alerts, &["/v1/cluster/alerts", "/v1/nodes/alerts", "/v1/bdbs/alerts"]),
    (Fact::Actions, &["/v1/actions", "/v2/actions"]),
    (Fact::HealthReport, &["/v4/cluster/health"]),
];

/// A fact as the server's answers make it.
async fn seen(fact: Fact, answers: Answers) -> Probe<FactValue> {
    let files = tempfile::tempdir().unwrap();
    let server = Server::http("127.0.0.1", answers).await;
    let rest = server.rest("http", files.path(), None);
    let (session, product, view) = (Session::new(&rest), Product::new("/".into()), sample::healthy_view(3));
    let look = Look { product: &product, node: None, view: Some(&view), rest: Some(&session) };
    let answer = answer(fact, &look, &Once::default()).await;
    assert!(!server.seen().is_empty(), "nobody was asked");
    answer
}

fn at(path: &str, status: u16, body: &str) -> (String, (u16, String)) {
    (path.to_owned(), (status, body.to_owned()))
}

#[tokio::test]
async fn without_a_credential_every_one_of_them_is_unknown() {
    let product = Product::new("/".into());
    let look = Look { product: &product, node: None, view: None, rest: None };
    for (fact, _) in FACTS {
        let answer = answer(fact, &look, &Once::default()).await;
        assert!(
            matches!(&answer, Probe::Unknown(why) if why.contains("add [rest] to agent.toml")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn an_old_product_does_not_know_them_and_a_failing_one_does_not_tell() {
    for (fact, paths) in FACTS {
        assert!(matches!(seen(fact, Answers::new()).await, Probe::Unsupported(_)), "{fact}");
        for status in [401, 403, 500, 503] {
            let answers = paths.iter().map(|path| at(path, status, "[]")).collect();
            assert!(matches!(seen(fact, answers).await, Probe::Unknown(_)), "{fact} {status}");
        }
    }
}

/// No document of the wrong form has rows, however near it is.
#[tokio::test]
async fn garbage_is_unknown() {
    let error = r#"{"error_code": "x", "description": "y"}"#;
    for (fact, paths) in FACTS {
        for body in
            ["", "garbage", "<html></html>", "null", "7", "\"x\"", "true", "[7]", "[[]]", "{\"x\": 1", error]
        {
            let answers = paths.iter().map(|path| at(path, 200, body)).collect();
            assert!(matches!(seen(fact, answers).await, Probe::Unknown(_)), "{fact} {body}");
        }
    }
}

#[tokio::test]
async fn alerts_need_all_three_answers() {
    let paths = FACTS[6].1;
    for missing in paths {
        let mut answers: Answers = paths.iter().map(|path| at(path, 200, "{}")).collect();
        assert_eq!(seen(Fact::Alerts, answers.clone()).await, Probe::Known(FactValue::Rows(Vec::new())));
        answers.remove(*missing);
        assert!(seen(Fact::Alerts, answers).await.known().is_none(), "{missing}");
    }
}

#[tokio::test]
async fn the_second_list_of_actions_is_optional_but_not_if_it_is_there() {
    let first = at("/v1/actions", 200, r#"{"actions": [], "state-machines": []}"#);
    let none = Probe::Known(FactValue::Rows(Vec::new()));
    assert_eq!(seen(Fact::Actions, Answers::from([first.clone()])).await, none);
    for (status, body) in [(500, ""), (200, "{}"), (200, "garbage")] {
        let answers = Answers::from([first.clone(), at("/v2/actions", status, body)]);
        assert!(matches!(seen(Fact::Actions, answers).await, Probe::Unknown(_)), "{status} {body}");
    }
}

#[test]
fn scalars_are_told_and_secrets_are_not() {
    let document = json!({
        "name": "c1", "upgrade_mode": false, "cm_port": 8443, "none": null, "list": [1], "object": {"a": 1},
        "smtp_password": "hunter2", "x_secret": "hunter2", "proxy_private_key": "hunter2", "authentication_redis_pass": "hunter2",
    });
    let expected = row(&[("name", "c1"), ("upgrade_mode", "false"), ("cm_port", "8443")]);
    assert_eq!(cluster::read(&document), Ok(vec![expected.clone()]));
    assert_eq!(cluster_policy::read(&document), Ok(vec![expected]));
    assert!(cluster::read(&json!({ "cm_port": 8443 })).is_err());
    assert!(cluster_policy::read(&json!({ "list": [] })).is_err());
}

#[test]
fn ldap_is_flat_and_without_its_password() {
    let document = json!({
        "uris": ["ldap://x"], "bind_dn": "cn=x", "bind_pass": "hunter2", "control_plane": true,
        "dn_group_query": {"filter": "f", "base": null, "inner": {"scope": "s", "password": "hunter2"}},
    });
    let cells = [
        ("bind_dn", "cn=x"),
        ("control_plane", "true"),
        ("dn_group_query.filter", "f"),
        ("dn_group_query.inner.scope", "s"),
    ];
    assert_eq!(ldap::read(&document), Ok(vec![row(&cells)]));
}

#[test]
fn a_licence_is_told_without_its_text() {
    let document = json!({
        "expired": false, "expiration_date": "2027-06-01T00:00:00Z", "shards_limit": 100, "features": ["bigstore"],
        "license": "short", "key": "x", "other": "----- LICENSE START -----\nabc", "long": "x".repeat(300),
    });
    let cells = [("expired", "false"), ("expiration_date", "2027-06-01T00:00:00Z"), ("shards_limit", "100")];
    assert_eq!(licence::read(&document), Ok(vec![row(&cells)]));
    assert!(licence::read(&json!({ "shards_limit": 4 })).is_err());
}

#[test]
fn databases_are_told_with_their_modules() {
    let module = |name: Value| json!({ "module_name": name, "module_id": "x", "semantic_version": "2.8.4" });
    let document = json!([
        {"uid": 1, "name": "a", "replication": true, "module_list": [module(json!("search")), module(json!("ReJSON"))],
         "endpoints": [{"port": 12000}], "authentication_redis_pass": "hunter2"},
        {"uid": "2", "module_list": []},
        {"uid": 3, "module_list": [module(json!("search")), module(Value::Null)]},
        {"uid": 4, "module_list": "search"},
    ]);
    let expected = vec![
        row(&[("uid", "1"), ("name", "a"), ("replication", "true"), ("module_list", "search,ReJSON")]),
        row(&[("uid", "2"), ("module_list", "")]),
        // A list that is not known whole is not told.
        row(&[("uid", "3")]),
        row(&[("uid", "4")]),
    ];
    assert_eq!(databases::read(&document), Ok(expected));
    for wrong in [
        json!({}),
        json!([{"uid": 1}, {"name": "b"}]),
        json!([{"uid": 1}, {"uid": "1"}]),
        json!([{"uid": null}]),
    ] {
        assert!(databases::read(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn databases_are_told_with_the_hosts_they_replicate_and_no_secret() {
    let uri = |uri: &str| json!({ "uid": 1, "uri": uri, "status": "in-sync" });
    let document = json!([
        {"uid": 1, "replica_sources": [uri("redis://admin:p@ss/w:d@redis-1.Orders.example.com:12000")],
         "sync_sources": [uri("redis://x")]},
        {"uid": 2, "sync_sources": [uri("rediss://:x@10.0.0.1:1"), uri("redis://[2001:db8::1]:2")]},
        {"uid": 3, "replica_sources": [], "sync_sources": null},
        {"uid": 4, "replica_sources": [uri("redis://a.example.com:1"), uri("nothing")]},
        {"uid": 5, "replica_sources": "redis://admin:secret@a:1"},
        {"uid": 6, "replica_sources": [{"uid": 1}]},
    ]);
    let expected = [
        Some("redis-1.Orders.example.com"),
        Some("10.0.0.1,2001:db8::1"),
        None,
        // A list that is not known whole is not told, but that there is one is.
        Some(""),
        Some(""),
        Some(""),
    ];
    let rows = databases::read(&document).unwrap();
    let told: Vec<_> = rows.iter().map(|row| row.get("replica_sources").map(String::as_str)).collect();
    assert_eq!(told, expected);
}

#[test]
fn active_active_databases_are_told_with_their_clusters() {
    let document = json!([
        {"guid": "g1", "name": "a", "protocol_version": 1, "featureset_version": 8, "encryption": true,
         "instances": [{"id": 1, "cluster": {"name": "east"}}, {"id": 2, "cluster": {"name": "west"}}]},
        {"guid": "g2", "instances": [{"id": 1, "cluster": {"name": "east"}}, {"id": 2}]},
        {"guid": "g3", "instances": []},
    ]);
    let told = [
        ("guid", "g1"),
        ("name", "a"),
        ("protocol_version", "1"),
        ("featureset_version", "8"),
        ("clusters", "east,west"),
    ];
    let expected = vec![row(&told), row(&[("guid", "g2")]), row(&[("guid", "g3")])];
    assert_eq!(active_active::read(&document), Ok(expected));
    assert!(active_active::read(&json!([{ "name": "a" }])).is_err());
}

#[test]
fn only_what_is_alerted_now_is_told() {
    let alert =
        |state: Value| json!({ "enabled": false, "state": state, "severity": "WARNING", "change_value": {} });
    let told = |scope, name| row(&[("scope", scope), ("alert", name), ("severity", "WARNING")]);
    let (on, off) = (alert(json!(true)), alert(json!(false)));
    let cluster =
        json!({ "cluster_inconsistent_rl_sw": on, "cluster_ram_overcommit": off, "1": {"below": on} });
    let expected = [told("cluster", "below"), told("cluster", "cluster_inconsistent_rl_sw")];
    assert_eq!(alerts::cluster(&cluster).unwrap(), expected);
    let nodes = json!({ "1": {"node_failed": off}, "2": {"node_failed": on}, "3": {} });
    assert_eq!(alerts::nodes(&nodes).unwrap(), [told("node:2", "node_failed")]);
    let databases = json!({ "7": {"lag": {"1": off, "2": on}, "size": {"state": true}} });
    let bare = row(&[("scope", "db:7"), ("alert", "size")]);
    assert_eq!(alerts::databases(&databases).unwrap(), [told("db:7", "lag"), bare]);
    for state in [json!("true"), json!(1), Value::Null] {
        assert!(alerts::nodes(&json!({ "1": {"x": alert(state)} })).is_err());
    }
    let odd = [
        json!({ "node": {} }),
        json!({ "1": [] }),
        json!({ "1": {"x": 7} }),
        json!({ "1": {"x": {"y": 7}} }),
    ];
    assert!(odd.iter().all(|wrong| alerts::nodes(wrong).is_err()));
}

#[test]
fn what_is_over_is_not_told_and_what_is_not_understood_is() {
    let first = json!({
        "actions": [
            {"name": "maintenance_on", "status": "running", "node_uid": 2, "action_uid": "a1", "progress": 1.5},
            {"name": "remove", "status": "completed", "node_uid": "3"},
        ],
        "state-machines": [
            {"name": "SMUpgradeBDB", "object_name": "bdb:1", "status": "active", "action_uid": "a2"},
            {"name": "SMCreateBDB", "object_name": "bdb:2", "status": "failed"},
            {"name": "SMNew", "status": "resting"},
            {"name": "SMSilent"},
        ],
    });
    let second = json!([
        {"name": "SMUpgradeBDB", "status": "running", "action_uid": "a2"},
        {"name": "import", "status": "queued", "action_uid": "a3"},
        {"name": "export", "status": "completed", "action_uid": "a4"},
    ]);
    let expected = vec![
        row(&[("name", "maintenance_on"), ("status", "running"), ("object", "node:2")]),
        row(&[("name", "SMUpgradeBDB"), ("status", "active"), ("object", "bdb:1")]),
        row(&[("name", "SMNew"), ("status", "resting")]),
        row(&[("name", "SMSilent")]),
        row(&[("name", "import"), ("status", "queued")]),
    ];
    assert_eq!(actions::read(&first, Some(&second)), Ok(expected));
    for wrong in [
        json!({}),
        json!({ "actions": {} }),
        json!({ "actions": [], "state-machines": 7 }),
        json!({ "actions": [7] }),
    ] {
        assert!(actions::read(&wrong, None).is_err(), "{wrong}");
    }
}

#[test]
fn the_health_report_is_one_row() {
    let document = json!({
        "fqdn": "c1", "status": "warning", "active_alerts": [], "license": {"expired": false},
        "certificates": [{"type": "proxy", "expired": false}, {"type": "api", "expired": true}, {"type": "api", "expired": false}],
        "nodes": [
            {"id": "1", "status": "active", "quorum_only": false, "in_maintenance": false, "services": []},
            {"id": 2, "status": "down", "in_maintenance": null},
        ],
    });
    let cells = [
        ("fqdn", "c1"),
        ("status", "warning"),
        ("license.expired", "false"),
        ("certificate:proxy.expired", "false"),
        ("certificate:api.expired", "true"),
        ("node:1.status", "active"),
        ("node:1.quorum_only", "false"),
        ("node:1.in_maintenance", "false"),
        ("node:2.status", "down"),
    ];
    assert_eq!(health_report::read(&document), Ok(vec![row(&cells)]));
    let node = json!({ "id": "1", "status": "active" });
    for wrong in [
        json!({ "status": "ok" }),
        json!({ "nodes": [] }),
        json!({ "status": "ok", "nodes": [{"status": "active"}] }),
        json!({ "status": "ok", "nodes": [node, node] }),
        json!({ "status": "ok", "nodes": [], "certificates": [{"type": "proxy"}] }),
    ] {
        assert!(health_report::read(&wrong).is_err(), "{wrong}");
    }
}

/// A name is told again with everything below it: 16 MiB of document must not become gigabytes of rows.
#[test]
fn names_that_are_too_long_are_no_documents_of_the_products() {
    let long = "n".repeat(8000);
    let below: serde_json::Map<String, Value> = (0..1000).map(|n| (n.to_string(), json!(1))).collect();
    let alerts: serde_json::Map<String, Value> =
        (0..1000).map(|n| (n.to_string(), json!({"state": true}))).collect();
    let deep = (0..100).fold(json!({"x": 1}), |below, _| json!({"deeper": below}));
    for (fact, document) in [
        (Fact::Ldap, json!({ long.clone(): below })),
        (Fact::HealthReport, json!({"status": "ok", "nodes": [], long.clone(): below})),
        (Fact::Alerts, json!({ long: alerts })),
        (Fact::Ldap, deep),
    ] {
        let refused = read_document(fact, &document).unwrap().unwrap_err();
        assert!(refused.contains("it has a name of ") && refused.len() < 120, "{fact}: {refused}");
    }
}
