use std::collections::BTreeMap;

use proto::{Disk, DiskUse, NodeFacts, Package, Probe, Room};

use super::{Check, Context, Finding, Severity, When};

/// Room for archives, unpacked trees and the installation itself, on each file system, for all hops.
///
/// The vendor gives no figure; unpacked trees and the new installation are counted from the archive's size. Where the package
/// manager's copy has no room too, that is a warning.
pub(super) const CHECK: Check = Check {
    id: "disk",
    title: "every file system has room for archives, unpacked packages and the installation",
    source: "content/embeds/hardware-requirements-embed.md (fact sheet §1.5, §5.3, §6 no. 16)",
    severity: Severity::Block,
    promise: None,
    when: When::Planning,
    run,
};

/// Left free at least, in bytes, and needed by the installer where only logs and scratch files are written.
const FLOOR: u64 = 64 << 20;
/// Left free at least, as a share of the file system.
const MARGIN_PERCENT: u64 = 5;
/// What a compressed archive grows to at most, going by the vendor's own archives.
const UNCOMPRESSED: u64 = 3;

const USES: [DiskUse; 4] = [DiskUse::Staging, DiskUse::Install, DiskUse::Var, DiskUse::Tmp];
const WHY: &str = "an installation that runs out of room leaves the node half upgraded";

const TIGHT: &str = "the package manager may keep a copy of its own for as long as it is at work";

/// What a node needs, in bytes.
struct Need {
    staging: u64,
    /// What staging should have besides: the package manager may keep a copy.
    copies: u64,
    install: u64,
}

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        let packages = context.packages_of(witness).and_then(|packages| {
            packages
                .into_iter()
                .map(|entry| entry.ok().map(|entry| &entry.package))
                .collect::<Option<Vec<_>>>()
        });
        let found = match packages {
            Some(packages) => judge(&packages, witness.facts),
            None => {
                vec![CHECK.cannot_tell("how much room is needed is not known", "see the check `package`")]
            }
        };
        findings.extend(found.into_iter().map(|finding| finding.on(witness.uid).by(witness.agent)));
    }
    CHECK.or_pass(findings, witnesses.len(), "every file system has room")
}

fn judge(packages: &[&Package], facts: &NodeFacts) -> Vec<Finding> {
    let need = match need(packages, facts) {
        Ok(need) => need,
        Err(package) => {
            let finding = CHECK.cannot_tell(format!("the size of {package} is not known"), WHY);
            return vec![
                finding.fix("ratchet package add FILE   # a file tells its size; some servers do not"),
            ];
        }
    };
    let mut findings: Vec<Finding> = USES
        .iter()
        .filter(|purpose| !facts.disks.iter().any(|disk| disk.purpose == **purpose))
        .map(|purpose| CHECK.cannot_tell(format!("the file system for {} is not known", name(*purpose)), WHY))
        .collect();
    let mut by_device: BTreeMap<u64, Vec<&Disk>> = BTreeMap::new();
    for disk in &facts.disks {
        by_device.entry(disk.device).or_default().push(disk);
    }
    findings.extend(by_device.values().filter_map(|disks| too_small(disks, &need)));
    findings
}

/// What all packages need together, or the first whose size nobody knows.
fn need<'a>(packages: &[&'a Package], facts: &NodeFacts) -> Result<Need, &'a Package> {
    let mut need = Need { staging: 0, copies: 0, install: FLOOR };
    for package in packages {
        let held = facts.packages.iter().find(|held| held.sha256 == package.sha256);
        let archive = held.map(|held| held.size).or(package.size).or_else(|| told_by_source(package, facts));
        let archive = archive.ok_or(*package)?;
        let unpacked = if is_compressed(package) { archive.saturating_mul(UNCOMPRESSED) } else { archive };
        let to_fetch = if held.is_some() { 0 } else { archive };
        need.staging = need.staging.saturating_add(to_fetch).saturating_add(unpacked);
        need.copies = need.copies.max(archive);
        need.install = need.install.max(unpacked);
    }
    Ok(need)
}

fn told_by_source(package: &Package, facts: &NodeFacts) -> Option<u64> {
    let of_package = facts.sources.iter().filter(|source| package.sources.contains(&source.url));
    of_package.filter_map(|source| *source.size.known()?).max()
}

fn is_compressed(package: &Package) -> bool {
    let path = |url: &String| url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    package.sources.iter().map(path).any(|path| path.ends_with("gz"))
}

/// A finding unless all uses of one file system fit on it together.
fn too_small(disks: &[&Disk], need: &Need) -> Option<Finding> {
    let paths = disks
        .iter()
        .map(|disk| format!("{} ({})", disk.path, name(disk.purpose)))
        .collect::<Vec<_>>()
        .join(", ");
    // The same directory may be named for one use twice; each use counts once.
    let uses = USES.iter().filter(|purpose| disks.iter().any(|disk| disk.purpose == **purpose));
    let needed: u64 = uses.map(|purpose| needed_for(*purpose, need)).fold(0, u64::saturating_add);
    let mut smallest: Option<Room> = None;
    for disk in disks {
        match &disk.room {
            Probe::Known(room) if smallest.is_none_or(|least| room.free < least.free) => {
                smallest = Some(*room)
            }
            Probe::Known(_) => {}
            Probe::Unknown(reason) | Probe::Unsupported(reason) => {
                return Some(CHECK.cannot_tell(format!("the room on {paths} is not known: {reason}"), WHY));
            }
        }
    }
    let room = smallest?;
    let required = needed.saturating_add(FLOOR.max(room.total / 100 * MARGIN_PERCENT));
    let staged = disks.iter().any(|disk| disk.purpose == DiskUse::Staging);
    let wanted = required.saturating_add(if staged { need.copies } else { 0 });
    tight(&paths, &disks.first()?.path, room, required, wanted)
}

/// A finding unless there is the room that is required, and what is wanted besides.
fn tight(paths: &str, path: &str, room: Room, required: u64, wanted: u64) -> Option<Finding> {
    let free = |wanted: u64| format!("df -h {path}   # free {} MiB there", mib(wanted - room.free));
    let saw = |wanted, word| format!("{paths}: {} MiB free, {} MiB {word}", mib(room.free), mib(wanted));
    match room.free {
        short if short < required => Some(CHECK.block(saw(required, "needed"), WHY).fix(free(required))),
        tight if tight < wanted => Some(CHECK.warn(saw(wanted, "wanted"), TIGHT).fix(free(wanted))),
        _ => None,
    }
}

fn needed_for(purpose: DiskUse, need: &Need) -> u64 {
    match purpose {
        DiskUse::Staging => need.staging,
        DiskUse::Install => need.install,
        DiskUse::Var | DiskUse::Tmp => FLOOR,
    }
}

fn name(purpose: DiskUse) -> &'static str {
    match purpose {
        DiskUse::Staging => "archives",
        DiskUse::Install => "programs",
        DiskUse::Var => "data and logs",
        DiskUse::Tmp => "scratch files",
    }
}

/// Whole mebibytes, rounded up.
fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
