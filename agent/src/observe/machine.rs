//! The machine itself: name, boot, architecture, operating system.

use std::fs;

use proto::{Arch, OperatingSystem, Probe};

use crate::host::Product;
use crate::parse::os_release;

/// The kernel's id of this boot; empty if it cannot be read.
pub(super) fn boot_id(product: &Product) -> String {
    let file = product.of_machine("/proc/sys/kernel/random/boot_id");
    fs::read_to_string(file).map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// The host name.
pub(super) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The architecture as the kernel names it.
pub(super) fn arch() -> Probe<Arch> {
    let machine = rustix::system::uname().machine().to_string_lossy().into_owned();
    machine.parse().map_or_else(|error: proto::InvalidArch| Probe::Unknown(error.to_string()), Probe::Known)
}

/// The operating system.
pub(super) fn operating_system(product: &Product) -> Probe<OperatingSystem> {
    match os_release(product) {
        Ok(text) => {
            os_release::parse(&text).map_or_else(|error| Probe::Unknown(error.to_string()), Probe::Known)
        }
        Err(reason) => Probe::Unknown(reason),
    }
}

/// The text of `os-release`: the root's own where it has one, else the machine's.
///
/// # Errors
/// Why it cannot be had.
pub(super) fn os_release(product: &Product) -> Result<String, String> {
    let files = [product.of_machine("/etc/os-release"), "/usr/lib/os-release".into()];
    let file = files.into_iter().find(|file| file.exists());
    let file = file.ok_or_else(|| "there is no os-release file".to_owned())?;
    fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}
