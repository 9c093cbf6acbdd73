//! An RPM package's signature, as `rpmkeys` sees it with the vendor's key and no other (fact sheet §1.6).

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::Job;
use super::deb::no_key;
use super::key::VendorKey;
use super::policy::Seen;
use super::programs::{Programs, run};

/// How an RPM package begins.
pub const MAGIC: &[u8; 4] = b"\xed\xab\xee\xdb";

/// What can be seen of an RPM package's signature.
pub async fn look(file: &Path, key: &Result<VendorKey, String>, job: &Job<'_>) -> io::Result<Seen> {
    let Programs { rpmkeys, .. } = job.programs;
    if !rpmkeys.exists() {
        return Ok(Seen::NoProgram(format!("there is no {} on this node", rpmkeys.display())));
    }
    let database = fresh(&job.scratch.join("rpm"))?;
    if let Ok(key) = key {
        let armoured = job.scratch.join("key.asc");
        std::fs::write(&armoured, key.armoured())?;
        let arguments = ["--dbpath".into(), OsString::from(&database), "--import".into(), armoured.into()];
        let said = run(rpmkeys, arguments).await;
        if !said.well {
            return Ok(Seen::Unknown(format!("the vendor's key cannot be used: {}", said.ending)));
        }
    }
    let arguments =
        ["--dbpath".into(), database.into(), "--checksig".into(), "-v".into(), OsString::from(file)];
    let said = run(rpmkeys, arguments).await;
    Ok(match (judge(&said.stdout, said.well), key) {
        (Seen::Good(_), Ok(_)) => Seen::Good(format!("signed by {}", job.trust.vendor_fingerprint)),
        (Seen::Unsigned(detail), _) => Seen::Unsigned(detail),
        (_, Err(cause)) => no_key(cause, job.key_is_there),
        (seen, Ok(_)) => seen,
    })
}

pub(super) fn fresh(dir: &Path) -> io::Result<PathBuf> {
    crate::durable::remove(dir).map_err(io::Error::other)?;
    std::fs::create_dir(dir)?;
    Ok(dir.to_owned())
}

/// Whether every line of `rpmkeys --checksig -v` says OK, and a signature covers the whole package: one over header and
/// payload, or one over the header with a digest of the payload in it. Pure.
pub fn judge(stdout: &str, well: bool) -> Seen {
    let lines: Vec<&str> = stdout.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(bad) = lines.iter().find(|line| !says_ok(line)) {
        return Seen::Wrong(format!("rpmkeys says {}", bad.escape_debug()));
    }
    let header = lines.iter().any(|line| line.starts_with("Header ") && line.contains(" Signature, key "));
    let whole = lines.iter().any(|line| line.starts_with('V') && line.contains(" Signature, key "));
    let payload = lines.iter().any(|line| line.starts_with("Payload ") && line.contains(" digest: OK"));
    match (header, whole, payload) {
        (false, false, _) if lines.is_empty() => Seen::Unknown("rpmkeys cannot read it".to_owned()),
        (false, false, _) => Seen::Unsigned("it carries no signature".to_owned()),
        _ if !well => Seen::Wrong("rpmkeys did not end well".to_owned()),
        (_, true, _) | (true, _, true) => Seen::Good(String::new()),
        (true, false, false) => Seen::Wrong("the signature covers its header and not its payload".to_owned()),
    }
}

/// Older ones have a digest's value behind the word.
fn says_ok(line: &str) -> bool {
    let behind = line.rsplit_once(": OK").map(|(_, behind)| behind);
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    behind.is_some_and(|text| {
        text.is_empty() || text.strip_prefix(" (").and_then(|text| text.strip_suffix(')')).is_some_and(hex)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "/x/a.rpm:\n    Header V4 RSA/SHA256 Signature, key ID d7d1529f: OK\n    Header SHA256 digest: \
                          OK\n    Header SHA1 digest: OK\n    Payload SHA256 digest: OK\n    MD5 digest: OK\n";
    const OLD: &str =
        "/x/a.rpm:\n    Header V4 RSA/SHA1 Signature, key ID d7d1529f: OK\n    Header SHA1 digest: OK (ab)\n";

    #[test]
    fn every_line_counts_and_the_payload_must_be_covered() {
        assert_eq!(judge(SIGNED, true), Seen::Good(String::new()));
        assert!(matches!(judge(SIGNED, false), Seen::Wrong(_)));
        for (from, to) in [
            ("Payload SHA256 digest: OK", "Payload SHA256 digest: NOT OK"),
            ("d7d1529f: OK", "d7d1529f: NOKEY"),
            ("d7d1529f: OK", "d7d1529f: BAD"),
            ("d7d1529f: OK", "d7d1529f: NOT OK"),
            ("d7d1529f: OK", "d7d1529f: NOTTRUSTED"),
            ("Header SHA1 digest: OK", "Header SHA1 digest: MISSING"),
            ("    Payload SHA256 digest: OK\n", ""),
        ] {
            assert!(matches!(judge(&SIGNED.replace(from, to), true), Seen::Wrong(_)), "{to}");
        }
        assert!(matches!(judge(OLD, true), Seen::Wrong(_)));
        let old =
            format!("{OLD}    V3 RSA/SHA256 Signature, key ID d7d1529f: OK\n    MD5 digest: OK (0a1b)\n");
        assert_eq!(judge(&old, true), Seen::Good(String::new()));
        for (from, to) in
            [("OK (0a1b)", "OK (0a1b) != 1"), ("OK (0a1b)", "OK (MISSING KEY)"), ("OK (0a1b)", "BAD (0a1b)")]
        {
            assert!(matches!(judge(&old.replace(from, to), true), Seen::Wrong(_)), "{to}");
        }
        let whole =
            SIGNED.replace("    Payload SHA256", "    V4 RSA/SHA256 Signature, key ID d7d1529f: OK\n    MD5");
        assert_eq!(judge(&whole, true), Seen::Good(String::new()));
    }

    #[test]
    fn digests_are_no_signature_and_silence_is_nothing() {
        let unsigned = "/x/a.rpm:\n    Header SHA256 digest: OK\n    Payload SHA256 digest: OK\n";
        assert!(matches!(judge(unsigned, true), Seen::Unsigned(_)));
        for text in ["", "/x/a.rpm:\n", "error: /x/a.rpm: not an rpm package\n"] {
            assert!(matches!(judge(text, true), Seen::Unknown(_)), "{text}");
        }
        // A file's name is no line about a signature.
        let name = "/x/V4 RSA Signature, key ID 1: OK:\n    Header SHA256 digest: OK\n";
        assert!(matches!(judge(name, true), Seen::Unsigned(_)));
    }
}
