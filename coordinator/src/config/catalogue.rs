//! `[catalogue]`: the fleet owner's signed catalogue of packages.

use proto::OwnerKey;
use toml::Value;

use super::reader::{Mistakes, Reader, kind};
use super::{CatalogueConfig, files};

/// Its keys.
pub(super) const KEYS: [&str; 2] = ["file", "owner_keys"];
const KEY: &str = "write the line that begins with RW, like owner_keys = [\"RWQ…\"]";

/// No table, no catalogue. A table without a file is a mistake: somebody believes that there is one.
pub(super) fn catalogue(table: Option<Reader>, mistakes: &mut Mistakes) -> Option<CatalogueConfig> {
    let mut table = table?;
    let file = files::file(&mut table, "file", mistakes);
    if file.is_none() {
        mistakes.note(
            "catalogue.file",
            "it is missing",
            "name the file that `ratchet catalogue new` has written",
        );
    }
    let keys = keys(&mut table, mistakes);
    table.finish(&KEYS, mistakes);
    Some(CatalogueConfig { file: file?, keys })
}

fn keys(table: &mut Reader, mistakes: &mut Mistakes) -> Vec<OwnerKey> {
    let place = table.key("owner_keys");
    let texts = match table.take("owner_keys") {
        None => return Vec::new(),
        Some(Value::Array(texts)) if !texts.is_empty() => texts,
        Some(other) => {
            mistakes.note(&place, format!("it is {}, not a list of keys", kind(&other)), KEY);
            return Vec::new();
        }
    };
    let mut keys = Vec::new();
    for text in texts {
        match OwnerKey::parse(text.as_str().unwrap_or_default()) {
            Ok(key) => keys.push(key),
            Err(error) => mistakes.note(&place, error.to_string(), KEY),
        }
    }
    keys
}
