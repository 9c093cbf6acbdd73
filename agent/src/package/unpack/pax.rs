//! The extended headers of POSIX: `LENGTH KEY=VALUE\n`, any number of them. Only keys that are known are let pass, and of
//! those only two change anything.

use std::collections::BTreeSet;

use super::reason::{Reason, shown};

/// What an extended header says about an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Overrides {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
}

/// Whom an extended header is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Next,
    /// All that follow; nothing that matters may be said about all.
    Global,
}

/// Reads an extended header.
pub(super) fn parse(mut bytes: &[u8], scope: Scope) -> Result<Overrides, Reason> {
    let mut overrides = Overrides::default();
    let mut seen = BTreeSet::new();
    while !bytes.is_empty() {
        let (key, value, rest) = record(bytes)?;
        if !seen.insert(key) {
            return Err(Reason::Pax("a key occurs twice"));
        }
        take(key, value, scope, &mut overrides)?;
        bytes = rest;
    }
    Ok(overrides)
}

/// The first record's key and value, and what follows it.
fn record(bytes: &[u8]) -> Result<(&str, &[u8], &[u8]), Reason> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = number(&bytes[..digits]).and_then(|length| usize::try_from(length).ok());
    let length = length.filter(|&length| length <= bytes.len() && length > digits + 1);
    let length = length.ok_or(Reason::Pax("a record has no length, or a wrong one"))?;
    let (record, rest) = bytes.split_at(length);
    let Some((b' ', pair)) = record[digits..].split_first().map(|(blank, pair)| (*blank, pair)) else {
        return Err(Reason::Pax("no blank follows the length of a record"));
    };
    let Some((b'\n', pair)) = pair.split_last().map(|(end, pair)| (*end, pair)) else {
        return Err(Reason::Pax("a record does not end where its line does"));
    };
    let equals = pair.iter().position(|&byte| byte == b'=').ok_or(Reason::Pax("a record has no value"))?;
    let key = std::str::from_utf8(&pair[..equals]).map_err(|_| Reason::Pax("a key is not UTF-8"))?;
    Ok((key, &pair[equals + 1..], rest))
}

fn take(key: &str, value: &[u8], scope: Scope, overrides: &mut Overrides) -> Result<(), Reason> {
    let not_allowed = || Reason::Key(shown(key.as_bytes()));
    let is_good = match key {
        // Times and owners of what is unpacked are its own. Still: nothing that other programs stumble over.
        "mtime" | "atime" | "ctime" | "LIBARCHIVE.creationtime" => is_time(value),
        "uid" | "gid" => number(value).is_some_and(|id| u32::try_from(id).is_ok()),
        "comment" | "uname" | "gname" => is_text(value),
        _ if scope == Scope::Global => return Err(not_allowed()),
        "path" => {
            overrides.path = Some(value.to_vec());
            !value.is_empty()
        }
        "size" => {
            overrides.size = number(value);
            overrides.size.is_some()
        }
        // Names must be UTF-8 whatever is said of them.
        "hdrcharset" => [&b"BINARY"[..], b"ISO-IR 10646 2000 UTF-8"].contains(&value),
        "SCHILY.dev" | "SCHILY.ino" | "SCHILY.nlink" => number(value).is_some(),
        "SCHILY.fflags" => is_text(value),
        _ if is_attribute(key) => true,
        _ => return Err(not_allowed()),
    };
    if is_good { Ok(()) } else { Err(Reason::Pax("a value is not one of its key")) }
}

/// Attributes of files that are not unpacked, whatever they say: lists of access, labels, attributes of other systems.
fn is_attribute(key: &str) -> bool {
    let groups = ["SCHILY.xattr.", "LIBARCHIVE.xattr.", "SCHILY.acl.", "RHT.security."];
    groups.iter().any(|group| key.strip_prefix(group).is_some_and(|name| !name.is_empty()))
}

fn is_text(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| !text.contains('\0'))
}

/// Decimal digits without anything around them.
fn number(digits: &[u8]) -> Option<u64> {
    let is_plain = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.iter().all(u8::is_ascii_digit);
    is_plain.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// Seconds, with a sign and a fraction if need be.
fn is_time(value: &[u8]) -> bool {
    let unsigned = value.strip_prefix(b"-").unwrap_or(value);
    let mut parts = unsigned.splitn(2, |&byte| byte == b'.');
    let are_digits = |part: &[u8]| (1..=12).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    parts.next().is_some_and(are_digits) && parts.next().is_none_or(are_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_write_is_read() {
        let written = b"30 mtime=1795699057.037855897\n20 path=./sch\xc3\xb6n.sh\n9 size=5\n28 SCHILY.xattr.user.a=b\n\0\n\n";
        let read = parse(written, Scope::Next).unwrap();
        assert_eq!(read, Overrides { path: Some("./schön.sh".into()), size: Some(5) });
        parse(b"52 comment=0123456789012345678901234567890123456789\n", Scope::Global).unwrap();
        assert_eq!(parse(b"", Scope::Next).unwrap(), Overrides::default());
    }

    #[test]
    fn what_could_be_read_otherwise_is_refused() {
        for bad in [
            &b"8 path=a\n"[..],
            b"11 path=a\n",
            b"10 path=ab",
            b"010 path=a\n",
            b"+9 path=a\n",
            b"99999999999999999999999 path=a\n",
            b"9  path=a\n\0",
            b"8 path=\n",
            b"7 path\n",
            b"11 size=0x\n",
            b"11 size=-1\n",
            b"11 size=05\n",
            b"11 mtime=x\n",
            b"10 path=a\n10 path=b\n",
            b"2\n",
            b"0 ",
            b"18 uid=4294967296\n",
            b"20 hdrcharset=UTF-7\n",
        ] {
            parse(bad, Scope::Next).unwrap_err();
        }
    }

    #[test]
    fn only_harmless_keys_are_said_of_all_and_only_known_ones_of_one() {
        for key in ["path", "size", "linkpath", "hdrcharset", "SCHILY.xattr.user.a"] {
            assert_eq!(parse(&one(key, "1"), Scope::Global), Err(Reason::Key(key.to_owned())));
        }
        let names =
            ["linkpath", "GNU.sparse.major", "GNU.sparse.name", "SCHILY.realsize", "SCHILY.acl.", "x"];
        for key in names {
            assert_eq!(parse(&one(key, "1"), Scope::Next), Err(Reason::Key(key.to_owned())));
        }
    }

    fn one(key: &str, value: &str) -> Vec<u8> {
        let rest = format!(" {key}={value}\n");
        let length = (rest.len()..).find(|length| length.to_string().len() + rest.len() == *length).unwrap();
        format!("{length}{rest}").into_bytes()
    }
}
