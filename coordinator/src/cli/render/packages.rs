//! `package add|list|show|remove`.

use comfy_table::Cell;

use super::table::{cell, table};
use super::{bytes, printable};
use crate::documents::{PackageDocument, PackageRow, PackagesDocument, RemovedDocument};

/// The catalogue.
pub fn packages(document: &PackagesDocument) -> String {
    if document.packages.is_empty() {
        return "the catalogue is empty; add a package with `ratchet package add FILE|URL`\n".to_owned();
    }
    let header = ["VERSION", "OS", "ARCH", "SHA-256", "SIZE", "ORIGIN", "VENDOR'S CHECKSUM", "SOURCE"];
    table(&header, document.packages.iter().map(row).collect())
}

/// What `package add` did.
pub fn package_added(document: &PackageDocument) -> String {
    let word = if document.already_there { "already in the catalogue" } else { "added" };
    format!("{word}: {}", whole(&document.package))
}

/// One package.
pub fn package_shown(document: &PackageDocument) -> String {
    whole(&document.package)
}

/// What `package remove` did.
pub fn package_removed(document: &RemovedDocument) -> String {
    format!("removed: {}Copies that nodes hold already stay there.\n", whole(&document.removed))
}

fn row(package: &PackageRow) -> Vec<Cell> {
    let size = package.size.map(bytes);
    vec![
        cell(Some(&package.version)),
        cell(Some(&package.os)),
        cell(Some(&package.arch)),
        cell(Some(short(&package.sha256))),
        cell(size.as_deref()),
        cell(Some(&package.origin)),
        cell(Some(&package.vendor_checksum)),
        cell(package.sources.first().map(String::as_str)),
    ]
}

fn whole(package: &PackageRow) -> String {
    let mut out = format!("{} for {}/{}\n", package.version, package.os, package.arch);
    let mut line = |label: &str, text: &str| out.push_str(&format!("  {label:<18} {}\n", printable(text)));
    line("SHA-256", &package.sha256);
    line("vendor's checksum", &package.vendor_checksum);
    line("owner's catalogue", &package.owner_catalogue);
    line("vendor's signature", "looked at on each node, when it is unpacked there: ratchet show RUN");
    line("size", &package.size.map_or_else(|| "not known".to_owned(), bytes));
    line("origin", &package.origin);
    package.added_by.iter().for_each(|by| line("added by", by));
    package.sources.iter().for_each(|source| line("source", source));
    out
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn the_list_is_short_and_the_package_whole() {
        let package = sample::package();
        let list = packages(&PackagesDocument { schema: String::new(), packages: vec![package.clone()] });
        assert!(list.contains(&package.sha256[..12]) && !list.contains(&package.sha256), "{list}");
        let document =
            PackageDocument { schema: String::new(), package: package.clone(), already_there: true };
        let shown = package_added(&document);
        assert!(shown.starts_with("already in the catalogue: 7.4.6-22 for jammy/amd64\n"), "{shown}");
        assert!(shown.contains(&package.sha256) && shown.contains(&package.sources[0]), "{shown}");
    }

    #[test]
    fn a_digest_that_is_none_does_not_panic() {
        assert_eq!(short("äöü"), "äöü");
        assert_eq!(short("aaaaaaaaaaaä"), "aaaaaaaaaaaä");
    }
}
