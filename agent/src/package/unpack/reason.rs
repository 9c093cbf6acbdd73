//! Why an entry is refused, and how its name is shown.

use std::fmt::Write as _;

/// Why an entry was refused.
#[derive(Debug, thiserror::Error)]
#[error("entry `{entry}` {reason}")]
pub struct Refused {
    /// The entry's name as the archive has it, made fit for a terminal; its number if it has no name.
    pub entry: String,
    /// Why.
    pub reason: Reason,
}

/// Why an entry was refused; reads on after its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Where a header should be there are other bytes.
    #[error("does not begin with the header of a tar archive")]
    NoHeader,
    /// Its header was damaged or made by somebody who cannot add.
    #[error("has a header with a wrong checksum")]
    Checksum,
    /// Some programs accept this checksum, others do not.
    #[error("has a checksum that only programs with signed bytes accept")]
    SignedChecksum,
    /// A field that is no plain number.
    #[error("has a {0} in its header that is not a plain number")]
    Field(&'static str),
    /// What programs read differently.
    #[error("has bytes in its header where there must be none: {0}")]
    Leftover(&'static str),
    /// Links, devices, sparse files and the like.
    #[error("is neither a plain file nor a directory but {0}")]
    Kind(String),
    /// Bits that give rights to whoever runs it.
    #[error("has the mode {0:o}; setuid, setgid and sticky bits are not allowed")]
    SpecialBits(u32),
    /// Its mode says that it is something else than its header.
    #[error("has the mode {0:o}, which is one of something else")]
    TypeBits(u32),
    /// A directory with content.
    #[error("is a directory with {0} bytes of content")]
    DirectoryContent(u64),
    /// An extended header is large.
    #[error("has an extended header of {size} bytes; {limit} are allowed")]
    LongHeader {
        /// Its size.
        size: u64,
        /// What is allowed.
        limit: u64,
    },
    /// More than one thing that overrides, or one of another format.
    #[error("has an extended header that does not belong to what follows it")]
    StrayHeader,
    /// An extended header that cannot be read.
    #[error("has an extended header that cannot be read: {0}")]
    Pax(&'static str),
    /// A key that would change what is unpacked, or that is not known.
    #[error("has the key `{0}` in an extended header, which is not allowed there")]
    Key(String),
    /// Programs would read different amounts.
    #[error("has {header} bytes by its header and {pax} by its extended header")]
    TwoSizes {
        /// What the header says.
        header: u64,
        /// What the extended header says.
        pax: u64,
    },
    /// No name, or only that of the tree itself.
    #[error("has no name of its own")]
    NoName,
    /// Not text.
    #[error("has a name that is not UTF-8")]
    NotUtf8,
    /// Characters that move a terminal's cursor or worse.
    #[error("has control characters in its name")]
    Control,
    /// A separator to some and a letter to others.
    #[error("has a backslash in its name")]
    Backslash,
    /// Absolute, or with `..` in it.
    #[error("leads out of the directory")]
    LeadsOut,
    /// The path is too long.
    #[error("has a name longer than {0} bytes")]
    LongPath(u64),
    /// One part of it is too long.
    #[error("has a part longer than 255 bytes in its name")]
    LongPart,
    /// The path is too deep.
    #[error("lies more than {0} directories deep")]
    Deep(u64),
    /// A file that is called like a directory.
    #[error("is a file with the name of a directory")]
    NamedLikeDirectory,
    /// Somebody has its name already.
    #[error("occurs twice")]
    Twice,
    /// A file lies in a file.
    #[error("lies below `{0}`, which is a file")]
    BelowFile(String),
    /// Too many of them.
    #[error("is one more than the {0} entries allowed")]
    Entries(u64),
    /// Too large altogether.
    #[error("exceeds the {0} bytes allowed in all")]
    Bytes(u64),
    /// One file is too large.
    #[error("exceeds the {0} bytes allowed for one file")]
    FileBytes(u64),
    /// A bomb.
    #[error("is compressed more than {0} times")]
    Ratio(u64),
    /// The archive ends in it.
    #[error("is cut off: {0} bytes are missing")]
    CutOff(u64),
    /// The archive ends behind it.
    #[error("is the last one, and no whole end mark of two blocks of zeros follows it")]
    NoEnd,
    /// There is something else behind the end.
    #[error("is the last one before the end mark, and more follows behind that")]
    AfterEnd,
    /// There is a lot of nothing behind the end.
    #[error("is the last one before the end mark, and more than {0} bytes of padding follow")]
    Padding(u64),
    /// There is something behind the compressed archive.
    #[error("is the last one, and something follows behind the compressed archive")]
    BehindGzip,
    /// Compressed twice.
    #[error("is compressed once more")]
    GzipInGzip,
}

impl Reason {
    /// Whether an honest archive comes to this by damage on its way. Then another copy of it may be good.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::NoHeader | Self::Checksum | Self::CutOff(_) | Self::NoEnd)
    }

    /// Whether the operator's own limit was in the way.
    pub fn is_limit(&self) -> bool {
        use Reason::{Bytes, Deep, Entries, FileBytes, LongPath, Ratio};
        matches!(self, Bytes(_) | Deep(_) | Entries(_) | FileBytes(_) | LongPath(_) | Ratio(_))
    }
}

/// A name as it may be shown: what is not text, and what a terminal would act upon, is written in escapes.
pub(super) fn shown(raw: &[u8]) -> String {
    const MOST: usize = 300;
    let mut text = String::new();
    for chunk in raw.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\'' | '"' => text.push(letter),
                _ => text.extend(letter.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            // Writing into a text cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
        if text.chars().nth(MOST).is_some() {
            return text.chars().take(MOST).chain(['…']).collect();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_does_nothing_to_a_terminal() {
        for (raw, expected) in [
            (&b"plain/name.sh"[..], "plain/name.sh"),
            ("schön".as_bytes(), "schön"),
            (b"\x1b[2J\r\nroot#", "\\u{1b}[2J\\r\\nroot#"),
            (b"a\xff\xfeb\\", "a\\xff\\xfeb\\\\"),
            ("a\u{202e}b\u{9b}".as_bytes(), "a\\u{202e}b\\u{9b}"),
        ] {
            assert_eq!(shown(raw), expected);
        }
        let long = shown(&[b'a'; 5000]);
        assert!(long.chars().count() == 301 && long.ends_with('…'));
    }
}
