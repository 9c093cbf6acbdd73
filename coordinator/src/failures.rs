//! Errors of the coordinator's own parts, turned into words that let somebody act.

use std::error::Error;

use proto::Failure;

use crate::run::Illegal;
use crate::store::StoreError;

/// An error and everything below it, in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let cause = error.source().map(chain);
        let message = error.to_string();
        let (id, remedy) = match &error {
            StoreError::Held { cluster, .. } => {
                ("driven-elsewhere", format!("wait for it, or ask it to stop: ratchet why {cluster}"))
            }
            StoreError::Fenced { cluster, .. } => ("superseded", format!("ratchet why {cluster}")),
            StoreError::NoSuchRun(_) => ("no-such-run", "ratchet runs".to_owned()),
            StoreError::Ambiguous { .. } => ("ambiguous-run", "give more of the run's id".to_owned()),
            StoreError::NotAStore(_) => ("not-a-store", "correct `store` in ratchet.toml".to_owned()),
            StoreError::Damaged(_) => ("store-damaged", "restore the store from a backup".to_owned()),
            StoreError::Database { .. } | StoreError::File { .. } => (
                "store-unreachable",
                "see that the file exists, is writable and its disk is not full".to_owned(),
            ),
        };
        Self { cause, ..Self::operator(id, message, remedy) }
    }
}

impl From<Illegal> for Failure {
    fn from(illegal: Illegal) -> Self {
        Self::bug(illegal.to_string())
    }
}
