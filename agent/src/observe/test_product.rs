//! A stand-in installation for tests: shell scripts in a temporary root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::host::Product;

/// A three-node cluster with one replicated database, seen from node 3.
pub(super) const STATUS: &str = include_str!("../../tests/data/status-three-nodes.txt");

/// What the scripts answer.
pub(super) struct Script {
    pub rlcheck: &'static str,
    pub status: String,
    pub actions: &'static str,
    pub other: &'static str,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            rlcheck: "echo 'Running test: verify_services'; echo 'ALL TESTS PASSED.'",
            status: format!("cat <<'END'\n{STATUS}END"),
            actions: "echo 'No active tasks'",
            other: "echo \"ERROR: invalid token '$1'\"; exit 1",
        }
    }
}

impl Script {
    pub(super) fn install(&self, root: &Path) -> Product {
        let Self { rlcheck, status, actions, other } = self;
        let rladmin = format!(
            "case \"$*\" in\n'status extra all')\n{status}\n;;\n'cluster running_actions')\n{actions}\n;;\n*)\n{other}\n;;\nesac"
        );
        write(root, "rladmin", &rladmin);
        write(root, "rlcheck", rlcheck);
        Product::new(root.to_owned())
    }
}

/// Writes a program of the product.
pub(super) fn write(root: &Path, name: &str, script: &str) {
    let bin = root.join("opt/redislabs/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Writes a file of the product's configuration.
pub(super) fn configure(root: &Path, name: &str, text: &str) {
    let directory = root.join("etc/opt/redislabs");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(name), text).unwrap();
}
