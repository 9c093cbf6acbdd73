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

/// The operating system: the root's own `os-release` where it has one, else the machine's.
pub(super) fn operating_system(product: &Product) -> Probe<OperatingSystem> {
    let files = [product.of_machine("/etc/os-release"), "/usr/lib/os-release".into()];
    let file = files.into_iter().find(|file| file.exists());
    let Some(file) = file else { return Probe::Unknown("there is no os-release file".to_owned()) };
    match fs::read_to_string(&file) {
        Ok(text) => {
            os_release::parse(&text).map_or_else(|error| Probe::Unknown(error.to_string()), Probe::Known)
        }
        Err(error) => Probe::Unknown(format!("{} cannot be read: {error}", file.display())),
    }
}
