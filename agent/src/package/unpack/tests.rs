use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::package::TreeError;

const VERSION: &str = "7.4.6-22";
const DEB: &str = "redislabs_7.4.6-22~jammy_amd64.deb";

fn entry(builder: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, mode: u32, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    // Written into the raw field: the builder's own setters refuse hostile names.
    let field = &mut header.as_old_mut().name;
    field[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

fn good() -> Builder<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    entry(&mut builder, "./", EntryType::Directory, 0o755, b"");
    entry(&mut builder, "./install.sh", EntryType::Regular, 0o644, b"#!/bin/sh\n");
    entry(&mut builder, DEB, EntryType::Regular, 0o755, b"deb");
    entry(&mut builder, "rlec_upgrade_tmpdir/upgrade_checks.py", EntryType::Regular, 0o640, b"py");
    entry(&mut builder, "rlec_upgrade_tmpdir/", EntryType::Directory, 0o700, b"");
    builder
}

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn target(&self) -> std::path::PathBuf {
        self.dir.path().join("step")
    }

    fn unpack_with(&self, bytes: &[u8], limits: Limits, digest: Sha256) -> Result<Manifest, UnpackError> {
        let archive = self.dir.path().join("archive");
        std::fs::write(&archive, bytes).unwrap();
        let (into, version) = (self.target(), VERSION.parse().unwrap());
        let job = Unpacking {
            archive: &archive,
            package: digest,
            version,
            into: &into,
            limits,
            disk: &Disk::real(),
        };
        unpack(job, &|_| true)
    }

    fn unpack(&self, bytes: &[u8]) -> Result<Manifest, UnpackError> {
        self.unpack_with(bytes, Limits::default(), Sha256::of(bytes))
    }

    fn assert_nothing_is_left(&self, what: &str) {
        let left: Vec<_> =
            std::fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["archive"], "{what}");
    }
}

#[test]
fn a_good_archive_becomes_a_private_tree_with_a_manifest_beside_it() {
    let bytes = good().into_inner().unwrap();
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(&bytes).unwrap();
    for bytes in [bytes, zipped.finish().unwrap()] {
        let place = Place::new();
        let manifest = place.unpack(&bytes).unwrap();
        let tree = Manifest::tree(&place.target());
        assert_eq!(manifest.main_package.as_deref(), Some(DEB));
        assert_eq!(manifest.totals(), (3, 10 + 3 + 2));
        assert_eq!(Manifest::read(&place.target()).unwrap().as_ref(), Some(&manifest));
        assert_eq!(std::fs::metadata(&tree).unwrap().permissions().mode() & 0o7777, 0o700);
        let mode = |name: &str| std::fs::metadata(tree.join(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode("install.sh"), mode(DEB)), (0o755, 0o755), "executable");
        manifest.verify(&tree).unwrap();
    }
}

#[test]
fn whatever_is_done_to_the_tree_is_seen() {
    type Spoil = fn(&Path);
    let spoil: [(&str, Spoil); 6] = [
        ("changed bytes", |tree| std::fs::write(tree.join("install.sh"), "#!/bin/SH\n").unwrap()),
        ("changed mode", |tree| {
            let mode = std::fs::Permissions::from_mode(0o777);
            std::fs::set_permissions(tree.join("install.sh"), mode).unwrap();
        }),
        ("added", |tree| std::fs::write(tree.join("rlec_upgrade_tmpdir/more"), "").unwrap()),
        ("removed", |tree| std::fs::remove_file(tree.join(DEB)).unwrap()),
        ("linked", |tree| {
            std::fs::rename(tree.join(DEB), tree.join("..").join("deb")).unwrap();
            std::os::unix::fs::symlink("../deb", tree.join(DEB)).unwrap();
        }),
        ("empty directory", |tree| std::fs::create_dir(tree.join("x")).unwrap()),
    ];
    for (what, spoil) in spoil {
        let place = Place::new();
        let manifest = place.unpack(&good().into_inner().unwrap()).unwrap();
        spoil(&Manifest::tree(&place.target()));
        let error = manifest.verify(&Manifest::tree(&place.target())).unwrap_err();
        assert!(matches!(error, TreeError::Changed { .. }), "{what}: {error}");
    }
}

#[test]
fn hostile_entries_are_refused_by_name_and_leave_nothing() {
    let outside = Place::new();
    let absolute = outside.dir.path().join("x").display().to_string();
    let long = "a/".repeat(33) + "f";
    let hostile: [(&str, EntryType, &[u8]); 13] = [
        ("../evil", EntryType::Regular, b"x"),
        ("a/../../evil", EntryType::Regular, b"x"),
        (&absolute, EntryType::Regular, b"x"),
        ("install.sh", EntryType::Regular, b"#!/bin/evil\n"),
        ("link", EntryType::Symlink, b""),
        ("hard", EntryType::Link, b""),
        ("fifo", EntryType::Fifo, b""),
        ("char", EntryType::Char, b""),
        ("block", EntryType::Block, b""),
        ("install.sh/below", EntryType::Regular, b"x"),
        ("install.sh", EntryType::Directory, b""),
        (&long, EntryType::Regular, b"x"),
        ("./", EntryType::Regular, b"x"),
    ];
    for (name, kind, bytes) in hostile {
        let mut builder = good();
        entry(&mut builder, name, kind, 0o755, bytes);
        let place = Place::new();
        let error = place.unpack(&builder.into_inner().unwrap()).unwrap_err();
        let UnpackError::Refused(refused) = &error else { panic!("{name}: {error:?}") };
        assert!(refused.entry.contains(name.trim_start_matches("./")), "{name}: {refused}");
        place.assert_nothing_is_left(name);
    }
    outside.dir.path().join("x").symlink_metadata().unwrap_err();
}

#[test]
fn limits_digest_and_damage_are_refused_and_leave_nothing() {
    let bytes = good().into_inner().unwrap();
    let digest = Sha256::of(&bytes);
    let tight = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let cases = [
        (bytes.clone(), tight(|limits| limits.entries = 2), digest),
        (bytes.clone(), tight(|limits| limits.bytes = 11), digest),
        (bytes.clone(), tight(|limits| limits.path = 12), digest),
        (bytes.clone(), tight(|limits| limits.depth = 1), digest),
        (bytes.clone(), Limits::default(), Sha256::of(b"other")),
        ([&bytes[..], b"appended"].concat(), Limits::default(), digest),
        (bytes[..700].to_vec(), Limits::default(), Sha256::of(&bytes[..700])),
        (b"no archive at all, but long enough".repeat(30), Limits::default(), digest),
        (Vec::new(), Limits::default(), Sha256::of(b"")),
    ];
    for (number, (bytes, limits, digest)) in cases.into_iter().enumerate() {
        let place = Place::new();
        let error = place.unpack_with(&bytes, limits, digest).unwrap_err();
        place.assert_nothing_is_left(&format!("{number}: {error:?}"));
        assert!(!error.failure().message.is_empty());
    }
}

#[test]
fn the_wrong_version_inside_the_right_bytes_is_refused() {
    let mut builder = Builder::new(Vec::new());
    entry(&mut builder, "install.sh", EntryType::Regular, 0o755, b"");
    entry(&mut builder, "redislabs-7.4.6-23.rhel9.x86_64.rpm", EntryType::Regular, 0o644, b"");
    let place = Place::new();
    let failure = place.unpack(&builder.into_inner().unwrap()).unwrap_err().failure();
    assert_eq!(failure.id, "package-contents");
    assert!(failure.cause.unwrap().contains("7.4.6-23"));
    place.assert_nothing_is_left("wrong version");
}

#[test]
fn stopping_leaves_nothing() {
    let place = Place::new();
    let archive = place.dir.path().join("archive");
    let bytes = good().into_inner().unwrap();
    std::fs::write(&archive, &bytes).unwrap();
    let (into, version) = (place.target(), VERSION.parse().unwrap());
    let job = Unpacking {
        archive: &archive,
        package: Sha256::of(&bytes),
        version,
        into: &into,
        limits: Limits::default(),
        disk: &Disk::real(),
    };
    assert!(matches!(unpack(job, &|_| false), Err(UnpackError::Stopped)));
    place.assert_nothing_is_left("stopped");
}
