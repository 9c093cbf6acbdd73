//! A disk of a node's own, which can be full, stand still, and lose what was not yet on it when the power goes.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use rustix::fs::FallocateFlags;

use crate::commands::run;

/// What fills a disk up.
const FILLER: &str = "filler";
/// `ioctl` to the mounted file system: end now, with nothing of the journal written (`EXT4_IOC_SHUTDOWN`, no log flush).
/// The workspace forbids the unsafe code that an `ioctl` takes; perl is part of every Debian.
const POWER_LOSS: &str = r#"open(my $dir, "<", $ARGV[0]) or die "$!"; my $how = pack("I", 2); ioctl($dir, 0x8004587d, $how) or die "$!""#;

/// An ext4 file system in a file, mounted.
#[derive(Debug)]
pub(crate) struct Disk {
    image: PathBuf,
    mounted: PathBuf,
    losses: u32,
    frozen: AtomicBool,
}

impl Disk {
    /// Makes a disk of so many bytes, and mounts it where the node's file system will have it.
    pub(crate) fn make(image: &Path, bytes: u64, mounted: &Path) -> Result<Self> {
        fs::create_dir_all(mounted)?;
        fs::File::create(image)?.set_len(bytes)?;
        // No blocks for root alone, so that a full disk is full for the agent, too.
        let options = ["-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1"].map(Path::new);
        run("mkfs.ext4", &[&options[..], &[image]].concat())?;
        let disk =
            Self { image: image.to_owned(), mounted: mounted.to_owned(), losses: 0, frozen: false.into() };
        disk.mount()?;
        Ok(disk)
    }

    fn mount(&self) -> Result<()> {
        run("mount", &[Path::new("-o"), Path::new("loop"), &self.image, &self.mounted]).map(drop)
    }

    /// Whoever writes waits from now on.
    pub(crate) fn freeze(&self) -> Result<()> {
        run("fsfreeze", &[Path::new("--freeze"), &self.mounted])?;
        self.frozen.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Whoever waited goes on; nothing where nobody had to.
    pub(crate) fn thaw(&self) -> Result<()> {
        if self.frozen.swap(false, Ordering::SeqCst) {
            run("fsfreeze", &[Path::new("--unfreeze"), &self.mounted])?;
        }
        Ok(())
    }

    /// Leaves no room at all.
    pub(crate) fn fill(&self) -> Result<()> {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.mounted.join(FILLER))?;
        let room = rustix::fs::statvfs(&self.mounted)?;
        // Nearly all in one go; the rest by hand, because a file system needs some of its room for itself.
        let most = (room.f_bavail * room.f_frsize).saturating_sub(1 << 20);
        rustix::fs::fallocate(&filler, FallocateFlags::empty(), 0, most)?;
        filler.seek(SeekFrom::End(0))?;
        for size in [1 << 16, 1 << 12, 1] {
            let bytes = vec![1; size];
            let full = loop {
                if let Err(error) = filler.write_all(&bytes) {
                    break error;
                }
            };
            ensure!(full.kind() == ErrorKind::StorageFull, "the disk cannot be filled: {full}");
        }
        // Blocks that are only promised so far are taken now.
        let _as_full_as_it_gets = filler.sync_all();
        Ok(())
    }

    pub(crate) fn make_room(&self) -> Result<()> {
        fs::remove_file(self.mounted.join(FILLER)).context("the disk was not filled")
    }

    /// The moment of a power cut: nothing more reaches the disk.
    pub(crate) fn lose_power(&self) -> Result<()> {
        run("perl", &[Path::new("-e"), Path::new(POWER_LOSS), &self.mounted])?;
        // Who still waits for a frozen disk could not be killed.
        self.thaw()
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

impl Drop for Disk {
    /// A file system that is still frozen when its last mount goes would stay in the kernel for ever.
    fn drop(&mut self) {
        let _thawed = self.thaw();
    }
}
