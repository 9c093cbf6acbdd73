//! What every end-to-end test needs. Each test file uses a part of it.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]
#![allow(dead_code, reason = "every test file is a crate of its own and uses a part of this")]

pub mod service;

use std::process::{Child, Command, Stdio};

use proto::Version;
use serde_json::Value;
use sim::{ClusterSpec, Timing};
use stage::{Stage, StageSpec};
use tempfile::TempDir;

/// The version clusters start at, and the one they are upgraded to.
pub const FROM: &str = "7.4.2-54";
pub const TO: &str = "7.22.0-95";

/// A set stage and the directory it lies in.
pub struct Set {
    pub stage: Stage,
    _place: TempDir,
}

impl std::ops::Deref for Set {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl std::ops::DerefMut for Set {
    fn deref_mut(&mut self) -> &mut Stage {
        &mut self.stage
    }
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

    /// The last line of a stream of JSON objects.
    pub fn last_json(&self) -> Value {
        let last = self.out.lines().last().unwrap_or_else(|| panic!("nothing on stdout: {self:?}"));
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub fn v(text: &str) -> Version {
    text.parse().unwrap()
}

/// A small modelled cluster at [`FROM`] and a package of [`TO`].
pub fn small() -> StageSpec {
    StageSpec::new(quick(ClusterSpec::modelled(3, v(FROM))), &[v(TO)])
}

/// The same cluster with everything taking as little time as it can.
pub fn quick(spec: ClusterSpec) -> ClusterSpec {
    let millis = std::time::Duration::from_millis;
    let timing = Timing { detect: millis(50), failover: millis(80), install: millis(100), load: millis(50) };
    ClusterSpec { name: "orders".to_owned(), timing, ..spec }
}

pub fn with_faults(mut spec: StageSpec, faults: &str) -> StageSpec {
    spec.cluster = spec.cluster.with_faults(faults);
    spec
}

pub async fn set(spec: StageSpec) -> Set {
    let place = tempfile::Builder::new().prefix("stage-").tempdir().unwrap();
    let stage = Stage::set(place.path(), spec).await.unwrap();
    Set { stage, _place: place }
}

/// Runs `ratchet` to its end.
pub fn ratchet(stage: &Stage, args: &[&str]) -> Said {
    said(stage.ratchet().unwrap(), args)
}

/// The same as an operator, who asks a coordinator that serves.
pub fn asking(stage: &Stage, args: &[&str]) -> Said {
    said(stage.asking().unwrap(), args)
}

fn said(mut command: Command, args: &[&str]) -> Said {
    let output = command.args(args).output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn upgrade(stage: &Stage) -> Said {
    ratchet(stage, &["-o", "json", "upgrade", stage.name(), "--to", TO, "--yes"])
}

/// Starts `ratchet` and leaves it running.
pub fn spawn(stage: &Stage, args: &[&str]) -> Child {
    let mut command: Command = stage.ratchet().unwrap();
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The only run.
pub fn only_run(stage: &Stage) -> String {
    let runs = ratchet(stage, &["-o", "json", "runs"]).json();
    let runs = runs["runs"].as_array().unwrap().clone();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0]["id"].as_str().unwrap().to_owned()
}

/// How often `install.sh` was started on each node, in order of the nodes.
pub fn installs(stage: &Stage) -> Vec<usize> {
    stage.nodes().map(|uid| stage.cluster.installs(uid).len()).collect()
}

/// The nodes in the order in which their installs were started.
pub fn order(stage: &Stage) -> Vec<u32> {
    let mut all: Vec<_> = stage.nodes().flat_map(|uid| stage.cluster.installs(uid)).collect();
    all.sort_by_key(|install| install.started);
    all.into_iter().map(|install| install.uid).collect()
}

pub fn versions(stage: &Stage) -> Vec<String> {
    stage.nodes().map(|uid| stage.cluster.version(uid).unwrap().to_string()).collect()
}

/// Waits until a node's install has begun.
pub async fn install_of(stage: &Stage, uid: u32) {
    let begun = stage.cluster.wait_until(std::time::Duration::from_secs(60), |model| {
        model.installs.iter().any(|install| install.uid == uid)
    });
    assert!(begun.await, "no install on node {uid}");
}

/// Downloads, unpacks and installs as a person would.
pub fn by_hand(stage: &Stage, uid: u32) {
    let dir = stage.cluster.agent_state_dir(uid).join("by-hand");
    std::fs::create_dir_all(&dir).unwrap();
    let package = stage.dir.join("mirror").join(format!("redislabs-{TO}-jammy-amd64.tar"));
    let script = "umask 0022; tar xf \"$0\" && exec ./install.sh -y </dev/null";
    let done = Command::new("sh").arg("-c").arg(script).arg(package).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert_eq!(stage.cluster.version(uid).unwrap(), v(TO), "{done:?}");
}
