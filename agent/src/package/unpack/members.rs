//! The members of an archive, one after the other: headers that only say something about the next are taken in here.

use std::io::Read;

use super::UnpackError;
use super::header::{self, BLOCK, Format, Header, Kind, is_zero};
use super::limits::{EXTENDED_HEADER, Limits};
use super::pax::{self, Scope};
use super::policy::check_bounds;
use super::reason::{Reason, Refused, shown};
use super::source::{Fault, Source};

/// A file or a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) is_file: bool,
    pub(super) mode: u32,
    pub(super) size: u64,
}

/// What the header before says about the next one.
struct Pending {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    format: Format,
}

/// The members of an archive.
pub(super) struct Members<R: Read> {
    source: Source<R>,
    limits: Limits,
    headers: u64,
    /// Bytes of the present member that were not read yet, without padding.
    left: u64,
    /// What the present member is called in messages.
    present: String,
    is_over: bool,
}

impl<R: Read> Members<R> {
    pub(super) fn open(reader: R, limits: Limits) -> Result<Self, UnpackError> {
        let present = "number 1".to_owned();
        let source = Source::open(reader, limits).map_err(|fault| failed(fault, &present))?;
        Ok(Self { source, limits, headers: 0, left: 0, present, is_over: false })
    }

    /// Bytes of the archive that were read so far.
    pub(super) fn position(&self) -> u64 {
        self.source.count()
    }

    /// The refusal of the present member.
    pub(super) fn refused(&self, reason: Reason) -> UnpackError {
        failed(reason.into(), &self.present)
    }

    /// Some bytes of the present file; none at its end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, UnpackError> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        self.read_content(&mut buffer[..most]).map_err(|fault| failed(fault, &self.present))
    }

    fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.source.read(buffer)?;
        if read == 0 {
            return Err(Reason::CutOff(self.left).into());
        }
        self.left -= read as u64;
        if self.left == 0 {
            self.skip_padding()?;
        }
        Ok(read)
    }

    /// Called when the last byte of a content was read; what is to be skipped depends on how long it was.
    fn skip_padding(&mut self) -> Result<(), Fault> {
        let over = (self.source.count() % BLOCK as u64) as usize;
        if over == 0 {
            return Ok(());
        }
        let mut padding = [0; BLOCK];
        let missing = BLOCK - over;
        match self.source.fill(&mut padding[..missing])? {
            filled if filled == missing => Ok(()),
            filled => Err(Reason::CutOff((missing - filled) as u64).into()),
        }
    }

    fn advance(&mut self) -> Result<Option<Member>, Fault> {
        let mut pending = None;
        loop {
            let Some(header) = self.header()? else {
                return if pending.is_some() { Err(Reason::StrayHeader.into()) } else { Ok(None) };
            };
            if !header.kind.is_extended() {
                return self.member(header, pending).map(Some);
            }
            if pending.is_some() {
                return Err(Reason::StrayHeader.into());
            }
            pending = self.extended(&header)?;
        }
    }

    fn header(&mut self) -> Result<Option<Header>, Fault> {
        let mut block = [0; BLOCK];
        match self.source.fill(&mut block)? {
            0 => return Err(Reason::NoEnd.into()),
            BLOCK if is_zero(&block) => return self.end().map(|()| None),
            filled => {
                self.headers += 1;
                self.call(&header::name(&block));
                if filled < BLOCK {
                    return Err(Reason::CutOff((BLOCK - filled) as u64).into());
                }
            }
        }
        if self.headers > self.limits.entries {
            return Err(Reason::Entries(self.limits.entries).into());
        }
        Ok(Some(header::parse(&block)?))
    }

    fn call(&mut self, name: &[u8]) {
        self.present = if name.is_empty() { format!("number {}", self.headers) } else { shown(name) };
    }

    /// One block of zeros was read: another one must follow, and nothing else.
    fn end(&mut self) -> Result<(), Fault> {
        let mut block = [0; BLOCK];
        match self.source.fill(&mut block)? {
            BLOCK if is_zero(&block) => self.source.finish(),
            filled if is_zero(&block[..filled]) => Err(Reason::NoEnd.into()),
            _ => Err(Reason::AfterEnd.into()),
        }
    }

    /// What an extended header says about the next entry; nothing if it is for all.
    fn extended(&mut self, header: &Header) -> Result<Option<Pending>, Fault> {
        // All of them are called the same.
        self.present = format!("{} (number {})", self.present, self.headers);
        if header.size > EXTENDED_HEADER {
            return Err(Reason::LongHeader { size: header.size, limit: EXTENDED_HEADER }.into());
        }
        let bytes = self.content(header.size)?;
        let (name, size) = match header.kind {
            Kind::LongName => (Some(long_name(bytes)?), None),
            Kind::Global => return pax::parse(&bytes, Scope::Global).map(|_| None).map_err(Fault::Refused),
            _ => {
                let overrides = pax::parse(&bytes, Scope::Next)?;
                (overrides.path, overrides.size)
            }
        };
        Ok(Some(Pending { name, size, format: header.format }))
    }

    fn content(&mut self, size: u64) -> Result<Vec<u8>, Fault> {
        // The size is small: it was compared with a limit.
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        self.left = size;
        let mut filled = 0;
        while filled < bytes.len() {
            filled += self.read_content(&mut bytes[filled..])?;
        }
        Ok(bytes)
    }

    fn member(&mut self, header: Header, pending: Option<Pending>) -> Result<Member, Fault> {
        let mut name = header.name;
        if let Some(pending) = pending {
            if pending.format != header.format {
                return Err(Reason::StrayHeader.into());
            }
            check_bounds(&name)?;
            if let Some(long) = pending.name {
                self.call(&long);
                name = long;
            }
            if let Some(pax) = pending.size.filter(|&pax| pax != header.size) {
                return Err(Reason::TwoSizes { header: header.size, pax }.into());
            }
        }
        if header.size > self.limits.file_bytes {
            return Err(Reason::FileBytes(self.limits.file_bytes).into());
        }
        self.source.check_room(header.size)?;
        self.left = header.size;
        Ok(Member { name, is_file: header.kind == Kind::File, mode: header.mode, size: header.size })
    }

    /// Skips what nobody asked for.
    fn skip_content(&mut self) -> Result<(), Fault> {
        let mut buffer = [0; 4096];
        while self.left > 0 {
            let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
            self.read_content(&mut buffer[..most])?;
        }
        Ok(())
    }
}

impl<R: Read> Iterator for Members<R> {
    type Item = Result<Member, UnpackError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let member = self.skip_content().and_then(|()| self.advance());
        self.is_over = !matches!(member, Ok(Some(_)));
        member.map_err(|fault| failed(fault, &self.present)).transpose()
    }
}

/// GNU writes a name with one zero behind it.
fn long_name(mut bytes: Vec<u8>) -> Result<Vec<u8>, Reason> {
    let is_ended = bytes.pop() == Some(0);
    if is_ended && !bytes.contains(&0) { Ok(bytes) } else { Err(Reason::Leftover("behind its long name")) }
}

fn failed(fault: Fault, entry: &str) -> UnpackError {
    let entry = entry.to_owned();
    match fault {
        Fault::Unreadable(source) => UnpackError::Unreadable { entry, source },
        Fault::Refused(reason) => UnpackError::Refused(Refused { entry, reason }),
    }
}
