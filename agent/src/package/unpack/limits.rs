//! What an archive may not exceed.

/// What an archive may not exceed: `[archive]` of `agent.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Headers in the archive, those that only say something about another counted, too; and files and directories.
    pub entries: u64,
    /// Bytes after decompression.
    pub bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes after decompression for each byte before it.
    pub ratio: u64,
    /// So much may come out of however little: small archives of zeros are no attack, and cost little if they are.
    pub unjudged: u64,
    /// Length of a path in bytes.
    pub path: u64,
    /// Directories above a file.
    pub depth: u64,
}

impl Default for Limits {
    /// The vendor's largest known archive has about 1 GB and some dozen entries (fact sheet §1.5).
    fn default() -> Self {
        Self {
            entries: 100_000,
            bytes: 20 << 30,
            file_bytes: 8 << 30,
            ratio: 100,
            unjudged: 256 << 20,
            path: 1024,
            depth: 32,
        }
    }
}

/// An extended header is read into memory: its keys and values fit into this, those of attributes included.
pub(super) const EXTENDED_HEADER: u64 = 64 << 10;

/// Archives are filled up with zeros to the size of a tape's record; none has larger ones.
pub(super) const PADDING: u64 = 1 << 20;

/// The longest name of one file or directory that Linux knows.
pub(super) const NAME: usize = 255;
