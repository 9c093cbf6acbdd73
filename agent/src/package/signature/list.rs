//! What a Debian package's signature is over: a list of its other members with their sums, as `dpkg-sig` writes it. Pure.

use std::collections::BTreeMap;

/// A member, as it is listed or as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// MD5 in hex.
    pub md5: String,
    /// SHA-1 in hex.
    pub sha1: String,
    /// Bytes.
    pub size: u64,
}

/// The members that a signed text lists.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<BTreeMap<String, Sums>, String> {
    let mut listed = BTreeMap::new();
    let mut lines = text.lines().skip_while(|line| line.trim_end() != "Files:");
    if lines.next().is_none() {
        return Err("the signed text has no list of files".to_owned());
    }
    for line in lines.map(str::trim_end).filter(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            return Err(format!("the signed text goes on with `{}` after its files", line.escape_debug()));
        }
        let (name, sums) =
            row(line).ok_or_else(|| format!("`{}` is no row of files", line.escape_debug()))?;
        if listed.insert(name.to_owned(), sums).is_some() {
            return Err(format!("the signed text lists {name} twice"));
        }
    }
    Ok(listed)
}

fn row(line: &str) -> Option<(&str, Sums)> {
    let mut fields = line.split_ascii_whitespace();
    let (md5, sha1) = (hex(fields.next()?, 32)?, hex(fields.next()?, 40)?);
    let (size, name) = (fields.next()?.parse().ok()?, fields.next()?);
    fields.next().is_none().then_some((name, Sums { md5, sha1, size }))
}

fn hex(text: &str, length: usize) -> Option<String> {
    let whole = text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| text.to_ascii_lowercase())
}

/// Whether the members are exactly those of the list.
///
/// # Errors
/// The first member that is not.
pub fn compare(listed: &BTreeMap<String, Sums>, found: &BTreeMap<String, Sums>) -> Result<(), String> {
    for (name, sums) in found {
        match listed.get(name) {
            None => return Err(format!("its member {name} is not in the signed list")),
            Some(signed) if signed != sums => {
                return Err(format!("its member {name} is not what was signed"));
            }
            Some(_) => {}
        }
    }
    match listed.keys().find(|name| !found.contains_key(*name)) {
        Some(missing) => Err(format!("its member {missing} is signed, and not there")),
        // A list of nothing would fit a package of nothing.
        None if !found.contains_key("debian-binary") => Err("it has no debian-binary".to_owned()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "3cf918272ffa5de195752d73f3da3e5e";
    const SHA1: &str = "7959c969e092f2a5a8604e2287807ac5b1b384ad";

    fn signed() -> String {
        format!("Version: 4\nSigner: \nDate: x\nRole: builder\nFiles: \n\t{MD5} {SHA1} 4 debian-binary\n")
    }

    #[test]
    fn a_list_is_read_as_it_was_signed() {
        let listed = parse(&signed()).unwrap();
        assert_eq!(listed["debian-binary"], Sums { md5: MD5.to_owned(), sha1: SHA1.to_owned(), size: 4 });
        compare(&listed, &listed).unwrap();
    }

    #[test]
    fn a_list_that_can_be_read_in_two_ways_is_refused() {
        for text in [
            String::new(),
            "Role: builder\n".to_owned(),
            format!("{}\t{MD5} {SHA1} 4 debian-binary\n", signed()),
            format!("{}Files: \n\t{MD5} {SHA1} 4 other\n", signed()),
            signed().replace(" 4 ", " four "),
            signed().replace(" 4 ", " -4 "),
            signed().replace("debian-binary", "debian binary"),
            signed().replace(MD5, &MD5[1..]),
            signed().replace(SHA1, "g959c969e092f2a5a8604e2287807ac5b1b384ad"),
        ] {
            assert!(parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_may_be_added_left_out_or_changed() {
        let listed = parse(&signed()).unwrap();
        let mut more = listed.clone();
        more.insert("data.tar".to_owned(), listed["debian-binary"].clone());
        assert!(compare(&listed, &more).unwrap_err().contains("data.tar is not in"));
        assert!(compare(&more, &listed).unwrap_err().contains("data.tar is signed"));
        for change in [
            |sums: &mut Sums| sums.size += 1,
            |sums: &mut Sums| sums.md5.replace_range(..1, "0"),
            |sums: &mut Sums| sums.sha1.replace_range(..1, "0"),
        ] {
            let mut other = listed.clone();
            change(other.get_mut("debian-binary").unwrap());
            assert!(compare(&listed, &other).unwrap_err().contains("not what was signed"));
        }
        compare(&BTreeMap::new(), &BTreeMap::new()).unwrap_err();
    }
}
