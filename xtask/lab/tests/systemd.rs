//! A node with a real systemd: installs run in units of their own and outlive the agent (promises P6, P7), and the
//! coordinator runs as its shipped unit says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use anyhow::Result;
use common::*;
use lab::sealed;
use proto::*;
use serde_json::Value;

/// Ends an installation that went through something, and sees that it was one and the same all along.
async fn ends_well(lab: &Lab<'_>, invocation: &str) {
    assert_eq!(lab.property(OP, "InvocationID"), invocation, "the unit went on");
    assert_eq!(lab.property(OP, "ActiveState"), "activating", "the installer still runs");
    lab.go();
    let events = lab.driver.until("install", &install(), |_| false).await;
    assert!(events.contains(&StepProgress::Started { resumed: true }), "{events:?}");
    assert_eq!(output(&events).iter().filter(|line| *line == "Installation complete.").count(), 1);
    installed_and_confirmed(lab).await;
}

async fn installed_and_confirmed(lab: &Lab<'_>) {
    match completed(lab.driver.outcome("install", &install()).await) {
        StepReport::Install(done) => assert_eq!((done.exit, done.log_says_complete), (Exit::Code(0), true)),
        other => panic!("{other:?}"),
    }
    let confirm = StepSpec::Confirm { target: NEW.parse().unwrap(), deadline: Duration::from_secs(30) };
    assert!(matches!(completed(lab.driver.outcome("confirm", &confirm).await), StepReport::Confirm { .. }));
    assert_eq!(lab.starts(), 1);
}

#[test]
fn an_installer_runs_in_a_unit_of_its_own_and_out_of_the_sandbox() -> Result<()> {
    sealed("an_installer_runs_in_a_unit_of_its_own_and_out_of_the_sandbox", async |place| {
        let lab = Lab::boot(place);
        assert_eq!(lab.driver.observe().await.runner, RunnerKind::Systemd, "found out by the agent itself");
        let said = lab.start_install().await;
        let cgroup = said.iter().find_map(|line| line.strip_prefix("0::")).unwrap();
        assert!(cgroup.ends_with("/ratchet-op@install.service"), "{said:?}");
        assert!(said.iter().any(|line| line == "NoNewPrivs:\t0"), "{said:?}");
        assert_eq!(lab.property(OP, "ActiveState"), "activating");
        assert!(cgroup.ends_with(&lab.property(OP, "ControlGroup")));
        assert_ne!(lab.property(AGENT, "ControlGroup"), lab.property(OP, "ControlGroup"));

        lab.go();
        installed_and_confirmed(&lab).await;
        // Kept, so that this boot refuses a second start of the same name; and ended by itself, not by a signal.
        let ended = ["LoadState", "ActiveState", "SubState", "ExecMainCode", "ExecMainStatus"];
        let ended = ended.map(|name| lab.property(OP, name));
        assert_eq!(ended, ["loaded", "active", "exited", "1", "0"]);
        lab.node.run(&["systemctl", "start", OP])?;
        assert_eq!(lab.starts(), 1);
        Ok(())
    })
}

#[test]
fn an_agent_that_is_killed_comes_back_to_its_installer() -> Result<()> {
    sealed("an_agent_that_is_killed_comes_back_to_its_installer", async |place| {
        let lab = Lab::boot(place);
        lab.start_install().await;
        let invocation = lab.property(OP, "InvocationID");
        lab.node.run(&["systemctl", "kill", "--kill-who=main", "--signal=KILL", AGENT])?;
        lab.until(AGENT, "NRestarts", |count| count != "0").await;
        lab.until(AGENT, "ActiveState", |state| state == "active").await;
        ends_well(&lab, &invocation).await;
        Ok(())
    })
}

#[test]
fn restarts_of_the_agent_and_of_systemd_leave_an_installer_alone() -> Result<()> {
    sealed("restarts_of_the_agent_and_of_systemd_leave_an_installer_alone", async |place| {
        let lab = Lab::boot(place);
        lab.start_install().await;
        let (invocation, agent) = (lab.property(OP, "InvocationID"), lab.property(AGENT, "MainPID"));
        lab.node.run(&["systemctl", "restart", AGENT])?;
        assert_ne!(lab.property(AGENT, "MainPID"), agent);
        lab.node.run(&["systemctl", "daemon-reexec"])?;
        lab.node.run(&["systemctl", "daemon-reload"])?;
        lab.node.run(&["systemctl", "restart", AGENT])?;
        ends_well(&lab, &invocation).await;
        Ok(())
    })
}

/// The id of this boot, which the agent must see as everybody on the node does: by it, it tells a reboot.
async fn boot_id(lab: &Lab<'_>) -> String {
    let known = lab.node.run(&["cat", "/proc/sys/kernel/random/boot_id"]).unwrap();
    assert_eq!(lab.driver.observe().await.boot_id, known, "the agent's sandbox hides nothing of it");
    known
}

#[test]
fn an_installer_that_a_crash_cut_off_is_not_started_again() -> Result<()> {
    sealed("an_installer_that_a_crash_cut_off_is_not_started_again", async |place| {
        let lab = Lab::boot(place);
        lab.start_install().await;
        let before = boot_id(&lab).await;
        let lab = lab.crash_and_boot();
        assert_ne!(boot_id(&lab).await, before);
        // It would end at once if anybody started it.
        lab.go();
        for _ in 0..2 {
            let outcome = lab.driver.outcome("install", &install()).await;
            let StepOutcome::Interrupted(why) = outcome else { panic!("{outcome:?}") };
            assert!(why.contains("restarted"), "{why}");
        }
        assert_eq!(lab.property(OP, "ActiveState"), "inactive");
        assert!(lab.node.run(&["systemctl", "start", OP]).is_err(), "by hand, it refuses");
        assert_eq!(lab.starts(), 1);
        assert_eq!(std::fs::read_to_string(lab.root.path("etc/opt/redislabs/version"))?, OLD);
        Ok(())
    })
}

/// On RHEL the product may lie anywhere (fact sheet §5.5). The shipped interval of the watchdog is a minute; the node's is
/// two seconds, so that the test sees it pass.
#[test]
fn the_sandbox_hinders_nothing_and_the_watchdog_bites() -> Result<()> {
    sealed("the_sandbox_hinders_nothing_and_the_watchdog_bites", async |place| {
        let drop_in = "[Service]\nWatchdogSec=2s\nLimitCORE=0\n";
        let below = "etc/systemd/system/ratchet-agent.service.d/quick.conf";
        let prepare = |root: &lab::Root| root.write(below, drop_in).unwrap();
        let lab = Lab::boot_with(place, "/data/redislabs", "/data/redislabs-var", prepare);
        assert_eq!(lab.property(AGENT, "ActiveState"), "active");
        assert!(lab.property(AGENT, "StatusText").contains("listening"), "it said so itself");
        for _ in 0..3 {
            let fed = lab.property(AGENT, "WatchdogTimestampMonotonic");
            lab.until(AGENT, "WatchdogTimestampMonotonic", |now| now != fed).await;
        }
        let facts = lab.driver.observe().await;
        assert_eq!(facts.installation.known().unwrap().var_dir, "/data/redislabs-var");
        assert!(facts.rlcheck.unwrap().known().unwrap().passed);
        let installed = facts.installed.known().unwrap();
        assert_eq!(installed.version.to_string(), OLD);
        assert!(facts.running_actions.known().is_some() && facts.system.listening_ports.known().is_some());
        assert!(facts.disks.iter().all(|disk| disk.room.known().is_some()), "{:?}", facts.disks);
        assert_eq!(lab.property(AGENT, "NRestarts"), "0");

        lab.node.run(&["systemctl", "kill", "--kill-who=main", "--signal=STOP", AGENT])?;
        lab.until(AGENT, "NRestarts", |count| count != "0").await;
        lab.until(AGENT, "ActiveState", |state| state == "active").await;
        lab.driver.claim().await;
        Ok(())
    })
}

const COORDINATOR: &str = "ratchet.service";
/// All else is as shipped, also where its store is.
const CONFIGURATION: &str = "store = 'sqlite:///var/lib/ratchet/ratchet.db'\nlisten = '127.0.0.1:7444'\n\
                             insecure_loopback = true\n[[cluster]]\nname = 'orders'\nagents = ['127.0.0.1:7443']\n";

/// The records of a unit that have this field.
fn records(lab: &Lab<'_>, unit: &str, field: &str) -> Vec<Value> {
    let unit = format!("--unit={unit}");
    let said = lab.node.run(&["journalctl", &unit, "--output=json", "--no-pager"]).unwrap();
    let records = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record.get(field).is_some()).collect()
}

/// Waits for a record with this field.
async fn record(lab: &Lab<'_>, unit: &str, field: &str) -> Value {
    let looking = async {
        let mut looks = tokio::time::interval(Duration::from_millis(100));
        loop {
            looks.tick().await;
            if let Some(record) = records(lab, unit, field).pop() {
                return record;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("{unit} tells the journal of no {field}"))
}

#[test]
fn the_coordinator_serves_as_its_own_user_and_the_journal_knows_what_it_is_about() -> Result<()> {
    let test = "the_coordinator_serves_as_its_own_user_and_the_journal_knows_what_it_is_about";
    sealed(test, async |place| {
        let prepare = |root: &lab::Root| root.add_coordinator(CONFIGURATION).unwrap();
        let lab = Lab::boot_with(place, "/opt/redislabs", "/var/opt/redislabs", prepare);
        lab.until(COORDINATOR, "ActiveState", |state| state == "active").await;
        let process = format!("/proc/{}", lab.property(COORDINATOR, "MainPID"));
        assert_eq!(lab.node.run(&["stat", "--format=%U", &process])?, "ratchet");
        assert_eq!(lab.node.run(&["stat", "--format=%U %a", "/var/lib/ratchet"])?, "ratchet 750");
        assert_eq!(lab.node.run(&["stat", "--format=%U", "/var/lib/ratchet/ratchet.db"])?, "ratchet");

        // How well the cluster is, is another matter: two of its nodes are not there.
        let status = "ratchet --coordinator 127.0.0.1:7444 -o json status; :";
        let said: Value = serde_json::from_str(&lab.node.run(&["sh", "-c", status])?)?;
        assert!(said.to_string().contains("orders"), "{said}");

        let leading = record(&lab, COORDINATOR, "EPOCH").await;
        assert_eq!(leading["_SYSTEMD_UNIT"], COORDINATOR, "it told the journal by itself: {leading}");
        assert_eq!(leading["_CAP_EFFECTIVE"], "0", "it may nothing that another user may not: {leading}");

        lab.start_install().await;
        lab.go();
        completed(lab.driver.outcome("install", &install()).await);
        let of_step = record(&lab, OP, "STEP").await;
        assert_eq!(of_step["STEP"], "install", "{of_step}");
        assert_eq!(lab.property(COORDINATOR, "NRestarts"), "0");
        Ok(())
    })
}
