//! What real programs write is unpacked, in every dialect that they know.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::extracted::{ours, tree};
use crate::forge::{Head, Tar, record};
use crate::programs::{has_bsdtar, has_python, has_tar, run};

/// Something to put into an archive. Old dialects know short names only.
fn fill(dir: &Path, with_long_names: bool) {
    fs::create_dir_all(dir.join("rlec_upgrade_tmpdir/empty")).unwrap();
    let write = |path: &str, mode, content: &[u8]| {
        fs::write(dir.join(path), content).unwrap();
        fs::set_permissions(dir.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    write("install.sh", 0o755, b"#!/bin/sh\n");
    write("redislabs_7.4.6-22~jammy_amd64.deb", 0o644, &[7; 5000]);
    write("rlec_upgrade_tmpdir/schön.py", 0o600, b"");
    write("rlec_upgrade_tmpdir/two words", 0o750, &[1; 512]);
    if with_long_names {
        let long = format!("{}/{}", "n".repeat(120), "m".repeat(200));
        fs::create_dir(dir.join("n".repeat(120))).unwrap();
        write(&long, 0o640, b"long");
    }
}

/// Runs a command that writes `../x.tar` about the directory it is in, and unpacks that.
fn check(program: &str, args: &[&str], with_long_names: bool) {
    let place = tempfile::tempdir().unwrap();
    let source = place.path().join("source");
    fs::create_dir(&source).unwrap();
    fill(&source, with_long_names);
    let attribute = rustix::fs::setxattr(
        source.join("install.sh"),
        "user.ratchet",
        b"\0odd\n",
        rustix::fs::XattrFlags::empty(),
    );
    if attribute.is_err() {
        eprintln!("no attributes on this file system: {attribute:?}");
    }
    run(&source, program, args).unwrap();
    let bytes = fs::read(place.path().join("x.tar")).unwrap();
    assert_eq!(ours(&bytes).unwrap_or_else(|error| panic!("{args:?}: {error:?}")), tree(&source), "{args:?}");
}

#[test]
fn what_gnu_tar_writes_is_unpacked() {
    if !has_tar() {
        return;
    }
    for format in ["v7", "oldgnu", "gnu", "ustar", "posix"] {
        let knows_long_names = !matches!(format, "v7" | "ustar");
        check("tar", &["--format", format, "-cf", "../x.tar", "."], knows_long_names);
    }
    check("tar", &["-czf", "../x.tar", "."], true);
    check("tar", &["--format", "posix", "--xattrs", "--acls", "-czf", "../x.tar", "."], true);
    check("tar", &["--blocking-factor", "200", "-cf", "../x.tar", "."], true);
    check(
        "tar",
        &["--format", "posix", "--pax-option", "globexthdr.name=g,comment=x", "-cf", "../x.tar", "."],
        true,
    );
}

#[test]
fn what_bsdtar_writes_is_unpacked() {
    if !has_bsdtar() {
        return;
    }
    for format in ["v7", "ustar", "gnutar", "pax"] {
        let knows_long_names = !matches!(format, "v7" | "ustar");
        check("bsdtar", &["--format", format, "-cf", "../x.tar", "."], knows_long_names);
    }
    check("bsdtar", &["--xattrs", "--acls", "--fflags", "--format", "pax", "-czf", "../x.tar", "."], true);
}

#[test]
fn what_python_writes_is_unpacked() {
    if !has_python() {
        return;
    }
    for format in ["USTAR", "GNU", "PAX"] {
        for mode in ["w", "w:gz"] {
            let open = format!("tarfile.open('../x.tar', '{mode}', format=tarfile.{format}_FORMAT)");
            let script = format!("import tarfile\nwith {open} as archive:\n    archive.add('.')\n");
            check("python3", &["-c", &script], format != "USTAR");
        }
    }
}

/// How people make stand-ins: the installer alone, called one way or the other.
#[test]
fn an_installer_alone_is_an_archive() {
    for program in ["tar", "bsdtar"] {
        let there = if program == "tar" { has_tar() } else { has_bsdtar() };
        for args in [
            &["cf", "x.tar", "install.sh"][..],
            &["cf", "x.tar", "./install.sh"],
            &["czf", "x.tar", "install.sh"],
        ] {
            let place = tempfile::tempdir().unwrap();
            fs::write(place.path().join("install.sh"), "#!/bin/sh\n").unwrap();
            if there {
                run(place.path(), program, args).unwrap();
                let bytes = fs::read(place.path().join("x.tar")).unwrap();
                assert!(ours(&bytes).unwrap().keys().eq(["install.sh"]), "{program} {args:?}");
            }
        }
    }
}

/// What other writers are known to do, and these here do not.
#[test]
fn harmless_oddities_are_let_pass() {
    let owner = [0x80, 0, 0, 0, 0, 0x20, 0, 0];
    let mut odd = Head::file("odd", b"");
    // A large user by its binary number, a time before 1970, no group at all, a mode with the file's type.
    odd.put(108, &owner).put(136, &[0xff; 12]).put(116, &[0; 8]).mode(0o100_755);
    let global = record("comment", b"0123456789012345678901234567890123456789");
    let mut binary = Head::file("binary", b"");
    binary.put(124, &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
    let attributes =
        [("SCHILY.xattr.user.x", "a\0b"), ("RHT.security.selinux", "u:r:t:s0"), ("mtime", "-1.5")];
    let bytes = Tar::default()
        .pax_raw(b'g', &global)
        .add(&odd, b"")
        .add(&binary, b"12345")
        .pax(&attributes)
        .posix_file("install.sh", b"#!/bin/sh\n")
        .pax(&[("size", "3"), ("path", "long"), ("hdrcharset", "BINARY")])
        .posix_file("short", b"abc")
        .add(&Head::dir("d"), b"")
        .add(&Head::dir("./d//"), b"")
        .ended();
    assert!(ours(&bytes).unwrap().keys().eq(["binary", "d", "install.sh", "long", "odd"]));
}
