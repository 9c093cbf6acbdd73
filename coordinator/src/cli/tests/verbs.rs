//! Every verb that asks once: what is asked, what is said, and the exit.

use proto::Failure;

use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::{
    CheckDocument, HaltDocument, LeaderDocument, PackageDocument, PackagesDocument, RemovedDocument,
    RunsDocument, StatusDocument, TakeoverDocument, WhyDocument,
};
use crate::paths::{Table, explain};

#[tokio::test]
async fn status_names_what_cannot_be_reached_and_exits_with_it() {
    let stage = Stage::new();
    stage.fake.answers("status", &sample::status());
    assert_eq!(stage.run("status orders").await, Exit::Unreachable);
    assert!(stage.stdout().contains("unreachable") && stage.stdout().contains("connection refused"));
    assert_eq!(stage.fake.asked(), [r#"status StatusRequest { clusters: ["orders"] }"#]);
}

#[tokio::test]
async fn status_of_reachable_nodes_is_a_success() {
    let stage = Stage::new();
    let mut document = sample::status();
    document.clusters[0].nodes.retain(|node| node.reachable);
    stage.fake.answers("status", &document);
    assert_eq!(stage.run("status").await, Exit::Done);
}

#[tokio::test]
async fn paths_is_blocked_when_there_is_no_way() {
    let table = Table::vendor().unwrap();
    let spec = |text: &str| Some(text.parse().unwrap());
    for (from, to, exit) in [("7.2.4-92", "7.4.6-22", Exit::Done), ("7.4.6-22", "7.2.4-92", Exit::Blocked)] {
        let stage = Stage::new();
        stage.fake.answers("paths", &explain(&table, spec(from), spec(to), &[]));
        assert_eq!(stage.run(&format!("paths --from {from} --to {to}")).await, exit, "{from} {to}");
        assert!(stage.fake.was_asked("paths"));
    }
}

#[tokio::test]
async fn packages_are_added_listed_shown_and_removed() {
    let package = sample::package();
    let schema = String::new;
    let one = PackageDocument { schema: schema(), package: package.clone(), already_there: false };
    let all = PackagesDocument { schema: schema(), packages: vec![package.clone()] };
    let gone = RemovedDocument { schema: schema(), removed: package };
    for (line, call) in [
        ("package add https://mirror/a.tar --version 7.4.6-22 --os jammy --arch x86_64", "add_package"),
        ("package list", "list_packages"),
        ("package show 7.4.6-22", "show_package"),
        ("package remove abab", "remove_package"),
    ] {
        let stage = Stage::new();
        stage.fake.answers("add_package", &one);
        stage.fake.answers("list_packages", &all);
        stage.fake.answers("show_package", &one);
        stage.fake.answers("remove_package", &gone);
        assert_eq!(stage.run(line).await, Exit::Done, "{line}");
        assert!(stage.fake.was_asked(call), "{line}");
        assert!(stage.stdout().contains("7.4.6-22"), "{line}: {}", stage.stdout());
    }
}

#[tokio::test]
async fn a_package_s_architecture_is_asked_for_in_one_spelling() {
    let stage = Stage::new();
    let one = PackageDocument { schema: String::new(), package: sample::package(), already_there: false };
    stage.fake.answers("add_package", &one);
    stage.run("package add a.tar --arch x86_64").await;
    let asked = stage.fake.asked().remove(0);
    assert!(asked.contains(r#"arch: Some("amd64")"#), "{asked}");
    assert!(!asked.contains(r#"location: "a.tar""#) && asked.contains("/a.tar"), "{asked}");
}

#[tokio::test]
async fn check_is_blocked_unless_it_passed() {
    for (passed, exit) in [(true, Exit::Done), (false, Exit::Blocked)] {
        let stage = Stage::new();
        stage.fake.answers("check", &CheckDocument { passed, ..sample::check() });
        assert_eq!(stage.run("check orders --to 7.4.6-22").await, exit);
    }
}

#[tokio::test]
async fn verbs_on_a_run_ask_about_that_run() {
    for (verb, call) in
        [("pause", "pause"), ("abort", "abort"), ("show", "show"), ("show --events", "show"), ("why", "why")]
    {
        let stage = Stage::new();
        ["pause", "abort", "show"].into_iter().for_each(|call| stage.fake.answers(call, &sample::halted()));
        stage.fake.answers("why", &sample::why());
        assert_eq!(stage.run(&format!("{verb} orders-1")).await, Exit::Done, "{verb}");
        let asked = stage.fake.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(asked[0].starts_with(call) && asked[0].contains("orders-1"), "{asked:?}");
        assert_eq!(asked[0].contains("events: true"), verb.contains("--events"), "{asked:?}");
        assert!(stage.stdout().contains("orders"), "{verb}");
    }
}

#[tokio::test]
async fn takeover_does_nothing_without_yes_and_exits_as_it_is_told() {
    for (line, asked, exit) in [
        ("takeover orders", "consent: false, despite_install: false", 3),
        ("takeover orders --yes", "consent: true, despite_install: false", 0),
        ("takeover orders --yes", "consent: true, despite_install: false", 4),
        ("takeover orders --yes --despite-install", "consent: true, despite_install: true", 6),
    ] {
        let stage = Stage::new();
        let document = TakeoverDocument { exit_code: exit, ..sample::takeover() };
        stage.fake.answers("take_over_cluster", &document);
        assert_eq!(stage.run(line).await.code(), exit, "{line}");
        assert!(stage.fake.asked()[0].contains(asked), "{:?}", stage.fake.asked());
        assert!(stage.stdout().contains("orders"), "{}", stage.stdout());
    }
}

#[tokio::test]
async fn a_take_over_that_is_refused_has_the_exit_of_its_reason() {
    for (id, exit) in [("install-in-flight", Exit::Blocked), ("agent-unreachable", Exit::Unreachable)] {
        let stage = Stage::new();
        stage.fake.refuses("take_over_cluster", &Failure::operator(id, "not now", "later"));
        assert_eq!(stage.run("takeover orders --yes").await, exit, "{id}");
        assert_eq!(stage.stdout(), "", "{id}");
    }
}

#[tokio::test]
async fn only_show_with_events_asks_the_agents() {
    for (line, agents) in [("show orders-1", false), ("show orders-1 --events", true)] {
        let stage = Stage::new();
        stage.fake.answers("show", &sample::halted());
        stage.run(line).await;
        let asked = stage.fake.asked();
        assert!(asked[0].contains(&format!("agents: {agents}")), "{asked:?}");
    }
}

#[tokio::test]
async fn runs_are_listed() {
    let stage = Stage::new();
    stage.fake.answers("runs", &sample::runs());
    assert_eq!(stage.run("runs").await, Exit::Done);
    assert!(stage.stdout().contains("orders-1"));
}

#[tokio::test]
async fn a_refusal_says_what_why_and_the_remedy_on_stderr() {
    let stage = Stage::new();
    let failure =
        Failure::operator("foreign-claim", "node 2 is claimed", "ratchet why orders").because("by run x");
    stage.fake.refuses("pause", &failure);
    assert_eq!(stage.run("pause orders-1").await, Exit::Blocked);
    assert_eq!(stage.stdout(), "");
    assert_eq!(stage.stderr(), "error: node 2 is claimed\n    why: by run x\n     do: ratchet why orders\n");
}

#[tokio::test]
async fn an_answer_of_another_schema_is_refused() {
    let stage = Stage::new();
    let document = proto::pb::Document { schema: "ratchet.runs/2".to_owned(), json: "{}".to_owned() };
    stage.fake.push("runs", Ok(document));
    assert_eq!(stage.run("runs").await, Exit::Unexpected);
    assert!(stage.stderr().contains("ratchet.runs/2"), "{}", stage.stderr());
}

#[tokio::test]
async fn an_answer_that_is_not_the_document_is_refused() {
    let stage = Stage::new();
    let document = proto::pb::Document { schema: "ratchet.runs/1".to_owned(), json: "{}".to_owned() };
    stage.fake.push("runs", Ok(document));
    assert_eq!(stage.run("runs").await, Exit::Unexpected);
    assert_eq!(stage.stdout(), "");
}

#[tokio::test]
async fn a_wrong_configuration_is_told_before_anybody_is_asked() {
    let stage = Stage::new();
    std::fs::write(stage.path("ratchet.toml"), "store = 1\nstoer = 2\n").unwrap();
    assert_eq!(stage.run("status").await, Exit::Usage);
    let told = stage.stderr();
    assert!(told.contains("`store`") && told.contains("`stoer`") && told.contains("`tls`"), "{told}");
    assert!(stage.fake.asked().is_empty());
}

#[tokio::test]
async fn a_named_configuration_that_is_missing_is_an_error_even_for_paths() {
    for verb in ["paths", "status", "serve", "runs"] {
        let stage = Stage::new();
        std::fs::remove_file(stage.path("ratchet.toml")).unwrap();
        assert_eq!(stage.run(verb).await, Exit::Usage, "{verb}");
        assert!(
            stage.stderr().contains("ratchet.toml") && stage.stderr().contains("do: "),
            "{}",
            stage.stderr()
        );
    }
}

#[tokio::test]
async fn completions_and_man_need_nothing_at_all() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let stage = Stage::new();
        std::fs::remove_file(stage.path("ratchet.toml")).unwrap();
        assert_eq!(stage.run(&format!("completions {shell}")).await, Exit::Done);
        assert!(stage.stdout().contains("ratchet") && stage.stdout().contains("upgrade"), "{shell}");
    }
    let stage = Stage::new();
    std::fs::remove_file(stage.path("ratchet.toml")).unwrap();
    assert_eq!(stage.run("man").await, Exit::Done);
    for verb in ["RATCHET UPGRADE", "RATCHET PACKAGE ADD", "RATCHET SERVE", "Exit codes"] {
        assert!(stage.stdout().contains(verb), "{verb}");
    }
}

#[tokio::test]
async fn an_empty_status_reads_well() {
    let stage = Stage::new();
    stage.fake.answers("status", &StatusDocument { clusters: Vec::new(), ..sample::status() });
    assert_eq!(stage.run("status").await, Exit::Done);
    assert!(stage.stdout().contains("no cluster is configured"));
}

#[tokio::test]
async fn serve_serves_until_it_is_stopped() {
    let stage = Stage::new();
    stage.stops.send(crate::cli::stops::Stop::Terminate).await.unwrap();
    assert_eq!(stage.run("serve").await, Exit::Done);
    let stage = Stage::new();
    assert_eq!(stage.run("serve --coordinator 127.0.0.1:1").await, Exit::Usage);
}

#[tokio::test]
async fn a_halt_has_a_reason_and_the_exit_of_who_was_told() {
    for (line, asked) in [
        ("halt --why moving", r#"halt_fleet HaltFleetRequest { lift: false, why: "moving" }"#),
        ("halt --lift", r#"halt_fleet HaltFleetRequest { lift: true, why: "" }"#),
    ] {
        let stage = Stage::new();
        stage.fake.answers("halt_fleet", &sample::fleet_halt());
        assert_eq!(stage.run(line).await, Exit::Unreachable, "one agent was not told");
        assert_eq!(stage.fake.asked(), [asked]);
    }
    let stage = Stage::new();
    stage.fake.answers("halt_fleet", &HaltDocument { exit_code: 0, ..sample::fleet_halt() });
    assert_eq!(stage.run("halt --lift").await, Exit::Done);
}

#[tokio::test]
async fn nobody_leading_is_no_success() {
    let stage = Stage::new();
    stage.fake.answers("leader", &LeaderDocument { holder: None, ..sample::leader() });
    assert_eq!(stage.run("leader").await, Exit::Unreachable);
    assert!(stage.stdout().contains("nobody leads"));
}

#[tokio::test]
async fn a_halted_fleet_is_told_wherever_somebody_looks() {
    for line in ["status", "runs", "why orders"] {
        let stage = Stage::new();
        let fleet_halt = sample::fleet_halt().halt;
        let halted = StatusDocument { fleet_halt: fleet_halt.clone(), ..sample::status() };
        stage.fake.answers("status", &halted);
        stage.fake.answers("runs", &RunsDocument { fleet_halt: fleet_halt.clone(), ..sample::runs() });
        stage.fake.answers("why", &WhyDocument { fleet_halt, ..sample::why() });
        stage.run(line).await;
        let out = stage.stdout();
        assert!(
            out.contains("the fleet is halted by alice@ops1: the network is being moved"),
            "{line}: {out}"
        );
        assert!(out.contains("ratchet halt --lift"), "{line}: {out}");
    }
}

#[tokio::test]
async fn a_field_this_build_does_not_know_survives() {
    let stage = Stage::new();
    let json = r#"{"schema":"ratchet.runs/1","runs":[],"since":"tomorrow"}"#;
    let document = proto::pb::Document { schema: "ratchet.runs/1".to_owned(), json: json.to_owned() };
    stage.fake.push("runs", Ok(document));
    assert_eq!(stage.run("runs -o json").await, Exit::Done);
    assert_eq!(stage.stdout(), format!("{json}\n"));
}
