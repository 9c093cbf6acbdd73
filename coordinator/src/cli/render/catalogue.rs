//! `catalogue keygen|new|sign|verify|show`.

use super::printable;
use super::table::{cell, table};
use crate::documents::{CatalogueDocument, CatalogueKeyDocument, CatalogueRow};

/// A catalogue, whole.
pub fn catalogue(document: &CatalogueDocument) -> String {
    let CatalogueDocument { file, serial, expires, packages, .. } = document;
    let mut out = format!("{}: catalogue {serial}, expires at {expires}\n", printable(file));
    let fleet = document.fleet.as_deref().unwrap_or("every fleet that trusts the key");
    let signature = match (&document.signature, document.verified) {
        (Some(_), true) => "verified",
        (Some(_), false) => "not verified: no key was named",
        (None, _) => "there is none yet: ratchet catalogue sign FILE --secret KEY",
    };
    out.push_str(&format!("  for        {}\n  signature  {signature}\n", printable(fleet)));
    if packages.is_empty() {
        return out + "  it allows nothing\n";
    }
    let row = |row: &CatalogueRow| {
        let size = row.size.map(super::bytes);
        vec![
            cell(Some(&row.version)),
            cell(Some(&row.os)),
            cell(Some(&row.arch)),
            cell(Some(&row.sha256)),
            cell(size.as_deref()),
        ]
    };
    out + &table(&["VERSION", "OS", "ARCH", "SHA-256", "SIZE"], packages.iter().map(row).collect())
}

/// A key that was made.
pub fn catalogue_key(document: &CatalogueKeyDocument) -> String {
    let CatalogueKeyDocument { public_key, public_file, secret_file, .. } = document;
    format!(
        "secret key  {}   keep it off the coordinator\npublic key  {}\n\non every node, in /etc/ratchet/agent.toml:\n\n\
         [trust]\nowner_keys = [\"{public_key}\"]\n",
        printable(secret_file),
        printable(public_file)
    )
}
