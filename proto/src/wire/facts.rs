//! What an agent knows of its node.

use std::collections::BTreeMap;

use super::WireError;
use super::field::{Field, record, word};
use crate::{
    Disk, DiskUse, HeldPackage, Installation, InstalledVersion, NodeFacts, OperatingSystem, Probe, Rlcheck,
    Room, RunnerKind, Setting, SourceFacts, StepInFlight, System, pb,
};

record!(NodeFacts => NodeFacts as "facts" {
    observed_at, agent_version, boot_id, hostname, node_uid, cluster_name, installed, installation, os, arch, view,
    running_actions, snapshots, upgrade_mode, rlcheck, disks, system, install_args, runner, packages, sources, claim,
    highest_epoch, current_step, memory, settings, details, halts,
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

impl Field<Vec<pb::SettingFacts>> for BTreeMap<Setting, Probe<u64>> {
    fn put(&self) -> Vec<pb::SettingFacts> {
        self.iter()
            .map(|(setting, value)| pb::SettingFacts { setting: setting.put(), value: value.put() })
            .collect()
    }

    fn take(wire: Vec<pb::SettingFacts>) -> Result<Self, WireError> {
        let mut settings = Self::new();
        for (index, entry) in wire.into_iter().enumerate() {
            let (setting, value) = setting_facts(entry).map_err(|error| error.at(index))?;
            if settings.insert(setting, value).is_some() {
                return Err(WireError::new(format!("`{setting}` is listed twice"))
                    .within("setting")
                    .at(index));
            }
        }
        Ok(settings)
    }
}

fn setting_facts(wire: pb::SettingFacts) -> Result<(Setting, Probe<u64>), WireError> {
    let setting = Field::take(wire.setting).map_err(|error: WireError| error.within("setting"))?;
    let value = Field::take(wire.value).map_err(|error: WireError| error.within("value"))?;
    Ok((setting, value))
}
