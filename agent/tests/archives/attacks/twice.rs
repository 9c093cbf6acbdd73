//! Entries that stand in each other's place.

use super::Attack;
use crate::forge::{Head, Tar};

fn second(name: &'static str, path: &str) -> Attack {
    Attack::more(name, path, "occurs twice", |tar| {
        tar.file(path, b"#!/bin/evil\n");
    })
}

pub fn attacks() -> Vec<Attack> {
    let below = "lies below `install.sh`, which is a file";
    vec![
        second("twice", "install.sh"),
        second("twice-with-dot", "./install.sh"),
        second("twice-with-slashes", ".//install.sh"),
        second("twice-with-dots", "././install.sh"),
        second("file-over-directory", "rlec_upgrade_tmpdir"),
        second("twice-below", "rlec_upgrade_tmpdir/./checks.py"),
        second("twice-below-slashes", "rlec_upgrade_tmpdir//checks.py"),
        Attack::head("directory-over-file", "install.sh", "occurs twice", &Head::dir("install.sh")),
        Attack::head("directory-over-file-slash", "install.sh/", "occurs twice", &Head::dir("install.sh/")),
        Attack::more("below-file", "install.sh/x", below, |tar| {
            tar.file("install.sh/x", b"");
        }),
        Attack::head("directory-below-file", "install.sh/d/", below, &Head::dir("install.sh/d/")),
        Attack::more("twice-by-pax", "./install.sh", "occurs twice", |tar| {
            tar.pax(&[("path", "./install.sh")]).posix_file("harmless", b"evil");
        }),
        Attack::more("twice-by-long-name", "install.sh", "occurs twice", |tar| {
            tar.long_name(b"install.sh\0").file("harmless", b"evil");
        }),
        Attack::whole("twice-at-once", "a", "occurs twice", {
            Tar::default().file("a", b"1").file("a", b"2").ended()
        }),
    ]
}
