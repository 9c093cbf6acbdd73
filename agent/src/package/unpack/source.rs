//! The bytes of an archive, unpacked from gzip if need be, and never more of them than allowed.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

use super::super::hash::BUFFER;
use super::header::is_zero;
use super::limits::{Limits, PADDING};
use super::reason::Reason;

/// Why reading went no further.
#[derive(Debug)]
pub(super) enum Fault {
    Unreadable(io::Error),
    Refused(Reason),
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// The bytes of an archive.
pub(super) struct Source<R: Read> {
    bytes: Bytes<R>,
    limits: Limits,
    /// Bytes that came out so far.
    count: u64,
}

type Packed<R> = BufReader<Counted<R>>;

enum Bytes<R: Read> {
    Plain(Packed<R>),
    Gzip(Box<BufReader<GzDecoder<Packed<R>>>>),
}

impl<R: Read> Source<R> {
    pub(super) fn open(reader: R, limits: Limits) -> Result<Self, Fault> {
        let mut packed = BufReader::with_capacity(BUFFER, Counted { inner: reader, count: 0 });
        if !starts_like_gzip(&mut packed)? {
            return Ok(Self { bytes: Bytes::Plain(packed), limits, count: 0 });
        }
        // One member only: what follows it, other programs may or may not read.
        let mut unpacked = BufReader::with_capacity(BUFFER, GzDecoder::new(packed));
        if starts_like_gzip(&mut unpacked)? {
            return Err(Reason::GzipInGzip.into());
        }
        Ok(Self { bytes: Bytes::Gzip(Box::new(unpacked)), limits, count: 0 })
    }

    /// Bytes that came out so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether so much more may come out.
    pub(super) fn check_room(&self, more: u64) -> Result<(), Reason> {
        let is_too_much = self.count.saturating_add(more) > self.limits.bytes;
        if is_too_much { Err(Reason::Bytes(self.limits.bytes)) } else { Ok(()) }
    }

    /// Reads some bytes; none at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let read = loop {
            let read = match &mut self.bytes {
                Bytes::Plain(plain) => plain.read(buffer),
                Bytes::Gzip(unpacked) => unpacked.read(buffer),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(Fault::Unreadable)?,
            }
        };
        self.check_room(read as u64)?;
        self.count += read as u64;
        self.check_ratio()?;
        Ok(read)
    }

    /// Fills the buffer as far as there are bytes.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    fn check_ratio(&self) -> Result<(), Reason> {
        let Bytes::Gzip(unpacked) = &self.bytes else { return Ok(()) };
        let most = unpacked.get_ref().get_ref().get_ref().count.saturating_mul(self.limits.ratio);
        let is_bomb = self.count > self.limits.unjudged && self.count > most;
        if is_bomb { Err(Reason::Ratio(self.limits.ratio)) } else { Ok(()) }
    }

    /// Reads to the very end: only zeros may be there, and not many.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        let mut buffer = [0; 4096];
        let mut padding = 0;
        loop {
            let read = self.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            padding += read as u64;
            check_padding(&buffer[..read], padding, Reason::AfterEnd)?;
        }
        match &mut self.bytes {
            Bytes::Plain(_) => Ok(()),
            Bytes::Gzip(unpacked) => nothing_behind(unpacked.get_mut().get_mut()),
        }
    }
}

/// Tapes and their like fill up the last record behind a compressed archive, too.
fn nothing_behind(packed: &mut impl BufRead) -> Result<(), Fault> {
    let mut padding = 0;
    loop {
        let bytes = packed.fill_buf().map_err(Fault::Unreadable)?;
        let read = bytes.len();
        if read == 0 {
            return Ok(());
        }
        padding += read as u64;
        check_padding(bytes, padding, Reason::BehindGzip)?;
        packed.consume(read);
    }
}

fn check_padding(bytes: &[u8], padding: u64, otherwise: Reason) -> Result<(), Reason> {
    if !is_zero(bytes) {
        return Err(otherwise);
    }
    if padding > PADDING { Err(Reason::Padding(PADDING)) } else { Ok(()) }
}

fn starts_like_gzip(bytes: &mut impl BufRead) -> Result<bool, Fault> {
    Ok(bytes.fill_buf().map_err(Fault::Unreadable)?.starts_with(&[0x1f, 0x8b]))
}

/// Counts what passes through.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count += read as u64;
        Ok(read)
    }
}
