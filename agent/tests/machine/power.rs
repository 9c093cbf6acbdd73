//! What can happen at a durable write: the disk is full for some writes, or the power goes.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use agent::durable::DiskWatch;
use tokio::sync::watch;

/// What happens, and at which durable write, counted from 0.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing.
    Never,
    /// The disk takes nothing from write `at` on, for so many writes.
    Full { at: usize, writes: usize },
    /// Everything ends before write `at` has any effect.
    Before { at: usize },
    /// Everything ends when write `at` is on the disk.
    After { at: usize },
}

/// Counts durable writes and lets the fault happen.
#[derive(Clone, Debug)]
pub struct Power {
    fault: Fault,
    seen: Arc<Mutex<Vec<PathBuf>>>,
    gone: watch::Sender<bool>,
}

impl Power {
    pub fn with(fault: Fault) -> Self {
        Self { fault, seen: Arc::default(), gone: watch::Sender::new(false) }
    }

    /// How many durable writes there were.
    pub fn writes(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Resolves when the power has gone.
    pub async fn gone(&self) {
        let mut gone = self.gone.subscribe();
        // The sender lives in this very value.
        gone.wait_for(|gone| *gone).await.unwrap();
    }

    fn go(&self) -> io::Error {
        self.gone.send_replace(true);
        io::Error::other("the power is gone")
    }
}

impl DiskWatch for Power {
    fn before(&self, path: &Path) -> io::Result<()> {
        if *self.gone.borrow() {
            return Err(self.go());
        }
        let mut seen = self.seen.lock().unwrap();
        let index = seen.len();
        seen.push(path.to_owned());
        match self.fault {
            Fault::Full { at, writes } if (at..at + writes).contains(&index) => {
                Err(io::ErrorKind::StorageFull.into())
            }
            Fault::Before { at } if at == index => Err(self.go()),
            Fault::Never | Fault::Full { .. } | Fault::Before { .. } | Fault::After { .. } => Ok(()),
        }
    }

    fn after(&self, _: &Path) {
        if matches!(self.fault, Fault::After { at } if at + 1 == self.writes()) {
            self.go();
        }
    }
}
