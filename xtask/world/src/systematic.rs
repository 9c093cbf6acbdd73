//! Every durable record of a whole run, one after the other: its writer dies before it, dies after it, or finds the disk
//! full.

use anyhow::{Result, ensure};

use crate::script::{COORDINATORS, Script};
use crate::store::Cut;
use crate::world::{self, Shared};

/// How many writes in a row a full disk refuses.
const FULL_FOR: u64 = 3;

/// A world for every record of a calm run of so many nodes: its name and its script.
///
/// # Errors
/// When the calm run itself cannot be set up, or breaks a promise.
pub fn scripts(nodes: u32, shared: &Shared) -> Result<Vec<(String, Script)>> {
    let calm = Script::calm(0, nodes);
    let outcome = world::run(&calm, shared)?;
    ensure!(outcome.violations.is_empty(), "a calm world breaks promises:\n{}", outcome.readable());
    let mut scripts = Vec::new();
    for (uid, writes) in (1..).zip(&outcome.agent_writes) {
        for (name, cut) in cuts(*writes) {
            let script = Script { agent_cuts: vec![(uid, cut)], ..calm.clone() };
            scripts.push((format!("the agent of n{uid} {name}"), script));
        }
    }
    for (uid, writes) in (1..).zip(&outcome.op_writes) {
        for (name, cut) in cuts(*writes) {
            let script = Script { op_cuts: vec![(uid, cut)], ..calm.clone() };
            scripts.push((format!("the op runner of n{uid} {name}"), script));
        }
    }
    for (name, cut) in cuts(outcome.appends) {
        let script = Script { store_cuts: vec![(COORDINATORS[0], cut)], ..calm.clone() };
        scripts.push((format!("the coordinator {name}"), script));
    }
    Ok(scripts)
}

fn cuts(writes: u64) -> impl Iterator<Item = (String, Cut)> {
    (1..=writes).flat_map(|at| {
        [
            (format!("dies before record {at}"), Cut::Before(at)),
            (format!("dies after record {at}"), Cut::After(at)),
            (format!("finds the disk full at record {at}"), Cut::DiskFull { at, times: FULL_FOR }),
        ]
    })
}
