//! The readers of foreign bytes that have no other door: whoever wants to break them can, without a node (`xtask/fuzz`).

use std::path::Path;

use proto::{Fact, Row};
use serde_json::Value;

use super::{details, sockets};

/// What a document of the product's REST API says of a fact; `None` if the fact is in no document.
///
/// # Errors
/// The document is not what it must be.
pub fn rest_document(fact: Fact, document: &Value) -> Option<Result<Vec<Row>, String>> {
    details::read_document(fact, document)
}

/// What each certificate of a PEM text says; `None` for one that cannot be read.
pub fn certificates(text: &str) -> Vec<Option<Row>> {
    details::certificates_in(text)
}

/// The ports that somebody waits at, by one of the kernel's tables of TCP sockets; `None` if it cannot be read.
pub fn listening_ports(table: &str) -> Option<Vec<u16>> {
    let found = sockets::waiting(table, sockets::Protocol::Tcp)?;
    Some(found.into_iter().map(|socket| socket.port).collect())
}

/// Whether a list of package sources names one that is switched on.
pub fn names_repository(file: &Path, text: &str) -> bool {
    details::names_one(file, text)
}

/// Whether the logrotate file was changed, by what `dpkg --verify` or `rpm --verify` printed; `None` if that cannot be
/// told.
pub fn logrotate_changed(printed: &str) -> Option<bool> {
    details::changed(printed)
}
