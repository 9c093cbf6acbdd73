use proto::{Disk, DiskUse, NodeFacts, Room};

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// The vendor's size for `/tmp`: the number of nodes times the file system of the logs.
///
/// That is a recommendation few follow, so falling short of it is told and no more, unless `/tmp` is very small. Where `/tmp`
/// is on the file system of the logs itself, no size would do; how much is free there is the check `disk`.
pub(super) const CHECK: Check = Check {
    id: "tmp-room",
    title: "/tmp is as large as the vendor wants it, or shares the file system of the logs",
    source: "plan-deployment/file-locations.md (fact sheet §5.3)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

/// Smaller than this share of the logs' file system is too small for what the installer and support write there.
const LEAST_SHARE: u64 = 10;
const MISSING: Missing = Missing {
    why: "the vendor sizes /tmp so that the logs of all nodes can be gathered there",
    remedy: "df -h /tmp /var/opt/redislabs/log   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let nodes = u64::try_from(context.snapshot.listed().len()).unwrap_or(u64::MAX);
    CHECK.on_nodes(context, MISSING, "it is", |witness| {
        let ((tmp_at, tmp), (var_at, var)) =
            (of(witness.facts, DiskUse::Tmp)?, of(witness.facts, DiskUse::Var)?);
        let wanted = var.total.saturating_mul(nodes);
        if tmp.total >= wanted || tmp_at.device == var_at.device {
            return Ok(Vec::new());
        }
        let gib = |bytes: u64| bytes.div_ceil(1 << 30);
        let saw = format!(
            "/tmp is on a file system of {} GiB; {nodes} times that of the logs is {} GiB",
            gib(tmp.total),
            gib(wanted)
        );
        let small = tmp.total < var.total / LEAST_SHARE;
        let finding = if small { CHECK.warn(saw, MISSING.why) } else { CHECK.info(saw, MISSING.why) };
        Ok(vec![
            finding.fix("df -h /tmp   # keep it empty for support packages, or give it a larger file system"),
        ])
    })
}

/// The smallest file system of this use.
fn of(facts: &NodeFacts, purpose: DiskUse) -> Result<(&Disk, Room), String> {
    let disks = facts.disks.iter().filter(|disk| disk.purpose == purpose);
    let rooms = disks.map(|disk| Ok((disk, *disk.room.as_result()?)));
    let rooms: Vec<(&Disk, Room)> = rooms.collect::<Result<_, String>>()?;
    let smallest = rooms.into_iter().min_by_key(|(_, room)| room.total);
    smallest.ok_or_else(|| "a file system is not known".to_owned())
}
