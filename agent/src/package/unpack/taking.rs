//! Taking an archive's entries to a place, one by one, each after the policy let it in.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::path::Path;

use super::super::hash::{BUFFER, Running};
use super::super::manifest::Entry;
use super::limits::Limits;
use super::members::{Member, Members};
use super::place::Place;
use super::policy::Tree;
use super::{Progress, UnpackError};
use crate::durable::StateError;

/// Takes everything to its place. Only after the very last byte was read is it a success.
pub(super) fn take<R: Read, P: Place>(
    reader: R,
    limits: Limits,
    progress: Progress<'_>,
    place: P,
) -> Result<BTreeMap<String, Entry>, UnpackError> {
    let members = Members::open(reader, limits)?;
    let mut taking = Taking { members, progress, place, tree: Tree::new(limits), buffer: vec![0; BUFFER] };
    while let Some(member) = taking.members.next() {
        taking.member(&member?)?;
    }
    Ok(taking.tree.into_entries())
}

struct Taking<'a, R: Read, P> {
    members: Members<R>,
    progress: Progress<'a>,
    place: P,
    tree: Tree,
    buffer: Vec<u8>,
}

impl<R: Read, P: Place> Taking<'_, R, P> {
    fn member(&mut self, member: &Member) -> Result<(), UnpackError> {
        self.report()?;
        let spot =
            if member.is_file { self.tree.file(&member.name) } else { self.tree.directory(&member.name) };
        let spot = spot.map_err(|reason| self.members.refused(reason))?;
        for directory in &spot.to_make {
            self.place.make_dir(directory)?;
        }
        if member.is_file {
            let is_program = spot.path == "install.sh" || member.mode & 0o111 != 0;
            let file = self.file(&spot.path, if is_program { 0o755 } else { 0o644 }, member.size)?;
            self.tree.add(spot.path, file);
        }
        Ok(())
    }

    fn file(&mut self, path: &str, mode: u32, size: u64) -> Result<Entry, UnpackError> {
        let mut file = self.place.create(path, mode)?;
        let mut hash = Running::default();
        loop {
            let read = self.members.read(&mut self.buffer)?;
            if read == 0 {
                break;
            }
            let bytes = &self.buffer[..read];
            hash.update(bytes);
            file.write_all(bytes).map_err(StateError::io("write", Path::new(path)))?;
            self.report()?;
        }
        self.place.close(path, file)?;
        Ok(Entry::File { size, mode, sha256: hash.finish() })
    }

    fn report(&self) -> Result<(), UnpackError> {
        if (self.progress)(self.members.position()) { Ok(()) } else { Err(UnpackError::Stopped) }
    }
}
