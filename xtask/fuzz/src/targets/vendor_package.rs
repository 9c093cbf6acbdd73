//! What a vendor's package is verified by: its frame, the signed list in it, the key, and what the tool says.

use std::io::Cursor;

use agent::config::Trust;
use agent::package::signature::key::VendorKey;
use agent::package::signature::{ar, list, status};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "!<arch>\n", "_gpgbuilder", "debian-binary", "`\n", "Files:\n", "[GNUPG:] VALIDSIG ", "[GNUPG:] GOODSIG ",
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n", "-----END PGP PUBLIC KEY BLOCK-----\n",
];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS).longest(16 * 1024).short_runs(5000);

fn seeds() -> Vec<Vec<u8>> {
    let member = |name: &str, content: &str| format!("{name:<16}{:<12}0     0     100644  {:<10}`\n{content}", 0, content.len());
    let package = format!("!<arch>\n{}{}", member("debian-binary", "2.0\n"), member("_gpgbuilder", "Files:\n"));
    let row = format!("Files:\n\t{} {} 4 debian-binary\n", "0".repeat(32), "1".repeat(40));
    let said = format!("[GNUPG:] GOODSIG 1 x\n[GNUPG:] VALIDSIG 1 2 {}\n", Trust::default().vendor_fingerprint);
    seeds::texts(&[&package, &row, &said, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n=AAAA\n-----END"])
}

fn run(bytes: &[u8]) {
    if let Ok(members) = ar::members(&mut Cursor::new(bytes)) {
        let mut end = 0;
        for member in &members {
            assert!(member.offset >= end, "members overlap: {members:?}");
            end = member.offset + member.size;
            assert!(end <= bytes.len() as u64, "a member goes on behind the end: {members:?}");
        }
    }
    let text = expect::text(bytes);
    if let Ok(listed) = list::parse(&text) {
        assert!(listed.len() <= text.lines().count(), "more rows than lines");
    }
    let fingerprint = Trust::default().vendor_fingerprint;
    if status::judge(&text, &fingerprint).is_ok() {
        assert!(text.contains(fingerprint.as_str()), "believed without the pinned key");
    }
    if let Ok(key) = VendorKey::find(bytes, &fingerprint) {
        assert!(key.keyring().len() <= bytes.len(), "more key than file");
    }
}
