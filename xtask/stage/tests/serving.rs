//! Two coordinators as services on one store: one is killed in the middle, the other goes on (promises P6, P7).

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use common::{TO, install_of, installs, ratchet, set, small, spawn, versions, with_faults};
use sim::built_binary;
use stage::Stage;

/// A coordinator that serves; killed when it is dropped.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(stage: &Stage, name: &str) -> Self {
        let config = stage.dir.join(format!("{name}.toml"));
        let text = std::fs::read_to_string(stage.configuration()).unwrap();
        std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\n{text}")).unwrap();
        let mut command = Command::new(built_binary("coordinator", "ratchet").unwrap());
        command.arg("--config").arg(&config).arg("serve").stdin(Stdio::null()).stderr(Stdio::piped());
        command.env_remove("RATCHET_COORDINATOR").env("RUST_LOG", "coordinator=info").env("NO_COLOR", "1");
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("listening")).unwrap();
        let address = line.rsplit_once("address=").unwrap().1.trim().to_owned();
        // Whoever is not read from stands still at last.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    fn leads(&self, stage: &Stage) -> bool {
        let said = ratchet(stage, &["-o", "json", "--coordinator", &self.address, "leader"]);
        said.json()["leads"] == true
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_that_leads_is_killed_and_the_other_goes_on() {
    let stage = set(with_faults(small(), "on install of master nth 1: takes 2500 ms")).await;
    let (first, second) = (Service::start(&stage, "first"), Service::start(&stage, "second"));
    let both = format!("{},{}", first.address, second.address);
    let upgrade =
        ["-o", "json", "--coordinator", &both, "upgrade", "orders", "--to", TO, "--yes", "--detach"];
    let begun = ratchet(&stage, &upgrade);
    assert_eq!(begun.code, 0, "{begun:?}");
    let run = begun.json()["id"].as_str().unwrap().to_owned();
    let waiting = spawn(&stage, &["-o", "json", "--coordinator", &both, "wait", &run]);
    install_of(&stage, stage.cluster.master().unwrap()).await;
    assert_eq!(
        ratchet(&stage, &upgrade).json()["id"],
        run.as_str(),
        "the same request twice is the same run"
    );
    let (leader, standby) = if first.leads(&stage) { (first, second) } else { (second, first) };
    assert!(!standby.leads(&stage));
    drop(leader);
    let ended = waiting.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(installs(&stage), [1; 3], "P6");
    assert_eq!(versions(&stage), [TO; 3]);
    assert!(standby.leads(&stage));
}
