//! What the tests share: a cluster, a package, and a run of its `install.sh` as an agent would do it.
#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![allow(dead_code, reason = "each test program uses its own part")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use proto::Version;
use sim::{Cluster, ClusterSpec, PackageSpec, build_package};
use tempfile::TempDir;

pub const FROM: Version = Version::new(7, 4, 2, 54);
pub const TO: Version = Version::new(7, 4, 6, 22);
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Lab {
    pub cluster: Cluster,
    pub dir: TempDir,
}

impl Lab {
    pub async fn start(spec: ClusterSpec) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cluster = Cluster::start(dir.path().join("c"), spec).await.unwrap();
        Self { cluster, dir }
    }

    pub async fn modelled() -> Self {
        Self::start(ClusterSpec::modelled(3, FROM)).await
    }

    /// Unpacks a fresh package below the node's agent directory.
    pub fn unpack(&self, uid: u32, spec: &PackageSpec) -> PathBuf {
        let archive = build_package(self.dir.path(), spec).unwrap();
        let attempt = tempfile::tempdir_in(self.cluster.agent_state_dir(uid)).unwrap().keep();
        tar::Archive::new(File::open(archive).unwrap()).unpack(&attempt).unwrap();
        attempt
    }

    /// Runs `install.sh` of a fresh package and gives what it printed and how it ended.
    pub fn install(&self, uid: u32, to: Version, args: &[&str]) -> Output {
        run_installer(&self.unpack(uid, &PackageSpec::new(to)), args)
    }

    pub fn tool(&self, uid: u32, tool: &str, args: &[&str]) -> (String, i32) {
        let output = Command::new(self.cluster.root(uid).join("opt/redislabs/bin").join(tool))
            .args(args)
            .output()
            .unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
    }

    pub fn rladmin(&self, uid: u32, args: &str) -> String {
        self.tool(uid, "rladmin", &args.split_whitespace().collect::<Vec<_>>()).0
    }

    pub async fn settle(&self) {
        assert!(
            self.cluster.wait_until(PATIENCE, sim::model::Model::is_settled).await,
            "{:?}",
            self.cluster.snapshot()
        );
    }

    pub async fn inject(&self, script: &str) {
        self.cluster.inject(script).await.unwrap();
    }
}

/// `install.sh` in the environment a service manager gives: no standard input, hardly a variable.
pub fn installer(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("./install.sh");
    command
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null());
    command
}

pub fn run_installer(dir: &Path, args: &[&str]) -> Output {
    installer(dir, args).output().unwrap()
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
