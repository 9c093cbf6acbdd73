//! One node: booting it, crashing it, and speaking to its systemd.

use std::fs::OpenOptions;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::Root;
use crate::cgroups;

/// How long a node may take to start everything; about a second where nothing else runs.
const BOOT: Duration = Duration::from_secs(90);

/// Where a node stands.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The lab's name, of which the node's control groups are a part.
    pub lab: String,
    /// The node's own name.
    pub name: String,
    /// Where its console and its socket are.
    pub place: PathBuf,
    /// Its network namespace; without one it shares the test's network.
    pub network: Option<PathBuf>,
    /// A directory of the test's that it sees under another name.
    pub shared: Option<(PathBuf, PathBuf)>,
}

/// A booted node. Crashes when dropped.
#[derive(Debug)]
pub struct Node {
    nspawn: Child,
    leader: Pid,
}

impl Node {
    /// Boots the only node of a test, which is laid out in the test's place; waits until its systemd says that it has started
    /// everything, the agent among it. It shares the test's network, so that the test reaches its loopback addresses.
    ///
    /// # Errors
    /// When it does not come up in time; its console then says more.
    pub fn boot(place: &Path, root: &Root) -> Result<Self> {
        let lab = place.file_name().context("a place without a name")?.to_string_lossy().into_owned();
        let name = "n1".to_owned();
        Self::boot_at(&Site { lab, name, place: place.to_owned(), network: None, shared: None }, root)
    }

    pub(crate) fn boot_at(site: &Site, root: &Root) -> Result<Self> {
        let socket = site.place.join("notify");
        // Of an earlier boot, if there was one.
        let _none = std::fs::remove_file(&socket);
        let voice = UnixDatagram::bind(&socket)?;
        voice.set_read_timeout(Some(Duration::from_millis(500)))?;
        let log = site.place.join("console.log");
        let console = OpenOptions::new().append(true).create(true).open(&log)?;
        let nspawn = site
            .command(root)?
            .env("NOTIFY_SOCKET", &socket)
            // Without it no event tells systemd that a unit's last process is gone.
            .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()?;
        Self::ready(nspawn, &voice).with_context(|| format!("see {}", log.display()))
    }

    fn ready(mut nspawn: Child, voice: &UnixDatagram) -> Result<Self> {
        let (began, mut leader, mut heard) = (Instant::now(), None, [0; 4096]);
        while began.elapsed() < BOOT {
            // No word yet is no error; that it will never come is seen below.
            let said =
                voice.recv(&mut heard).map_or("".into(), |size| String::from_utf8_lossy(&heard[..size]));
            let number = said.lines().find_map(|line| line.strip_prefix("X_NSPAWN_LEADER_PID="));
            leader = number.and_then(|number| Pid::from_raw(number.parse().ok()?)).or(leader);
            match leader {
                Some(leader) if said.lines().any(|line| line == "READY=1") => {
                    return Ok(Self { nspawn, leader });
                }
                _ => {}
            }
            if let Some(status) = nspawn.try_wait()? {
                bail!("systemd-nspawn ended with {status} before the node was ready");
            }
        }
        nspawn.kill()?;
        nspawn.wait()?;
        bail!("the node was not ready within {} s", BOOT.as_secs())
    }

    /// Runs a program on the node as root, to its end; what it prints. It may change nothing of the machine below: clock,
    /// modules and devices are out of its reach.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, argv: &[&str]) -> Result<String> {
        let mut command = Command::new("nsenter");
        command.args(self.entering()).args(argv).env_clear().stdin(Stdio::null());
        let output = command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{}` failed on the node: {errors}", argv.join(" "));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// What `nsenter` is given to run something on the node.
    pub(crate) fn entering(&self) -> Vec<String> {
        let leader = self.leader.to_string();
        let bounded = "--bounding-set=-sys_time,-sys_module,-sys_rawio";
        ["--all", "--target", &leader, "setpriv", bounded].map(str::to_owned).to_vec()
    }

    /// A property of a unit. systemd answers for units that it does not know, too: ask for `LoadState` as well.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub fn property(&self, unit: &str, name: &str) -> Result<String> {
        self.run(&["systemctl", "show", "--value", "--property", name, unit])
    }

    /// The power goes: every process of the node is gone at once. What the kernel had not yet written to the disk stays
    /// known, other than with real power.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn crash(mut self) -> Result<()> {
        kill_process(self.leader, Signal::KILL)?;
        self.nspawn.wait()?;
        Ok(())
    }
}

impl Site {
    fn command(&self, root: &Root) -> Result<Command> {
        let groups = cgroups::for_node(&self.lab, &self.name)?;
        let join: String =
            groups.iter().map(|group| format!("echo 0 >{}/cgroup.procs && ", group.display())).collect();
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{join}exec systemd-nspawn \"$@\""), "nspawn", "--quiet", "--boot"])
            .args(["--register=no", "--keep-unit", "--notify-ready=yes", "--console=pipe"])
            .args(["--link-journal=no", "--resolv-conf=off", "--timezone=off"])
            .args([format!("--hostname={}", self.name), format!("--machine={}", self.name)])
            .arg(format!("--directory={}", root.path("").display()))
            .arg(format!("--overlay=/usr:{}:/usr", root.over_usr().display()));
        match &self.network {
            Some(namespace) => command.arg(format!("--network-namespace-path={}", namespace.display())),
            // Lets the node's systemd bring up the loopback interface, which is the test's own.
            None => command.arg("--capability=CAP_NET_ADMIN"),
        };
        if let Some((from, to)) = &self.shared {
            command.arg(format!("--bind={}:{}", from.display(), to.display()));
        }
        Ok(command)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // After a crash there is nothing left to kill.
        let _gone = self.nspawn.try_wait().is_ok_and(|ended| ended.is_none())
            && kill_process(self.leader, Signal::KILL).is_ok();
        let _reaped = self.nspawn.wait();
    }
}
