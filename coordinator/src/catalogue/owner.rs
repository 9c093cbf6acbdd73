//! What the fleet owner's signed catalogue says of a package. Pure. The nodes verify it by themselves; here it is told
//! early.

use jiff::Timestamp;
use proto::{OwnedCatalogue, Package};

/// What could be read of the owner's catalogue, or why nothing could.
pub type OwnersWord = Result<OwnedCatalogue, String>;

/// What the owner says of a package, in words; the error says why it will not be installed.
pub fn owners_word(word: Option<&OwnersWord>, package: &Package, now: Timestamp) -> Result<String, String> {
    let catalogue = match word {
        None => return Ok("not asked for: ratchet.toml names no signed catalogue".to_owned()),
        Some(Ok(catalogue)) => catalogue,
        Some(Err(cause)) => return Err(cause.clone()),
    };
    let (serial, expires) = (catalogue.serial, catalogue.expires);
    // Which fleet a node is of, and which serials it has seen, the node knows.
    if now >= expires {
        return Err(format!("catalogue {serial} expired at {expires}"));
    }
    match catalogue.allows(package) {
        Ok(()) => Ok(format!("in catalogue {serial}, which expires at {expires}")),
        Err(error) => Err(format!("catalogue {serial} does not allow it: {error}")),
    }
}
