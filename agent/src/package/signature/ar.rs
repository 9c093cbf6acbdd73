//! The frame of a Debian package: an `ar` archive of a few members (deb(5)). Pure; stricter than the tools, so that no
//! tool sees another package than the one that was checked.

use std::io::{self, Read, Seek, SeekFrom};

/// How a package begins.
pub const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;
/// A package has three or four.
const MOST: usize = 64;

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where its bytes begin.
    pub offset: u64,
    /// How many there are.
    pub size: u64,
}

/// Why a file is no such archive.
#[derive(Debug, thiserror::Error)]
pub enum ArError {
    /// It cannot be read, or ends early.
    #[error("it cannot be read to its end")]
    Io(#[from] io::Error),
    /// It breaks the format.
    #[error("member {number} {reason}")]
    Member {
        /// Which member, from 1.
        number: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// It does not begin as one.
    #[error("it does not begin with `!<arch>`")]
    Magic,
}

/// All members of an archive, in their order; not two of one name, nothing between and nothing after them.
///
/// # Errors
/// [`ArError`].
pub fn members(archive: &mut (impl Read + Seek)) -> Result<Vec<Member>, ArError> {
    let length = archive.seek(SeekFrom::End(0))?;
    archive.seek(SeekFrom::Start(0))?;
    let mut magic = [0; MAGIC.len()];
    if length < MAGIC.len() as u64 {
        return Err(ArError::Magic);
    }
    archive.read_exact(&mut magic)?;
    if magic != *MAGIC {
        return Err(ArError::Magic);
    }
    let (mut members, mut at) = (Vec::<Member>::new(), MAGIC.len() as u64);
    while at < length {
        let wrong = |reason| ArError::Member { number: members.len() + 1, reason };
        let member = member(archive, at, length).map_err(|error| error.map_or_else(ArError::Io, wrong))?;
        if members.len() >= MOST {
            return Err(wrong("is one more than any package has"));
        }
        if members.iter().any(|known| known.name == member.name) {
            return Err(wrong("has the name of another one"));
        }
        // Members begin at even places.
        at = member.offset + member.size + member.size % 2;
        members.push(member);
    }
    Ok(members)
}

/// Why a member was not read: the file, or what is in it.
enum Wrong {
    Io(io::Error),
    Format(&'static str),
}

impl Wrong {
    fn map_or_else(
        self,
        io: impl FnOnce(io::Error) -> ArError,
        format: impl FnOnce(&'static str) -> ArError,
    ) -> ArError {
        match self {
            Self::Io(error) => io(error),
            Self::Format(reason) => format(reason),
        }
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn member(archive: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Member, Wrong> {
    let mut header = [0; HEADER];
    archive.seek(SeekFrom::Start(at))?;
    archive.read_exact(&mut header)?;
    if header[58..] != *b"`\n" {
        return Err(Wrong::Format("has no end of its header"));
    }
    let name = name(&header[..16]).ok_or(Wrong::Format("has a name that no member of a package has"))?;
    let size = number(&header[48..58]).ok_or(Wrong::Format("has a size that is no number"))?;
    let offset = at + HEADER as u64;
    let end = offset.saturating_add(size).saturating_add(size % 2);
    if end > length {
        return Err(Wrong::Format("is longer than the file"));
    }
    if size % 2 == 1 {
        let mut pad = [0];
        archive.seek(SeekFrom::Start(offset + size))?;
        archive.read_exact(&mut pad)?;
        if pad != *b"\n" {
            return Err(Wrong::Format("is not filled up with a line end"));
        }
    }
    Ok(Member { name, offset, size })
}

/// Blanks fill the field; GNU's tool ends the name with a slash. No tables of long names: their readers differ.
fn name(field: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(field).ok()?.trim_end_matches(' ');
    let text = text.strip_suffix('/').unwrap_or(text);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '+');
    (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
}

/// Digits, then blanks.
fn number(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_end_matches(' ');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    pub(in crate::package::signature) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (name, content) in members {
            bytes.extend(
                format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len()).bytes(),
            );
            bytes.extend(*content);
            if content.len() % 2 == 1 {
                bytes.push(b'\n');
            }
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<Member>, ArError> {
        members(&mut Cursor::new(bytes))
    }

    #[test]
    fn members_are_found_where_they_are() {
        let bytes =
            archive(&[("debian-binary", b"2.0\n"), ("control.tar.gz/", b"abc"), ("data.tar.xz", b"")]);
        let found = read(&bytes).unwrap();
        let names: Vec<(&str, &[u8])> = found
            .iter()
            .map(|member| {
                let from = usize::try_from(member.offset).unwrap();
                (member.name.as_str(), &bytes[from..from + usize::try_from(member.size).unwrap()])
            })
            .collect();
        assert_eq!(
            names,
            [("debian-binary", &b"2.0\n"[..]), ("control.tar.gz", b"abc"), ("data.tar.xz", b"")]
        );
    }

    #[test]
    fn what_two_tools_might_read_in_two_ways_is_refused() {
        let good = archive(&[("debian-binary", b"2.0\n"), ("data.tar", b"abc")]);
        let damaged = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        for (what, bytes) in [
            ("no magic", good[8..].to_vec()),
            ("empty", Vec::new()),
            ("cut header", good[..40].to_vec()),
            ("cut content", good[..good.len() - 2].to_vec()),
            ("no pad", good[..good.len() - 1].to_vec()),
            ("another pad", damaged(good.len() - 1, b'x')),
            ("more behind", [&good[..], b"x"].concat()),
            ("one name twice", archive(&[("data.tar", b"a"), ("data.tar", b"b")])),
            ("one name twice, once with a slash", archive(&[("data.tar", b"a"), ("data.tar/", b"b")])),
            ("a long name of BSD", archive(&[("#1/20", b"01234567890123456789")])),
            ("a table of long names", archive(&[("//", b"x\n")])),
            ("no name", archive(&[("", b"x\n")])),
            ("a path", archive(&[("a/b", b"x\n")])),
            ("a sign before the size", damaged(8 + 48, b'+')),
            ("a blank before the size", damaged(8 + 48, b' ')),
            ("another end of a header", damaged(8 + 58, b'x')),
        ] {
            assert!(read(&bytes).is_err(), "{what}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_members_inside_the_file_or_an_error(noise in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ended = read(&noise);
            let mut bytes = archive(&[("debian-binary", b"2.0\n")]);
            bytes.extend(&noise);
            if let Ok(found) = read(&bytes) {
                for member in found {
                    prop_assert!(member.offset + member.size <= bytes.len() as u64);
                }
            }
        }

        #[test]
        fn what_is_put_in_comes_out(
            members in prop::collection::btree_map("[a-z][a-z.]{0,14}", prop::collection::vec(any::<u8>(), 0..50), 0..8),
            at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let list: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            let mut bytes = archive(&list);
            let found: Vec<(String, u64)> =
                read(&bytes).unwrap().into_iter().map(|member| (member.name, member.size)).collect();
            let put: Vec<(String, u64)> =
                list.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.len() as u64)).collect();
            prop_assert_eq!(found, put);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ended = read(&bytes);
        }
    }
}
