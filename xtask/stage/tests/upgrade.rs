//! The main job, end to end: real agents, the real coordinator, real archives over HTTP, a real `install.sh`.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use common::{
    FROM, TO, by_hand, installs, only_run, order, quick, ratchet, set, small, upgrade, v, versions,
};
use sim::{ClusterSpec, Meter};
use stage::StageSpec;

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_real_shards_is_upgraded_and_loses_no_acknowledged_write() {
    let cluster = ClusterSpec { name: "orders".to_owned(), ..ClusterSpec::three_nodes(v(FROM)) };
    let stage = set(StageSpec::new(cluster, &[v(TO)])).await;
    let meter = Meter::start(&stage.cluster).unwrap();
    let master = stage.cluster.master().unwrap();
    let said = upgrade(&stage);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    assert_eq!(installs(&stage), [1; 3], "P6");
    assert_eq!(stage.cluster.overlaps(), [], "P1");
    assert_eq!(order(&stage)[0], master, "P2");
    let report = meter.report();
    assert_eq!(report.databases.len(), 2);
    for database in report.databases {
        assert!(database.read_back && database.lost == 0 && database.acknowledged > 0, "{database:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_word_names_what_is_left_to_a_person() {
    let stage = set(small()).await;
    let said = ratchet(&stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    let text = format!("{}{}", said.out, said.err);
    assert!(text.contains("Cluster Manager UI"), "{text}");
    assert!(text.contains("rladmin upgrade db db:1"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours into a pipe");
    assert!(text.contains("node 2"), "plain lines without a terminal: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_already_there_is_nothing_to_do() {
    let stage = set(small()).await;
    assert_eq!(upgrade(&stage).code, 0);
    let again = ratchet(&stage, &["upgrade", "orders", "--to", TO, "--yes"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(format!("{}{}", again.out, again.err).contains("nothing to do"), "{again:?}");
    assert_eq!(installs(&stage), [1; 3]);
    let plan = ratchet(&stage, &["-o", "json", "plan", "orders", "--to", TO]);
    assert_eq!((plan.code, plan.json()["outcome"].as_str().unwrap()), (0, "nothing_to_do"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hops_are_two_complete_upgrades_each_beginning_with_the_master() {
    // 6.4.x cannot go to 8.2 directly (fact sheet §1.1).
    let cluster = quick(ClusterSpec::modelled(3, v("6.4.2-94")));
    let stage = set(StageSpec::new(cluster, &[v(TO), v("8.2.0-46")])).await;
    let master = stage.cluster.master().unwrap();
    let said = ratchet(&stage, &["-o", "json", "upgrade", "orders", "--to", "8.2.0-46", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), ["8.2.0-46"; 3]);
    assert_eq!(installs(&stage), [2; 3]);
    assert_eq!(stage.cluster.overlaps(), [], "P1");
    assert_eq!(order(&stage)[0], master, "P2");
    let targets: Vec<String> = (1..=3).map(|uid| stage.cluster.installs(uid)[0].target.to_string()).collect();
    assert_eq!(targets, [TO; 3], "a hop is finished before the next begins");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_package_for_a_hop_is_named() {
    let cluster = quick(ClusterSpec::modelled(3, v("6.4.2-94")));
    let stage = set(StageSpec::new(cluster, &[v("8.2.0-46")])).await;
    let said = ratchet(&stage, &["-o", "json", "upgrade", "orders", "--to", "8.2.0-46", "--yes"]);
    assert_eq!(said.code, 3, "{said:?}");
    let path = said.json()["findings"].to_string();
    assert!(path.contains("8.0.2 to 8.0.10") && path.contains("ratchet package add"), "{path}");
    assert_eq!(installs(&stage), [0; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_upgraded_cluster_is_recognised_and_finished() {
    let stage = set(small()).await;
    // By hand, as the vendor's procedure has it: the master first.
    let master = stage.cluster.master().unwrap();
    by_hand(&stage, master);
    stage.settle().await.unwrap();
    let said = upgrade(&stage);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    assert_eq!(installs(&stage), [1; 3], "the node done by hand is not installed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn prepare_fetches_and_unpacks_everywhere_and_installs_nothing() {
    let stage = set(small()).await;
    let said = ratchet(&stage, &["-o", "json", "prepare", "orders", "--to", TO]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(installs(&stage), [0; 3]);
    let status = ratchet(&stage, &["-o", "json", "status"]).json();
    for node in status["clusters"][0]["nodes"].as_array().unwrap() {
        assert_eq!(node["packages"][0], TO, "{node}");
        assert!(node["claim"].is_null(), "prepare gives its claims back: {node}");
    }
    assert_eq!(upgrade(&stage).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_and_many_nodes() {
    for nodes in [1, 7] {
        let spec = StageSpec::new(quick(ClusterSpec::modelled(nodes, v(FROM))), &[v(TO)]);
        let stage = set(spec).await;
        let said = upgrade(&stage);
        assert_eq!(said.code, 0, "{nodes}: {said:?}");
        assert_eq!(installs(&stage), vec![1; nodes as usize]);
        assert_eq!(stage.cluster.overlaps(), [], "P1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_carried_out_and_a_stale_one_is_not() {
    let stage = set(small()).await;
    let file = stage.dir.join("plan.json");
    let file = file.to_str().unwrap();
    let saved = ratchet(&stage, &["plan", "orders", "--to", TO, "--save", file]);
    assert_eq!(saved.code, 0, "{saved:?}");
    assert_eq!(installs(&stage), [0; 3]);
    let done = ratchet(&stage, &["upgrade", "--plan", file, "--yes"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(installs(&stage), [1; 3]);
    let stale = ratchet(&stage, &["-o", "json", "upgrade", "--plan", file, "--yes"]);
    assert_eq!(stale.code, 3, "{stale:?}");
    assert_eq!(stale.json()["error"]["id"], "stale-plan");
    assert_eq!(installs(&stage), [1; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_can_be_read_afterwards() {
    let stage = set(small()).await;
    assert_eq!(upgrade(&stage).code, 0);
    let run = only_run(&stage);
    let shown = ratchet(&stage, &["-o", "json", "show", &run, "--events"]).json();
    assert_eq!(shown["schema"], "ratchet.run/1");
    assert_eq!(shown["state"], "done");
    let events = shown["events"].as_array().unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    for node in shown["nodes"].as_array().unwrap() {
        assert_eq!((node["state"].as_str().unwrap(), node["version"].as_str().unwrap()), ("done", TO));
        assert!(node["witnesses"].as_array().unwrap().len() > 1, "P9: {node}");
    }
    let why = ratchet(&stage, &["-o", "json", "why", "orders"]).json();
    assert_eq!(why["verdict"], "nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_mutual_tls_with_certificates_from_files() {
    let mut spec = small();
    spec.mutual_tls = true;
    let stage = set(spec).await;
    let said = upgrade(&stage);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    // Without a certificate of the fleet's authority nobody is listened to.
    let config = std::fs::read_to_string(stage.configuration()).unwrap();
    let (before, after) = (config.find("[tls]").unwrap(), config.find("[deadlines]").unwrap());
    let plain = format!("{}insecure_loopback = true\n{}", &config[..before], &config[after..]);
    std::fs::write(stage.configuration(), plain).unwrap();
    assert_eq!(ratchet(&stage, &["status"]).code, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quorum_only_node_is_upgraded_like_any_other() {
    let stage = set(small()).await;
    stage.cluster.inject("now: node 3 config quorum only enabled").await.unwrap();
    let rladmin = stage.cluster.root(1).join("opt/redislabs/bin/rladmin");
    let nodes = std::process::Command::new(rladmin).args(["status", "nodes"]).output().unwrap().stdout;
    assert!(String::from_utf8(nodes).unwrap().contains("/0 "), "it takes no shards");
    let said = upgrade(&stage);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
}
