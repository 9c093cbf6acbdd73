use proto::{DiskUse, NodeFacts, Room};

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// The vendor's size for `/tmp`: the number of nodes times the file system of the logs.
pub(super) const CHECK: Check = Check {
    id: "tmp-room",
    title: "/tmp is as large as the vendor wants it",
    source: "fact sheet §5.3",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the vendor sizes /tmp so that the logs of all nodes can be gathered there",
    remedy: "df -h /tmp /var/opt/redislabs/log   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let nodes = u64::try_from(context.snapshot.listed().len()).unwrap_or(u64::MAX);
    CHECK.on_nodes(context, MISSING, "it is", |witness| {
        let (tmp, var) = (room(witness.facts, DiskUse::Tmp)?, room(witness.facts, DiskUse::Var)?);
        let wanted = var.total.saturating_mul(nodes);
        if tmp.total >= wanted {
            return Ok(Vec::new());
        }
        let gib = |bytes: u64| bytes.div_ceil(1 << 30);
        let saw = format!(
            "/tmp is on a file system of {} GiB; {nodes} times that of the logs is {} GiB",
            gib(tmp.total),
            gib(wanted)
        );
        Ok(vec![
            CHECK
                .warn(saw, MISSING.why)
                .fix("keep room in /tmp for support packages, or give it a larger file system"),
        ])
    })
}

/// The smallest file system of this use.
fn room(facts: &NodeFacts, purpose: DiskUse) -> Result<Room, String> {
    let disks: Vec<_> = facts.disks.iter().filter(|disk| disk.purpose == purpose).collect();
    let rooms = disks.iter().map(|disk| disk.room.as_result().copied());
    let rooms: Vec<Room> = rooms.collect::<Result<_, _>>()?;
    rooms.into_iter().min_by_key(|room| room.total).ok_or_else(|| "a file system is not known".to_owned())
}
