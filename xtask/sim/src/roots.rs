//! The files of a simulated node: its root as a real node's file system would show it (fact sheet §5.5).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proto::Version;
use serde::{Deserialize, Serialize};

use crate::facts::Os;
use crate::spec::ClusterSpec;

/// The marker by which `install.sh`, which is told no root, finds its node.
pub const MARKER: &str = "sim-node.json";

/// Where the installed version is recorded, relative to a root.
pub const VERSION_FILES: [&str; 2] =
    ["opt/redislabs/version", "etc/opt/redislabs/redislabs_custom_install_version"];

/// What the marker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Marker {
    /// The node.
    pub uid: u32,
    /// The `ratchet-sim` program.
    pub binary: PathBuf,
    /// The cluster's socket.
    pub socket: PathBuf,
    /// Every node's address, if each is a machine of its own: then they listen to each other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub network: BTreeMap<u32, String>,
}

/// A node's root in a cluster's directory.
pub fn root(dir: &Path, uid: u32) -> PathBuf {
    dir.join(format!("node{uid}"))
}

/// The version on a node's disk; an error if it is unreadable or the two records differ.
pub fn version_on_disk(root: &Path) -> io::Result<Version> {
    let read = |file: &str| -> io::Result<Version> {
        let text = fs::read_to_string(root.join(file))?;
        text.trim().parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    let (first, second) = (read(VERSION_FILES[0])?, read(VERSION_FILES[1])?);
    if first == second {
        return Ok(first);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the records of the version differ: {first} and {second}"),
    ))
}

/// Reads a root's marker.
pub fn marker(root: &Path) -> io::Result<Marker> {
    let text = fs::read_to_string(root.join(MARKER))?;
    serde_json::from_str(&text).map_err(io::Error::from)
}

/// Writes a node's root, which the node's own programs know as `inside`.
pub fn write(root: &Path, inside: &Path, spec: &ClusterSpec, os: Os, marker: &Marker) -> io::Result<()> {
    for folder in ["log", "run", "persist", "tmp"] {
        fs::create_dir_all(root.join("var/opt/redislabs").join(folder))?;
    }
    for folder in ["opt/redislabs/bin", "opt/redislabs/lib", "etc/opt/redislabs", "tmp", "agent"] {
        fs::create_dir_all(root.join(folder))?;
    }
    for file in VERSION_FILES {
        fs::write(root.join(file), format!("{}\n", spec.version))?;
    }
    fs::write(root.join("etc/opt/redislabs/node.id"), format!("{}\n", marker.uid))?;
    fs::write(root.join("etc/opt/redislabs/redislabs_env_config.sh"), ENV_CONFIG)?;
    fs::write(root.join("etc/os-release"), os_release(os))?;
    // One key a line: the installer reads it with `sed`.
    fs::write(root.join(MARKER), serde_json::to_string_pretty(marker)?)?;
    for tool in ["rladmin", "rlcheck", "supervisorctl"] {
        write_tool(root, inside, tool, &marker.binary)?;
    }
    Ok(())
}

/// Variable names as the sources name them (fact sheet §5.5); paths as on a real node, without the root in front.
const ENV_CONFIG: &str = "\
# Redis Enterprise installation settings
export installdir=/opt/redislabs
export confdir=/etc/opt/redislabs
export logdir=/var/opt/redislabs/log
export libdir=/opt/redislabs/lib
export modulesdatadir=/var/opt/redislabs/modules
export osuser=redislabs
export osgroup=redislabs
";

fn os_release(os: Os) -> String {
    let (id, version) = (os.id, os.version_id);
    format!(
        "ID={id}\nVERSION_ID=\"{version}\"\nVERSION_CODENAME={}\nPRETTY_NAME=\"{id} {version}\"\n",
        os.token
    )
}

fn write_tool(root: &Path, inside: &Path, tool: &str, binary: &Path) -> io::Result<()> {
    let path = root.join("opt/redislabs/bin").join(tool);
    let (binary, inside) = (binary.display(), inside.display());
    fs::write(&path, format!("#!/bin/sh\nexec \"{binary}\" tool {tool} --root \"{inside}\" \"$@\"\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
}
