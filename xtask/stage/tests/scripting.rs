//! The scripts in `docs/examples/` do on a whole cluster what the page says of them.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Said, TO, installs, ratchet, set, small, versions, with_faults};
use sim::built_binary;
use stage::Stage;

/// A coordinator that serves, and a `ratchet` on the path that speaks to it.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(stage: &Stage) -> Self {
        let config = stage.dir.join("served.toml");
        let text = std::fs::read_to_string(stage.configuration()).unwrap();
        std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\n{text}")).unwrap();
        let mut command = Command::new(built_binary("coordinator", "ratchet").unwrap());
        command.arg("--config").arg(&config).arg("serve").stdin(Stdio::null()).stderr(Stdio::piped());
        command.env_remove("RATCHET_COORDINATOR").env_remove("JOURNAL_STREAM");
        command.env("RUST_LOG", "coordinator=info").env("NO_COLOR", "1");
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("listening")).unwrap();
        let address = line.rsplit_once("address=").unwrap().1.trim().to_owned();
        // Whoever is not read from stands still at last.
        std::thread::spawn(move || lines.for_each(drop));
        let bin = stage.dir.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let program = built_binary("coordinator", "ratchet").unwrap();
        let wrapper = format!(
            "#!/bin/sh\nexec {} --config {} \"$@\"\n",
            program.display(),
            stage.configuration().display()
        );
        std::fs::write(bin.join("ratchet"), wrapper).unwrap();
        std::fs::set_permissions(bin.join("ratchet"), PermissionsExt::from_mode(0o755)).unwrap();
        Self { child, address }
    }

    fn run(&self, stage: &Stage, script: &str, arguments: &[&str]) -> Said {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
        let path = std::env::var("PATH").unwrap();
        let output = Command::new(examples.join(script))
            .args(arguments)
            .current_dir(&stage.dir)
            .env("PATH", format!("{}:{path}", stage.dir.join("bin").display()))
            .env("RATCHET_COORDINATOR", &self.address)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Waits until the inventory has seen the cluster.
    fn has_seen(&self, stage: &Stage) {
        let seen = || {
            let said = ratchet(stage, &["-o", "json", "--coordinator", &self.address, "inventory"]);
            said.code == 0 && said.json()["clusters"][0]["seen_at"].is_string()
        };
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !seen() {
            assert!(std::time::Instant::now() < patience, "the inventory has not seen the cluster");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_upgrades_the_cluster_and_the_next_one_has_nothing_to_do() {
    let stage = set(small()).await;
    let service = Service::start(&stage);
    let said = service.run(&stage, "nightly.sh", &["orders", TO, "5m"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    let again = service.run(&stage, "nightly.sh", &["orders", TO, "5m"]);
    assert_eq!((again.code, again.out.as_str(), installs(&stage)), (0, "", vec![1; 3]), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_that_is_too_short_is_gone_on_with_by_the_same_call() {
    let stage = set(with_faults(small(), "on install of master nth 1: takes 4000 ms")).await;
    let service = Service::start(&stage);
    let short = service.run(&stage, "nightly.sh", &["orders", TO, "1s"]);
    assert_eq!(short.code, 5, "{short:?}");
    let next = service.run(&stage, "nightly.sh", &["orders", TO, "5m"]);
    assert_eq!((next.code, installs(&stage)), (0, vec![1; 3]), "{next:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_leaves_its_plan_and_its_report_also_when_the_run_halts() {
    let stage = set(with_faults(small(), "on install of master nth 1: abort")).await;
    let service = Service::start(&stage);
    let said = service.run(&stage, "ci-upgrade.sh", &["orders", TO]);
    assert_eq!(said.code, 4, "{said:?}");
    let left = |name: &str| std::fs::read_to_string(stage.dir.join(name)).unwrap();
    assert!(left("plan.json").contains("ratchet.plan/1"));
    assert!(left("report.md").contains("halted"), "{}", left("report.md"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_over_the_inventory_upgrades_what_is_healthy() {
    let stage = set(small()).await;
    let service = Service::start(&stage);
    service.has_seen(&stage);
    let said = service.run(&stage, "fleet-loop.sh", &[TO]);
    assert_eq!((said.code, said.out.trim()), (0, "orders: done"), "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
}
