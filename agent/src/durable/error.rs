//! Why a file of the state directory could not be used.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use crate::failures;

/// Why a file of the state directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system refused.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error(
        "{path} is damaged; move it away only after making sure that no upgrade is under way on this node"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It says that it is of a format that is not known here. Nothing of it was changed.
    #[error(
        "{path} has format {found}, and this agent knows formats up to {known}; install the version of ratchet-agent \
         that wrote it, or a later one"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The format that it names.
        found: String,
        /// The newest format that is known here.
        known: u32,
    },
    /// It is whole, and holds a record that is not known here. Nothing of it was changed.
    #[error(
        "{path} holds a record that this agent does not know; install the version of ratchet-agent that wrote it, or a \
         later one"
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// What is not known.
        #[source]
        source: serde_json::Error,
    },
}

impl StateError {
    /// An I/O error with what was tried on which path; made for `map_err`.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }

    /// A file that does not hold what it should; made for `map_err`.
    pub fn damaged<E: Into<Box<dyn Error + Send + Sync>>>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |source| Self::Damaged { path, source: source.into() }
    }

    /// Whether the file system is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }

    /// Whether it may be otherwise in a moment: the operating system refused, the file itself is not at fault.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Io { .. })
    }

    /// The message and every source below it in one line.
    pub fn full(&self) -> String {
        failures::chain(self)
    }
}
