//! A fleet, a configuration, and `ratchet` as a program.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]
#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fleet::configuration::{Place, ratchet_toml};
use fleet::process::{Served, free_address};
use fleet::{Fleet, FleetSpec};
use serde_json::Value;
use tempfile::TempDir;

/// The version clusters are upgraded to.
pub const TO: &str = "7.22.0-95";

/// A fleet with a configuration.
pub struct Set {
    pub fleet: Fleet,
    pub address: SocketAddr,
    place: TempDir,
    program: PathBuf,
}

/// What a call of `ratchet` came to.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Set {
    /// A fleet whose clusters have labels if they are wanted.
    pub async fn new(spec: &FleetSpec, labels: bool) -> Self {
        let fleet = Fleet::listening(spec).await.unwrap();
        let place = tempfile::Builder::new().prefix("fleet-").tempdir().unwrap();
        let address = free_address().unwrap();
        let mut listed = fleet.listed();
        if !labels {
            listed.iter_mut().for_each(|cluster| cluster.labels.clear());
        }
        let text = ratchet_toml(
            &Place {
                store: format!("sqlite://{}/ratchet.db", place.path().display()),
                listen: Some(address),
                packages: vec![TO.parse().unwrap()],
                // What soaks is looked at often, so that nobody waits long for it here.
                more: "[inventory]\nfast = \"500ms\"\nevery = \"2s\"\n".to_owned(),
            },
            &listed,
        );
        std::fs::write(place.path().join("ratchet.toml"), text).unwrap();
        Self { fleet, address, place, program: sim::built_binary("coordinator", "ratchet").unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Starts the coordinator as a service.
    pub async fn serve(&self) -> Served {
        Served::start(&self.program, &self.path("ratchet.toml"), &self.path("serve.log"), self.address)
            .await
            .unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_remove("RATCHET_COORDINATOR").arg("--config").arg(self.path("ratchet.toml"));
        command
    }

    /// Runs `ratchet` to its end with a coordinator of its own.
    pub fn alone(&self, args: &[&str]) -> Said {
        said(self.command().args(args))
    }

    /// Runs `ratchet` to its end; it asks the served coordinator.
    pub fn ask(&self, args: &[&str]) -> Said {
        said(self.command().arg("--coordinator").arg(self.address.to_string()).args(args))
    }

    /// Starts `ratchet` and leaves it running; it asks the served coordinator.
    pub fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.command();
        command.arg("--coordinator").arg(self.address.to_string()).args(args);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Waits until the ledger has so many lines, or a while is over; how many it has then.
    pub async fn lines(&self, at_least: usize, at_most: Duration) -> usize {
        let mut lines = self.fleet.ledger().lines();
        match tokio::time::timeout(at_most, lines.wait_for(|lines| *lines >= at_least)).await {
            Ok(Ok(lines)) => *lines,
            Ok(Err(_)) | Err(_) => self.fleet.ledger().entries().len(),
        }
    }

    /// How often an installer began on each node of a cluster.
    pub fn installs(&self, name: &str) -> Vec<usize> {
        let cluster = self.fleet.cluster(name).unwrap();
        self.fleet
            .nodes(&cluster.name)
            .map(|node| self.fleet.ledger().installs(&cluster.name, node))
            .collect()
    }

    pub fn versions(&self, name: &str) -> Vec<String> {
        self.fleet.cluster(name).unwrap().versions().iter().map(ToString::to_string).collect()
    }

    pub fn breaks_nothing(&self) {
        let violations = self.fleet.ledger().violations();
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

fn said(command: &mut Command) -> Said {
    // Elsewhere, so that the agents go on in this thread.
    let output = tokio::task::block_in_place(|| command.output()).unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
