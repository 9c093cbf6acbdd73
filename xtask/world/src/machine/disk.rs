//! A disk that is watched: it fills up, and its process dies before or after a write.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use agent::durable::DiskWatch;
use proto::StepId;

use super::Surroundings;
use crate::history::History;
use crate::life::Life;
use crate::promises::Promises;
use crate::store::Cut;

/// The durable writes of a kind of process on one machine, counted over all its lives.
#[derive(Debug, Default)]
pub struct WatchedDisk {
    writes: u64,
    cuts: Vec<Cut>,
    heals_at: u64,
}

impl WatchedDisk {
    /// A disk with what is to happen at which write. From a virtual millisecond on it has room again.
    pub fn new(cuts: Vec<Cut>, heals_at: u64) -> Self {
        Self { writes: 0, cuts, heals_at }
    }

    /// How many writes were begun.
    pub fn writes(&self) -> u64 {
        self.writes
    }
}

/// The disk as one life of a process has it.
#[derive(Debug)]
pub(super) struct Watch {
    who: String,
    kind: [&'static str; 2],
    life: Life,
    disk: Arc<Mutex<WatchedDisk>>,
    history: History,
    promises: Arc<Promises>,
}

impl Watch {
    pub(super) fn of_agent(
        who: &str,
        life: &Life,
        disk: &Arc<Mutex<WatchedDisk>>,
        around: &Surroundings,
    ) -> Self {
        Self::new(who, ["agent-killed-at-record", "agent-disk-full"], life, disk, around)
    }

    pub(super) fn of_op(
        who: &str,
        life: &Life,
        disk: &Arc<Mutex<WatchedDisk>>,
        around: &Surroundings,
    ) -> Self {
        Self::new(who, ["op-runner-killed-at-record", "op-runner-disk-full"], life, disk, around)
    }

    fn new(
        who: &str,
        kind: [&'static str; 2],
        life: &Life,
        disk: &Arc<Mutex<WatchedDisk>>,
        around: &Surroundings,
    ) -> Self {
        Self {
            who: who.to_owned(),
            kind,
            life: life.clone(),
            disk: Arc::clone(disk),
            history: around.history.clone(),
            promises: Arc::clone(&around.promises),
        }
    }

    fn die(&self, when: &str, number: u64, path: &Path) {
        self.history.fault(self.kind[0], &self.who, format!("{when} write {number}, {}", shown(path)));
        self.life.end();
    }
}

impl DiskWatch for Watch {
    fn before(&self, path: &Path) -> io::Result<()> {
        self.life.check()?;
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        disk.writes += 1;
        let number = disk.writes;
        let full = self.history.now() < disk.heals_at;
        let full = full
            && disk.cuts.iter().any(|cut| match cut {
                Cut::DiskFull { at, times } => (*at..at.saturating_add(*times)).contains(&number),
                Cut::Before(_) | Cut::After(_) => false,
            });
        if disk.cuts.contains(&Cut::Before(number)) {
            self.die("before", number, path);
            return self.life.check();
        }
        if full {
            self.history.fault(self.kind[1], &self.who, format!("write {number}, {}", shown(path)));
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn after(&self, path: &Path) {
        let (number, dies) = {
            let disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
            (disk.writes, disk.cuts.contains(&Cut::After(disk.writes)))
        };
        if dies {
            self.die("after", number, path);
            return;
        }
        if path.file_name().is_some_and(|name| name == "spec.json")
            && let Some(step) = step_of(path)
        {
            self.promises.accepted(step);
        }
    }
}

/// The step in whose directory a file is.
fn step_of(path: &Path) -> Option<StepId> {
    path.parent()?.file_name()?.to_str()?.parse().ok()
}

/// The last two parts of a path, without the run's name.
fn shown(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let above =
        path.parent().and_then(|above| above.file_name()).and_then(|name| name.to_str()).unwrap_or_default();
    let above = above.split_once(".h").map_or(above, |(_, step)| step);
    format!("{above}/{name}")
}
