//! One header of a tar archive. Whatever two programs could read in two ways is refused.

use super::reason::Reason;

/// Archives are made of blocks of this size.
pub(super) const BLOCK: usize = 512;

/// One block.
pub(super) type Block = [u8; BLOCK];

/// The dialects of tar; each fills the rest of a header in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    V7,
    Gnu,
    Posix,
}

/// What a header stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// GNU: the name of the next entry.
    LongName,
    /// POSIX: values for the next entry.
    Pax,
    /// POSIX: values for all that follow.
    Global,
}

impl Kind {
    /// Whether it only says something about others.
    pub(super) fn is_extended(self) -> bool {
        matches!(self, Self::LongName | Self::Pax | Self::Global)
    }
}

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) format: Format,
    pub(super) kind: Kind,
    pub(super) name: Vec<u8>,
    pub(super) mode: u32,
    pub(super) size: u64,
}

/// Reads one header.
pub(super) fn parse(block: &Block) -> Result<Header, Reason> {
    check_sum(block)?;
    let format = format(block)?;
    let kind = kind(block, format)?;
    let header = Header { format, kind, name: name(block), mode: mode(block, kind)?, size: size(block)? };
    leftovers(block, format)?;
    let small = [("user", 108..116), ("group", 116..124), ("device", 329..337), ("device", 337..345)];
    for (field, at) in small {
        identity(&block[at]).ok_or(Reason::Field(field))?;
    }
    time(&block[136..148]).ok_or(Reason::Field("time"))?;
    if kind == Kind::Directory && header.size != 0 {
        return Err(Reason::DirectoryContent(header.size));
    }
    Ok(header)
}

/// The name in a header that may be no header at all.
pub(super) fn name(block: &Block) -> Vec<u8> {
    let short = until_nul(&block[..100]);
    let prefix = if block[257..263] == *b"ustar\0" { until_nul(&block[345..500]) } else { b"" };
    if prefix.is_empty() { short.to_vec() } else { [prefix, b"/", short].concat() }
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn check_sum(block: &Block) -> Result<(), Reason> {
    // The field itself counts as blanks.
    let others = || block[..148].iter().chain(&block[156..]);
    let unsigned = 8 * 32 + others().map(|&byte| i64::from(byte)).sum::<i64>();
    let signed = 8 * 32 + others().map(|&byte| i64::from(byte.cast_signed())).sum::<i64>();
    let written = octal(&block[148..156]).ok_or(Reason::NoHeader)?.cast_signed();
    match written {
        sum if sum == unsigned => Ok(()),
        sum if sum == signed => Err(Reason::SignedChecksum),
        _ => Err(Reason::Checksum),
    }
}

fn format(block: &Block) -> Result<Format, Reason> {
    match &block[257..265] {
        b"ustar\x0000" => Ok(Format::Posix),
        b"ustar  \0" => Ok(Format::Gnu),
        [0, 0, 0, 0, 0, 0, 0, 0] => Ok(Format::V7),
        _ => Err(Reason::NoHeader),
    }
}

fn kind(block: &Block, format: Format) -> Result<Kind, Reason> {
    match (block[156], format) {
        // The first tar had no mark for directories but the name.
        (0, Format::V7) if until_nul(&block[..100]).ends_with(b"/") => Ok(Kind::Directory),
        (b'0' | 0, _) => Ok(Kind::File),
        (b'5', _) => Ok(Kind::Directory),
        (b'L', Format::Gnu) => Ok(Kind::LongName),
        (b'x', Format::Posix) => Ok(Kind::Pax),
        (b'g', Format::Posix) => Ok(Kind::Global),
        (other, _) => Err(Reason::Kind(described(other))),
    }
}

fn described(kind: u8) -> String {
    let known = match kind {
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' => "a character device",
        b'4' => "a block device",
        b'6' => "a fifo",
        b'7' => "a contiguous file",
        b'S' => "a sparse file",
        b'K' => "the target of a link",
        b'L' | b'x' | b'g' | b'X' => "an extended header of another format",
        b'D' => "a directory with a list of names",
        b'M' => "the rest of a file from another volume",
        b'V' => "the name of a volume",
        other => return format!("of the unknown type {}", super::reason::shown(&[other])),
    };
    known.to_owned()
}

fn mode(block: &Block, kind: Kind) -> Result<u32, Reason> {
    let mode = octal(&block[100..108]).and_then(|mode| u32::try_from(mode).ok());
    let mode = mode.filter(|&mode| mode <= 0o177_777).ok_or(Reason::Field("mode"))?;
    if kind.is_extended() {
        return Ok(mode);
    }
    // Some programs write the whole mode of a file, with what it is.
    let own = if kind == Kind::File { 0o100_000 } else { 0o040_000 };
    if ![0, own].contains(&(mode & 0o170_000)) {
        return Err(Reason::TypeBits(mode));
    }
    if mode & 0o7000 != 0 {
        return Err(Reason::SpecialBits(mode & 0o7777));
    }
    Ok(mode & 0o777)
}

fn size(block: &Block) -> Result<u64, Reason> {
    let field = &block[124..136];
    octal(field).or_else(|| binary(field)).ok_or(Reason::Field("size"))
}

/// Owners and devices may be left out. Programs refuse numbers that can be none of them, even where none is needed.
fn identity(field: &[u8]) -> Option<u64> {
    let number = if is_zero(field) { Some(0) } else { octal(field).or_else(|| binary(field)) };
    number.filter(|&number| number <= u64::from(u32::MAX))
}

/// Times before 1970 are negative, which only the binary form can say.
fn time(field: &[u8]) -> Option<()> {
    let negative = field[0] == 0xff && field[1..4] == [0xff; 3] && field[4] >= 0x80;
    (is_zero(field) || octal(field).is_some() || binary(field).is_some() || negative).then_some(())
}

/// Blanks, at least one octal digit, then nothing but blanks and zeros.
fn octal(field: &[u8]) -> Option<u64> {
    let blanks = field.iter().take_while(|&&byte| byte == b' ').count();
    let digits = field[blanks..].iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    let (number, rest) = field[blanks..].split_at(digits);
    let is_number = digits > 0 && rest.iter().all(|byte| matches!(byte, 0 | b' '));
    is_number.then(|| number.iter().fold(0, |sum, digit| sum << 3 | u64::from(digit - b'0')))
}

/// The binary form for large numbers: a mark, then the number, highest byte first. Never above what fits into 63 bits.
fn binary(field: &[u8]) -> Option<u64> {
    let (mark, number) = field.split_first()?;
    let (high, low) = number.split_at(number.len().saturating_sub(8));
    let fits = *mark == 0x80 && is_zero(high);
    let value = low.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    (fits && value <= i64::MAX.cast_unsigned()).then_some(value)
}

/// What programs that know other dialects would read more into.
fn leftovers(block: &Block, format: Format) -> Result<(), Reason> {
    let behind_nul = |field: &[u8]| !is_zero(&field[until_nul(field).len()..]);
    if behind_nul(&block[..100]) {
        return Err(Reason::Leftover("behind the end of its name"));
    }
    if !is_zero(&block[157..257]) {
        return Err(Reason::Leftover("the target of a link"));
    }
    let (rest, what) = match format {
        // GNU tar writes the numbers of a device behind it.
        Format::V7 if !is_zero(&block[257..329]) => return Err(Reason::Leftover("behind an old header")),
        Format::V7 => (&block[345..], "behind an old header"),
        Format::Gnu => (&block[369..], "sparse parts or volumes"),
        Format::Posix if behind_nul(&block[345..500]) => {
            return Err(Reason::Leftover("behind the end of its directory's name"));
        }
        Format::Posix => (&block[500..], "behind the header"),
    };
    if is_zero(rest) { Ok(()) } else { Err(Reason::Leftover(what)) }
}

/// Whether there is nothing in it.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_every_program_reads_them_or_not_at_all() {
        for (field, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"000644 \0", Some(0o644)),
            (b"    644 ", Some(0o644)),
            (b"00000644", Some(0o644)),
            (b"0\0      ", Some(0)),
            (b"\0\0\0\0\0\0\0\0", None),
            (b"        ", None),
            (b"\x000000644", None),
            (b"0000648\0", None),
            (b"+000644\0", None),
            (b"-000001\0", None),
            (b"0x00644\0", None),
            (b"644\x00644\0", None),
            (b"\t000644\0", None),
        ] {
            assert_eq!(octal(field), expected, "{field:?}");
        }
    }

    #[test]
    fn binary_numbers_are_positive_and_fit() {
        let field = |mark: u8, high: u8, low: [u8; 8]| [&[mark, high, 0, 0][..], &low].concat();
        assert_eq!(binary(&field(0x80, 0, 5_u64.to_be_bytes())), Some(5));
        assert_eq!(binary(&field(0x80, 0, i64::MAX.to_be_bytes())), Some(i64::MAX as u64));
        assert_eq!(binary(&field(0x80, 0, u64::MAX.to_be_bytes())), None);
        assert_eq!(binary(&field(0x80, 1, 5_u64.to_be_bytes())), None);
        assert_eq!(binary(&field(0x81, 0, 5_u64.to_be_bytes())), None);
        assert_eq!(binary(&[0xff; 12]), None);
        assert_eq!(time(&[0xff; 12]), Some(()));
        assert_eq!(time(b"\xff\xff\xff\xff\x00\0\0\0\0\0\0\0"), None);
        assert_eq!(identity(b"\x80\0\0\0\xff\xff\xff\xff"), Some(0xffff_ffff));
        assert_eq!(identity(b"\x80\0\0\x01\0\0\0\0"), None);
    }
}
