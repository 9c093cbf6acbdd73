//! What an agent knows of its node.

use super::field::{record, word};
use crate::{
    Disk, DiskUse, HeldPackage, Installation, InstalledVersion, NodeFacts, OperatingSystem, Rlcheck, Room,
    RunnerKind, SourceFacts, StepInFlight, System,
};

record!(NodeFacts => NodeFacts as "facts" {
    observed_at, agent_version, boot_id, hostname, node_uid, cluster_name, installed, installation, os, arch, view,
    running_actions, snapshots, upgrade_mode, rlcheck, disks, system, install_args, runner, packages, sources, claim,
    highest_epoch, current_step,
});
record!(InstalledVersion => InstalledVersion { version, read_from });
record!(Installation => Installation { install_dir, config_dir, var_dir, user, group, read_from });
record!(OperatingSystem => OperatingSystem { name, token });
record!(Rlcheck => Rlcheck { passed, tests, failures });
word!(DiskUse { Staging, Install, Var, Tmp });
record!(Disk => Disk { purpose, path, device, room });
record!(Room => Room { free, total });
record!(System => System {
    kernel, overcommit_memory, transparent_hugepage, somaxconn, local_port_range, swap_total, memory_total, openssl,
    listening_ports,
});
word!(RunnerKind { Systemd, Process });
record!(HeldPackage => HeldPackage { sha256, size, version });
record!(SourceFacts => SourceFacts { url, size });
record!(StepInFlight => StepInFlight { step, kind, since });
