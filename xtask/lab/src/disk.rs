//! A disk of a node's own, which can be full, stand still, and lose what was not yet on it when the power goes.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::commands::run;

/// What fills a disk up.
const FILLER: &str = "filler";
/// `ioctl` to the mounted file system: end now, with nothing of the journal written (`EXT4_IOC_SHUTDOWN`, no log flush).
/// The workspace forbids the unsafe code that an `ioctl` takes; perl is part of every Debian.
const POWER_LOSS: &str =
    r#"open(my $dir, "<", $ARGV[0]) or die "$!"; ioctl($dir, 0x8004587d, pack("I", 2)) or die "$!""#;

/// An ext4 file system in a file, mounted.
#[derive(Debug)]
pub(crate) struct Disk {
    image: PathBuf,
    mounted: PathBuf,
    losses: u32,
}

impl Disk {
    /// Makes a disk of so many bytes, and mounts it where the node's file system will have it.
    pub(crate) fn make(image: &Path, bytes: u64, mounted: &Path) -> Result<Self> {
        fs::create_dir_all(mounted)?;
        fs::File::create(image)?.set_len(bytes)?;
        // No blocks for root alone, so that a full disk is full for the agent, too.
        let options = ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1"].map(Path::new);
        run("mkfs.ext4", &[&options[..], &[image]].concat())?;
        let disk = Self { image: image.to_owned(), mounted: mounted.to_owned(), losses: 0 };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<()> {
        run("mount", &[Path::new("-o"), Path::new("loop"), &self.image, &self.mounted]).map(drop)
    }

    /// Whoever writes waits from now on.
    pub(crate) fn freeze(&self) -> Result<()> {
        run("fsfreeze", &[Path::new("--freeze"), &self.mounted]).map(drop)
    }

    pub(crate) fn thaw(&self) -> Result<()> {
        run("fsfreeze", &[Path::new("--unfreeze"), &self.mounted]).map(drop)
    }

    /// Leaves no room at all.
    pub(crate) fn fill(&self) -> Result<()> {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.mounted.join(FILLER))?;
        for size in [1 << 20, 1 << 12, 1] {
            let bytes = vec![1; size];
            let full = loop {
                if let Err(error) = filler.write_all(&bytes).and_then(|()| filler.sync_data()) {
                    break error;
                }
            };
            ensure!(full.kind() == ErrorKind::StorageFull, "the disk cannot be filled: {full}");
        }
        Ok(())
    }

    pub(crate) fn make_room(&self) -> Result<()> {
        fs::remove_file(self.mounted.join(FILLER)).context("the disk was not filled")
    }

    /// The moment of a power cut: nothing more reaches the disk.
    pub(crate) fn lose_power(&self) -> Result<()> {
        run("perl", &[Path::new("-e"), Path::new(POWER_LOSS), &self.mounted]).map(drop)
    }

    /// The machine is off: what is on the disk is all there is. A copy is mounted, because remains of the dead machine may
    /// keep the old file system busy for seconds.
    pub(crate) fn come_back(&mut self) -> Result<()> {
        run("umount", &[Path::new("--lazy"), &self.mounted])?;
        self.losses += 1;
        let copy = self.image.with_extension(format!("{}.img", self.losses));
        run("cp", &[Path::new("--sparse=always"), &self.image, &copy])?;
        fs::remove_file(&self.image)?;
        self.image = copy;
        self.mount()
    }
}
