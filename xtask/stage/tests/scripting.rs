//! The scripts in `docs/examples/` do on a whole cluster what the page says of them.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use common::service::Service;
use common::{Said, TO, installs, set, small, versions, with_faults};
use sim::built_binary;
use stage::Stage;

/// A coordinator that serves, and a `ratchet` on the path of scripts that speaks to it.
struct Scripted {
    service: Service,
}

impl Scripted {
    fn start(stage: &Stage) -> Self {
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
        Self { service: Service::start(stage, "served") }
    }

    fn run(&self, stage: &Stage, script: &str, arguments: &[&str]) -> Said {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
        let path = std::env::var("PATH").unwrap();
        let output = Command::new(examples.join(script))
            .args(arguments)
            .current_dir(&stage.dir)
            .env("PATH", format!("{}:{path}", stage.dir.join("bin").display()))
            .env("RATCHET_COORDINATOR", &self.service.address)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_upgrades_the_cluster_and_the_next_one_has_nothing_to_do() {
    let stage = set(small()).await;
    let scripts = Scripted::start(&stage);
    let said = scripts.run(&stage, "nightly.sh", &["orders", TO, "5m"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
    let again = scripts.run(&stage, "nightly.sh", &["orders", TO, "5m"]);
    assert_eq!((again.code, again.out.as_str(), installs(&stage)), (0, "", vec![1; 3]), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_that_is_too_short_is_gone_on_with_by_the_same_call() {
    let stage = set(with_faults(small(), "on install of master nth 1: takes 4000 ms")).await;
    let scripts = Scripted::start(&stage);
    let short = scripts.run(&stage, "nightly.sh", &["orders", TO, "1s"]);
    assert_eq!(short.code, 5, "{short:?}");
    let next = scripts.run(&stage, "nightly.sh", &["orders", TO, "5m"]);
    assert_eq!((next.code, installs(&stage)), (0, vec![1; 3]), "{next:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_leaves_its_plan_and_its_report_also_when_the_run_halts() {
    let stage = set(with_faults(small(), "on install of master nth 1: abort")).await;
    let scripts = Scripted::start(&stage);
    let said = scripts.run(&stage, "ci-upgrade.sh", &["orders", TO]);
    assert_eq!(said.code, 4, "{said:?}");
    let left = |name: &str| std::fs::read_to_string(stage.dir.join(name)).unwrap();
    assert!(left("plan.json").contains("ratchet.plan/1"));
    assert!(left("report.md").contains("halted"), "{}", left("report.md"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_over_the_inventory_upgrades_what_is_healthy() {
    let stage = set(small()).await;
    let scripts = Scripted::start(&stage);
    scripts.service.until(&stage, &["inventory"], |said| {
        said.code == 0 && said.json()["clusters"][0]["seen_at"].is_string()
    });
    let said = scripts.run(&stage, "fleet-loop.sh", &[TO]);
    assert_eq!((said.code, said.out.trim()), (0, "orders: done"), "{said:?}");
    assert_eq!(versions(&stage), [TO; 3]);
}
