use proto::{Probe, System, Version};

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// What `rlcheck` calls host settings; a node that comes back with others fails its checks after the upgrade.
pub(super) const CHECK: Check = Check {
    id: "host-settings",
    title: "every node's kernel is set as the vendor wants it",
    source: "references/cli-utilities/rlcheck/_index.md (fact sheet §2 (verify_host_settings))",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the vendor's own check of host settings asks for it",
    remedy: "/opt/redislabs/bin/rlcheck --continue-on-error   # on that node",
};

/// Of a setting: its name, the value the vendor wants, and the command that sets it.
struct Wanted {
    name: &'static str,
    value: &'static str,
    /// Whether a value is well for a node of this version, if that is known.
    is_well: fn(&str, Option<Version>) -> bool,
    command: &'static str,
    read: fn(&System) -> &Probe<String>,
}

/// Before this build `rlcheck` fails for any other `somaxconn` than 1024, also a higher one (RS46092).
const LONGER_IS_WELL: Version = Version::new(6, 2, 18, 43);

const WANTED: [Wanted; 3] = [
    Wanted {
        name: "transparent_hugepage",
        value: "never",
        is_well: |found, _| found == "never",
        command: "echo never > /sys/kernel/mm/transparent_hugepage/enabled   # and at every boot",
        read: |system| &system.transparent_hugepage,
    },
    Wanted {
        name: "vm.overcommit_memory",
        value: "1",
        is_well: |found, _| found == "1",
        command: "sysctl -w vm.overcommit_memory=1   # and keep it in /etc/sysctl.d",
        read: |system| &system.overcommit_memory,
    },
    Wanted {
        name: "net.core.somaxconn",
        value: "1024",
        is_well: |found, version| match found.parse::<u32>() {
            Ok(1024) => true,
            Ok(longer) => longer > 1024 && version.is_some_and(|version| version >= LONGER_IS_WELL),
            Err(_) => false,
        },
        command: "sysctl -w net.core.somaxconn=1024   # and keep it in /etc/sysctl.d",
        read: |system| &system.somaxconn,
    },
];

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "every kernel is set as the vendor wants it", |witness| {
        let version = witness.facts.installed.known().map(|installed| installed.version);
        Ok(WANTED.iter().filter_map(|wanted| judge(wanted, &witness.facts.system, version)).collect())
    })
}

/// One missing setting must not hide another that is wrong.
fn judge(wanted: &Wanted, system: &System, version: Option<Version>) -> Option<Finding> {
    let Wanted { name, value, is_well, command, read } = wanted;
    match read(system).as_result() {
        Ok(found) if is_well(found.trim(), version) => None,
        Ok(found) => {
            let saw = format!("{name} is `{}`, not `{value}`", found.trim());
            Some(CHECK.warn(saw, MISSING.why).fix(*command))
        }
        Err(reason) => Some(CHECK.unknown(format!("{name}: {reason}"), MISSING.why).fix(MISSING.remedy)),
    }
}
