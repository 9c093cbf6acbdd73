//! Installs, by the real program, with agents and installers killed at the worst moments (promises P6, P7, P9, P10).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use common::*;
use proto::*;

/// Waits in the installer for a file, which the test makes when it is time.
const WAIT: &str = "while [ ! -e \"$ROOT/go\" ]; do sleep 0.05; done";

fn go(place: &Place) {
    fs::write(place.path("root/go"), "").unwrap();
}

#[tokio::test]
async fn an_install_goes_on_without_the_agent_and_is_started_once() {
    let place = Place::new();
    let script = format!(
        "echo $$ >> \"$ROOT/starts\"; echo '[.] one'; echo waiting; {WAIT}\n\
         echo {NEW} > \"$ROOT/version\"; echo 'Installation complete.'"
    );
    let package = place.package(&script);
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    let mut events = driver.open("install", &spec, 1).await.unwrap();
    let seen = until_output(&mut events, "waiting").await;
    agent.kill();

    // Nobody asks the second agent for the step: it must know of it by itself.
    let agent = Agent::start(&place);
    let mut driver = agent.driver(2);
    let facts = driver.observe().await;
    let current = facts.current_step.expect("re-attached at once");
    assert_eq!((current.step.as_str(), current.kind), ("install", StepKind::Install));
    driver.claim().await.unwrap();
    assert_eq!(driver.release().await.unwrap_err().id, "install-in-flight");
    assert_eq!(driver.cancel("install").await.unwrap_err().id, "not-cancellable");
    assert_eq!(driver.open("check", &StepSpec::Check, 1).await.unwrap_err().id, "busy");

    let mut rest = driver.open("install", &spec, seen + 1).await.unwrap();
    go(&place);
    let mut numbers = Vec::new();
    let mut said = Vec::new();
    while let Some(event) = next(&mut rest).await {
        numbers.push(event.seq);
        if let StepProgress::Output(line) = event.what {
            said.push(line);
        }
    }
    assert_eq!(numbers, (seen + 1..=seen + numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(said, ["Installation complete."], "each line once");
    let all = driver.all("install", &spec).await;
    assert!(all.iter().any(|event| event.what == StepProgress::Started { resumed: true }));
    let report = installed(driver.outcome("install", &spec).await);
    assert_eq!((report.exit, report.log_says_complete), (Exit::Code(0), true));
    assert_eq!(lines(&place.path("root/starts")), 1);
    driver.release().await.unwrap();
}

#[tokio::test]
async fn the_op_runner_never_starts_an_installer_twice() {
    let place = Place::new();
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    installed(driver.outcome("install", &spec).await);
    let status = Command::new(env!("CARGO_BIN_EXE_ratchet-agent"))
        .arg("--config")
        .arg(place.path("agent.toml"))
        .args(["run-op", "install"])
        .status()
        .unwrap();
    assert!(!status.success());
    installed(driver.outcome("install", &spec).await);
    assert_eq!(lines(&place.path("root/starts")), 1);
    let mut other = driver.prepare(&package).await;
    other.deadline = Some(std::time::Duration::from_secs(1));
    assert_eq!(driver.open("install", &StepSpec::Install(other), 1).await.unwrap_err().id, "bug");
}

#[tokio::test]
async fn whatever_the_installer_returns_is_evidence() {
    for (script, exit, complete) in [
        ("echo '[x] Upgrade aborted.'; exit 0", Exit::Code(0), false),
        ("echo 'Installation complete.'; exit 1", Exit::Code(1), true),
        ("kill -9 $$", Exit::Signal(9), false),
    ] {
        let place = Place::new();
        let package = place.package(script);
        let agent = Agent::start(&place);
        let mut driver = agent.driver(1);
        driver.claim().await.unwrap();
        let spec = StepSpec::Install(driver.prepare(&package).await);
        let report = installed(driver.outcome("install", &spec).await);
        assert_eq!((report.exit, report.log_says_complete), (exit, complete), "{script}");
        assert_eq!(report.log_errors.is_empty(), !script.contains("[x]"), "{report:?}");
        let confirm = StepSpec::Confirm {
            target: NEW.parse().unwrap(),
            deadline: std::time::Duration::from_millis(300),
        };
        let failure = failed(driver.outcome("confirm", &confirm).await);
        assert_eq!(failure.id, "wrong-version");
        assert!(failure.cause.unwrap().contains(OLD), "says what was last seen");
    }
}

#[tokio::test]
async fn the_environment_is_clean_and_the_directory_right() {
    let place = Place::new();
    let package = place.package("env | sort; umask; pwd; echo \"args $*\"; cat; id -u > /dev/null");
    // As the agent's unit has it, and as no installer may have it.
    let program = place.path("agent-with-umask");
    let start = format!("#!/bin/sh\numask 0077\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_ratchet-agent"));
    fs::write(&program, start).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let agent = Agent::start_program(&place, &program);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    let events = driver.all("install", &spec).await;
    let said: Vec<String> = events
        .into_iter()
        .filter_map(|event| if let StepProgress::Output(line) = event.what { Some(line) } else { None })
        .collect();
    for wanted in ["HOME=/root", "TERM=dumb", "LANG=C", "0022", "args -y"] {
        assert!(said.iter().any(|line| line == wanted), "{wanted}: {said:?}");
    }
    assert!(said.iter().any(|line| line.ends_with("state/unpacked/unpack/tree")), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("CARGO") || line.contains("NO_COLOR")), "{said:?}");
}

#[tokio::test]
async fn at_the_deadline_everything_the_installer_started_is_killed() {
    let place = Place::new();
    // A child in a session of its own that ignores TERM, and one more orphaned below it.
    let package = place.package(
        "setsid sh -c 'trap \"\" TERM; (trap \"\" TERM; echo $$; sleep 600; sleep 600) & echo $$; wait; sleep 600' &\n\
         echo $$; sleep 600",
    );
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let mut install = driver.prepare(&package).await;
    install.deadline = Some(std::time::Duration::from_millis(700));
    let report = installed(driver.outcome("install", &StepSpec::Install(install)).await);
    assert_eq!(report.exit, Exit::Deadline);
    let output = fs::read_to_string(report.log_path).unwrap();
    let pids: Vec<&str> = output.lines().filter(|line| line.parse::<u32>().is_ok()).collect();
    assert!(pids.len() >= 2, "{output}");
    for pid in pids {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!command.contains("sleep") && !command.contains("install"), "{pid} lives: {command}");
    }
}

#[tokio::test]
async fn a_killed_op_runner_is_an_interruption_and_its_installer_is_waited_for() {
    let place = Place::new();
    let package = place.package(&format!("echo waiting; {WAIT}; echo done > \"$ROOT/done\""));
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    let mut events = driver.open("install", &spec, 1).await.unwrap();
    until_output(&mut events, "waiting").await;
    let started = fs::read_to_string(place.path("state/steps/install/started.json")).unwrap();
    let started: serde_json::Value = serde_json::from_str(&started).unwrap();
    let pid = started["process"]["pid"].as_i64().unwrap();
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    go(&place);
    let outcome = driver.outcome("install", &spec).await;
    assert!(matches!(outcome, StepOutcome::Interrupted(_)), "{outcome:?}");
    assert!(place.path("root/done").exists(), "it was waited for");
}

#[tokio::test]
async fn a_start_from_before_a_reboot_is_an_interruption() {
    let place = Place::new();
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    fs::create_dir_all(place.path("state/steps/install")).unwrap();
    let started = r#"{"boot_id":"another","process":{"pid":1,"start_time":0},"invocation_id":null,"at":"2026-01-01T00:00:00Z"}"#;
    fs::write(place.path("state/steps/install/started.json"), started).unwrap();
    let outcome = driver.outcome("install", &spec).await;
    assert!(matches!(&outcome, StepOutcome::Interrupted(why) if why.contains("restarted")), "{outcome:?}");
    assert_eq!(lines(&place.path("root/starts")), 0);
}

#[tokio::test]
async fn what_does_not_hold_on_the_node_starts_nothing() {
    type Spoil = fn(&Place, &mut InstallSpec);
    let spoil: [(&str, Spoil); 8] = [
        ("wrong-version", |_, install| install.expected_installed = "7.4.2-53".parse().unwrap()),
        ("wrong-role", |_, install| install.expected_role = Some(NodeRole::Replica)),
        ("install-args-differ", |_, install| install.args = vec!["-c".to_owned(), "/x".to_owned()]),
        ("install-args-refused", |_, install| install.args.push("--install-dir=/x".to_owned())),
        ("not-unpacked", |_, install| install.unpacked_by = "other".parse().unwrap()),
        ("not-unpacked", |_, install| install.package = Sha256::of(b"other")),
        ("tree-changed", |place, _| {
            fs::write(place.path("state/unpacked/unpack/tree/install.sh"), "#!/bin/sh\n").unwrap();
        }),
        ("digest-mismatch", |place, install| {
            fs::write(place.path(&format!("state/packages/{}.archive", install.package)), "x").unwrap();
        }),
    ];
    for (id, spoil) in spoil {
        let place = Place::new();
        let package = place.package("echo x >> \"$ROOT/starts\"");
        let agent = Agent::start(&place);
        let mut driver = agent.driver(1);
        driver.claim().await.unwrap();
        let mut install = driver.prepare(&package).await;
        spoil(&place, &mut install);
        let failure = failed(driver.outcome("install", &StepSpec::Install(install)).await);
        assert_eq!(failure.id, id, "{failure:?}");
        assert!(failure.remedy.is_some());
        assert_eq!(lines(&place.path("root/starts")), 0, "{id}");
    }
}

#[tokio::test]
async fn an_unreadable_product_is_not_the_expected_one() {
    let place = Place::new();
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    place.program("rladmin", "exit 1");
    let failure = failed(driver.outcome("install", &spec).await);
    assert_eq!(failure.id, "unreadable", "{failure:?}");
    assert_eq!(lines(&place.path("root/starts")), 0);
}

#[tokio::test]
async fn a_whole_turn_ends_confirmed() {
    let place = Place::new();
    let package = place.package(&format!("echo {NEW} > \"$ROOT/version\"; echo 'Installation complete.'"));
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let install = driver.prepare(&package).await;
    assert!(matches!(completed(driver.outcome("check", &StepSpec::Check).await), StepReport::Check(_)));
    installed(driver.outcome("install", &StepSpec::Install(install)).await);
    let confirm =
        StepSpec::Confirm { target: NEW.parse().unwrap(), deadline: std::time::Duration::from_secs(30) };
    match completed(driver.outcome("confirm", &confirm).await) {
        StepReport::Confirm { installed, .. } => assert_eq!(installed.version.to_string(), NEW),
        other => panic!("{other:?}"),
    }
    let collect = StepSpec::Collect { about: "install".parse().unwrap() };
    match completed(driver.outcome("collect", &collect).await) {
        StepReport::Collect { path, size } => {
            let meta = fs::metadata(path).unwrap();
            assert_eq!((meta.len(), size > 0), (size, true));
        }
        other => panic!("{other:?}"),
    }
    let restart = StepSpec::Restart { service: RestartableService::CnmExec };
    assert_eq!(completed(driver.outcome("restart", &restart).await), StepReport::Restart);
    assert_eq!(lines(&place.path("root/restarts")), 2, "status for the bundle, then the restart");
    let mode = fs::metadata(place.path("state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "nobody else may look");
}

#[tokio::test]
async fn an_agent_killed_before_the_start_starts_it_when_asked_again_and_only_then() {
    let place = Place::new();
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    place.program("rladmin", "exec sleep 20");
    let mut events = driver.open("install", &spec, 1).await.unwrap();
    assert_eq!(next(&mut events).await.unwrap().what, StepProgress::Started { resumed: false });
    agent.kill();
    place.program("rladmin", RLADMIN);
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    assert_eq!(driver.observe().await.current_step, None);
    assert_eq!(lines(&place.path("root/starts")), 0);
    assert_eq!(installed(driver.outcome("install", &spec).await).exit, Exit::Code(0));
    assert_eq!(lines(&place.path("root/starts")), 1);
}

/// An agent killed when it had been given an install and had not started it.
async fn killed_before_the_start(place: &Place) -> StepSpec {
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    place.program("rladmin", "exec sleep 20");
    let mut events = driver.open("install", &spec, 1).await.unwrap();
    next(&mut events).await.unwrap();
    agent.kill();
    place.program("rladmin", RLADMIN);
    spec
}

#[tokio::test]
async fn an_install_that_was_never_started_may_be_ordered_again_with_other_expectations() {
    let place = Place::new();
    let spec = killed_before_the_start(&place).await;
    let StepSpec::Install(old) = spec else { panic!("{spec:?}") };
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    let wrong = StepSpec::Install(InstallSpec { args: vec!["-n".to_owned()], ..old.clone() });
    assert_eq!(driver.open("install", &wrong, 1).await.unwrap_err().id, "bug");
    let newer = StepSpec::Install(InstallSpec { expected_role: None, ..old.clone() });
    installed(driver.outcome("install", &newer).await);
    let kept = fs::read_to_string(place.path("state/steps/install/spec.json")).unwrap();
    assert!(kept.contains("\"expected_role\": null"), "{kept}");
    assert_eq!(
        driver.open("install", &StepSpec::Install(old), 1).await.unwrap_err().id,
        "bug",
        "it has ended"
    );
    assert_eq!(lines(&place.path("root/starts")), 1);
}

#[tokio::test]
async fn an_install_that_is_said_to_be_never_begun_never_begins() {
    let place = Place::new();
    let spec = killed_before_the_start(&place).await;
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    for step in ["install", "unheard-of"] {
        assert_eq!(driver.join(step, &spec).await.unwrap_err().id, "never-ordered");
        // The order itself, late, and whoever asks again.
        for _ in 0..2 {
            let failure = failed(driver.outcome(step, &spec).await);
            assert_eq!(
                (failure.id.as_str(), failure.kind),
                ("not-started", FailureKind::Retry),
                "{failure:?}"
            );
            driver.join(step, &spec).await.unwrap();
        }
        // And an op runner that was only slow.
        let late = Command::new(env!("CARGO_BIN_EXE_ratchet-agent"))
            .arg("--config")
            .arg(place.path("agent.toml"))
            .args(["run-op", step])
            .output()
            .unwrap();
        assert!(!late.status.success());
    }
    assert_eq!(lines(&place.path("root/starts")), 0);
    installed(driver.outcome("another", &spec).await);
    assert_eq!(lines(&place.path("root/starts")), 1);
}

#[tokio::test]
async fn an_op_runner_that_cannot_be_started_changes_nothing_and_never_will() {
    let place = Place::new();
    // No unit of that name exists here, with or without systemd.
    place.configure("runner = 'systemd'\n");
    let package = place.package("echo x >> \"$ROOT/starts\"");
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    assert_eq!(failed(driver.outcome("install", &spec).await).id, "not-started");
    // A runner that was only slow comes too late.
    let late = Command::new(env!("CARGO_BIN_EXE_ratchet-agent"))
        .arg("--config")
        .arg(place.path("agent.toml"))
        .args(["run-op", "install"])
        .output()
        .unwrap();
    assert!(!late.status.success());
    assert_eq!(lines(&place.path("root/starts")), 0);
}

#[tokio::test]
async fn no_installer_is_started_beside_one_that_was_given_up_but_lives() {
    let place = Place::new();
    let package = place.package(&format!("echo {NEW} > \"$ROOT/version\""));
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    let earlier = place.path("state/steps/earlier");
    fs::create_dir_all(&earlier).unwrap();
    fs::write(earlier.join("started.json"), "{}").unwrap();
    let lock = fs::File::create(earlier.join("op.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let StepOutcome::Failed(failure) = driver.outcome("install", &spec).await else {
        panic!("it was started")
    };
    assert_eq!(failure.id, "install-in-flight");
    assert!(failure.message.contains("earlier"), "{failure:?}");
    drop(lock);
    installed(driver.outcome("again", &spec).await);
}

#[tokio::test]
async fn an_agent_whose_program_was_replaced_still_starts_its_op_runner() {
    let place = Place::new();
    let package = place.package(&format!("echo {NEW} > \"$ROOT/version\""));
    let program = place.path("ratchet-agent");
    fs::copy(env!("CARGO_BIN_EXE_ratchet-agent"), &program).unwrap();
    let agent = Agent::start_program(&place, &program);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let spec = StepSpec::Install(driver.prepare(&package).await);
    fs::remove_file(&program).unwrap();
    installed(driver.outcome("install", &spec).await);
}
