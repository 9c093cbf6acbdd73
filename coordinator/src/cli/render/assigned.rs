//! `assign`.

use super::printable;
use crate::documents::AssignedDocument;

/// Where an agent belongs from now on.
pub fn assigned(document: &AssignedDocument) -> String {
    let mut text = format!("{}\n", printable(&document.summary));
    if !document.connected {
        text.push_str("It is not connected to this coordinator now.\n");
    }
    text
}
