//! SHA-256 of what is read, while it is read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use proto::Sha256;
use sha2::Digest;

/// Large reads: the disk, not the number of calls, is to be the limit.
pub(super) const BUFFER: usize = 256 * 1024;

/// The SHA-256 of the first `length` bytes of a file, of all if `None`. Blocks.
///
/// # Errors
/// As reading the file; a file that is too short is an error.
pub fn sha256_of_file(path: &Path, length: Option<u64>) -> io::Result<Sha256> {
    Ok(hash_prefix(path, length)?.finish())
}

/// The running hash of the first bytes of a file, to be continued.
pub(super) fn hash_prefix(path: &Path, length: Option<u64>) -> io::Result<Running> {
    let mut hashing = Hashing::new(File::open(path)?.take(length.unwrap_or(u64::MAX)));
    let read = io::copy(&mut io::BufReader::with_capacity(BUFFER, &mut hashing), &mut io::sink())?;
    if length.is_some_and(|length| read != length) {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than it was"));
    }
    Ok(hashing.hash)
}

/// A hash under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(sha2::Sha256);

impl Running {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Sha256 {
        Sha256::from(<[u8; 32]>::from(self.0.finalize()))
    }
}

/// A reader that hashes what passes through it.
#[derive(Debug)]
pub(super) struct Hashing<R> {
    inner: R,
    hash: Running,
}

impl<R> Hashing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Running::default() }
    }

    pub(super) fn finish(self) -> Sha256 {
        self.hash.finish()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}
