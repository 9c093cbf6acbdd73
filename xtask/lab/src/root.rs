//! What a node's disk holds before it boots for the first time.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The project's own units, as they are shipped.
const UNITS: [(&str, &str); 3] = [
    ("etc/systemd/system/ratchet-agent.service", include_str!("../../../systemd/ratchet-agent.service")),
    ("etc/systemd/system/ratchet-op@.service", include_str!("../../../systemd/ratchet-op@.service")),
    ("etc/tmpfiles.d/ratchet-agent.conf", include_str!("../../../systemd/ratchet-agent.tmpfiles.conf")),
];

/// What the coordinator's package brings beside the program.
const COORDINATOR: [(&str, &str); 3] = [
    ("etc/systemd/system/ratchet.service", include_str!("../../../systemd/ratchet.service")),
    ("etc/tmpfiles.d/ratchet.conf", include_str!("../../../systemd/ratchet.tmpfiles.conf")),
    ("etc/sysusers.d/ratchet.conf", include_str!("../../../systemd/ratchet.sysusers.conf")),
];

/// The least an agent is told where the test shares its network. All else is the default: the product is the node's own, and
/// the agent finds out by itself that it runs under systemd. And no vendor has signed the simulated packages.
const AGENT: &str =
    "listen = '127.0.0.1:7443'\ninsecure_loopback = true\n[trust]\nvendor_signature = 'reported'\n";

const CERTIFICATES: &str = "ssl/certs/ca-certificates.crt";

/// Services that a node without terminal, clock and cards has no use for.
const MASKED: [&str; 13] = [
    "systemd-logind.service",
    "systemd-networkd.service",
    "systemd-timesyncd.service",
    "systemd-sysusers.service",
    "systemd-firstboot.service",
    "systemd-remount-fs.service",
    "systemd-update-utmp.service",
    "systemd-update-utmp-runlevel.service",
    "getty.target",
    "console-getty.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-fs-fuse-connections.mount",
];

/// A node's file system, seen from outside.
#[derive(Clone, Debug)]
pub struct Root {
    place: PathBuf,
}

impl Root {
    /// Lays out a node in a test's place, with the agent installed and enabled.
    ///
    /// # Errors
    /// When the agent cannot be built, or a file cannot be written.
    pub fn lay_out(place: &Path) -> Result<Self> {
        Self::lay_out_with(place, AGENT)
    }

    /// The same, with this configuration of the agent.
    pub(crate) fn lay_out_with(place: &Path, agent: &str) -> Result<Self> {
        let root = Self { place: place.to_owned() };
        for dir in ["dev", "home", "proc", "root", "run", "sys", "tmp", "usr", "var/log/journal", "var/tmp"] {
            fs::create_dir_all(root.path(dir))?;
        }
        for dir in ["tmp", "var/tmp"] {
            fs::set_permissions(root.path(dir), fs::Permissions::from_mode(0o1777))?;
        }
        for dir in ["bin", "sbin", "lib", "lib64"] {
            symlink(Path::new("usr").join(dir), root.path(dir))?;
        }
        root.configure_system()?;
        root.install("agent", "ratchet-agent")?;
        root.write("etc/ratchet/agent.toml", agent)?;
        Ok(root)
    }

    /// Adds the coordinator as its package does: program, unit, user and directories.
    ///
    /// # Errors
    /// When it cannot be built, or a file cannot be written.
    pub fn add_coordinator(&self, configuration: &str) -> Result<()> {
        self.install("coordinator", "ratchet")?;
        for (below, text) in COORDINATOR {
            self.write(below, text)?;
        }
        let directory = format!("--root={}", self.path("").display());
        let users = self.path("etc/sysusers.d/ratchet.conf");
        let made = Command::new("systemd-sysusers").arg(directory).arg(users).output()?;
        ensure!(made.status.success(), "systemd-sysusers: {}", String::from_utf8_lossy(&made.stderr));
        self.write("etc/ratchet/ratchet.toml", configuration)?;
        self.enable("ratchet.service")
    }

    /// A file or directory of the node.
    pub fn path(&self, below: &str) -> PathBuf {
        self.place.join("root").join(below.trim_start_matches('/'))
    }

    /// Writes a file of the node, with the directories above it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, below: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(below);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
        made.with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes a shell script of the node.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn program(&self, below: &str, script: &str) -> Result<()> {
        self.write(below, format!("#!/bin/sh\n{script}\n"))?;
        Ok(fs::set_permissions(self.path(below), fs::Permissions::from_mode(0o755))?)
    }

    /// The directory whose files are laid over the host's `/usr`.
    pub(crate) fn over_usr(&self) -> PathBuf {
        self.place.join("usr")
    }

    fn configure_system(&self) -> Result<()> {
        // The users of the host, because its D-Bus runs as one of them. An agent does not start without authorities.
        for name in ["passwd", "group", "shadow", "nsswitch.conf", "hosts", "ld.so.cache", CERTIFICATES] {
            let host = Path::new("/etc").join(name);
            self.write(&format!("etc/{name}"), fs::read(&host).with_context(|| host.display().to_string())?)?;
        }
        self.write("etc/os-release", fs::read("/usr/lib/os-release")?)?;
        // With an id, this is no first boot, and no service is enabled by a preset.
        self.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")?;
        for (below, text) in UNITS {
            self.write(below, text)?;
        }
        let unit = |name: &str| self.path("etc/systemd/system").join(name);
        symlink("/lib/systemd/system/multi-user.target", unit("default.target"))?;
        MASKED.iter().try_for_each(|name| symlink("/dev/null", unit(name)))?;
        self.enable("ratchet-agent.service")
    }

    /// Has a unit started at every boot.
    pub(crate) fn enable(&self, unit: &str) -> Result<()> {
        let wants = self.path("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants)?;
        Ok(symlink(Path::new("..").join(unit), wants.join(unit))?)
    }

    /// Puts a program of the workspace into the node's `/usr/bin`. It is a link where it can be: these programs are large,
    /// and a node replaces files as a package does, by another name.
    pub(crate) fn install(&self, package: &str, program: &str) -> Result<()> {
        let built = sim::built_binary(package, program)?;
        let bin = self.over_usr().join("bin");
        fs::create_dir_all(&bin)?;
        let to = bin.join(program);
        if fs::hard_link(&built, &to).is_err() {
            fs::copy(&built, &to)?;
        }
        Ok(())
    }
}
