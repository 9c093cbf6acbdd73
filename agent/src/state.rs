//! Where things are in the agent's state directory. Everything in it can be read with `cat`.

use std::path::{Path, PathBuf};

use proto::{Sha256, StepId};

use crate::durable::{Disk, StateError};

/// The agent's state directory.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Makes the directory and those below it, for their owner only.
    ///
    /// # Errors
    /// [`StateError::Io`].
    pub fn create(root: &Path, disk: &Disk) -> Result<Self, StateError> {
        let state = Self::at(root);
        for below in ["steps", "packages", "unpacked", "bundles"] {
            disk.make_private_dir(&state.root.join(below))?;
        }
        Ok(state)
    }

    /// Names the directory without touching it.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Locked by the agent that serves from this directory.
    pub fn lock(&self) -> PathBuf {
        self.root.join("agent.lock")
    }

    /// Who may act on this node.
    pub fn claim(&self) -> PathBuf {
        self.root.join("claim.json")
    }

    /// Whether an installer may begin.
    pub fn halts(&self) -> PathBuf {
        self.root.join("halts.json")
    }

    /// The fleet owner's signed catalogue, and the highest serial that was seen.
    pub fn catalogue(&self) -> PathBuf {
        self.root.join("catalogue.json")
    }

    /// Which memory this agent has.
    pub fn memory(&self) -> PathBuf {
        self.root.join("memory.json")
    }

    /// All steps, one directory each.
    pub fn steps(&self) -> PathBuf {
        self.root.join("steps")
    }

    /// The directory of one step.
    pub fn step(&self, id: &StepId) -> PathBuf {
        self.steps().join(id.as_str())
    }

    /// Archives, each known by its digest.
    pub fn packages(&self) -> PathBuf {
        self.root.join("packages")
    }

    /// A verified archive.
    pub fn archive(&self, digest: &Sha256) -> PathBuf {
        self.packages().join(format!("{digest}.archive"))
    }

    /// The directory an unpack step made: `tree` and, beside it, `manifest.json`.
    pub fn unpacked(&self, id: &StepId) -> PathBuf {
        self.root.join("unpacked").join(id.as_str())
    }

    /// Bundles of logs.
    pub fn bundles(&self) -> PathBuf {
        self.root.join("bundles")
    }
}
