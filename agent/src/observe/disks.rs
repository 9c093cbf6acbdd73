//! Room on the file systems an upgrade writes to.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proto::{Disk, DiskUse, Probe, Room};

use crate::host::Product;

/// A file system that does not answer, such as a lost network share, must not hold the observation.
const DEADLINE: Duration = Duration::from_secs(10);

/// The state directory, the product's directories, and the installer's scratch space.
pub(super) async fn disks(product: &Product, state_dir: &Path) -> Vec<Disk> {
    let found = product.installation().ok();
    let install = found.as_ref().map_or("/opt/redislabs", |found| found.install_dir.as_str());
    let var = found.as_ref().map_or("/var/opt/redislabs", |found| found.var_dir.as_str());
    let places = [
        (DiskUse::Staging, state_dir.to_owned()),
        (DiskUse::Install, product.rooted(install)),
        (DiskUse::Var, product.rooted(var)),
        (DiskUse::Tmp, product.rooted("/tmp")),
    ];
    futures::future::join_all(places.map(|(purpose, path)| disk(purpose, path))).await
}

async fn disk(purpose: DiskUse, path: PathBuf) -> Disk {
    let shown = path.display().to_string();
    let asked = tokio::task::spawn_blocking(move || measure(&path));
    let answer = match tokio::time::timeout(DEADLINE, asked).await {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(_)) => Err("asking for it was broken off".to_owned()),
        Err(_) => Err(format!("the file system did not answer within {DEADLINE:?}")),
    };
    match answer {
        Ok((device, room)) => Disk { purpose, path: shown, device, room: Probe::Known(room) },
        Err(reason) => {
            Disk { purpose, room: Probe::Unknown(format!("{shown}: {reason}")), path: shown, device: 0 }
        }
    }
}

/// The file system a directory is on, or will be on: that of the nearest directory that exists.
fn measure(path: &Path) -> io::Result<(u64, Room)> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    let device = std::fs::metadata(existing)?.dev();
    let stat = rustix::fs::statvfs(existing)?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok((device, Room { free: bytes(stat.f_bavail), total: bytes(stat.f_blocks) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_use_is_measured_even_before_its_directory_exists() {
        let root = tempfile::tempdir().unwrap();
        let state = root.path().join("not/yet/there");
        let disks = disks(&Product::new(root.path().to_owned()), &state).await;
        let uses: Vec<DiskUse> = disks.iter().map(|disk| disk.purpose).collect();
        assert_eq!(uses, [DiskUse::Staging, DiskUse::Install, DiskUse::Var, DiskUse::Tmp]);
        assert_eq!(disks[0].path, state.display().to_string());
        assert_eq!(disks[0].device, disks[1].device);
        for disk in &disks {
            let room = disk.room.known().unwrap();
            assert!(room.total > 0 && room.free <= room.total, "{disk:?}");
        }
    }
}
