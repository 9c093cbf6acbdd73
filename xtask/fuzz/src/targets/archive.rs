//! Installation archives, unpacked.

use std::fs;
use std::path::Path;

use agent::durable::Disk;
use agent::package::{Limits, Manifest, UnpackError, Unpacking, survey, unpack};
use flate2::Compression;
use flate2::write::GzEncoder;
use proto::{Sha256, Version};
use std::io::Write;
use tar::{Builder, EntryType, Header};

use crate::{Target, expect};

const LIMITS: Limits = Limits {
    entries: 64,
    bytes: 1 << 20,
    file_bytes: 1 << 19,
    ratio: 100,
    unjudged: 1 << 18,
    path: 256,
    depth: 8,
};
const WORDS: &[&str] = &[
    "install.sh", "../", "./", "/etc/passwd", "ustar\u{0}00", "ustar  \u{0}", "././@LongLink", "0000644\u{0}", "00000000012\u{0}", "path=",
    "linkpath=", "size=", "GNU.sparse.map=", "\u{1f}\u{8b}", "redislabs_7.4.6-22~jammy_amd64.deb",
];

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS).longest(64 * 1024).short_runs(800);

fn version() -> Version {
    Version::new(7, 4, 6, 22)
}

/// Small archives of every kind of entry, plain and compressed, good and not.
fn seeds() -> Vec<Vec<u8>> {
    use EntryType::{Block, Directory, Fifo, GNULongName, GNUSparse, Link, Regular, Symlink, XHeader};
    let deb = ("redislabs_7.4.6-22~jammy_amd64.deb", Regular, &b"deb"[..]);
    let script = ("./install.sh", Regular, &b"#!/bin/sh\n"[..]);
    let long = [b"d/".repeat(20), b"x".to_vec()].concat();
    let archives = [
        tarred(&[script, deb, ("./d/", Directory, b""), ("d/x.py", Regular, b"py")]),
        tarred(&[script, ("../x", Regular, b"x")]),
        tarred(&[script, ("x", Symlink, b""), ("y", Link, b""), ("z", Fifo, b""), ("b", Block, b"")]),
        tarred(&[("././@LongLink", GNULongName, &long), ("x", Regular, b"x"), script]),
        tarred(&[("pax", XHeader, b"19 path=other/name\n"), ("x", Regular, b"x"), script, script]),
        tarred(&[("s", GNUSparse, b"0123456789")]),
    ];
    let zipped: Vec<Vec<u8>> = archives.iter().take(2).map(|archive| gzipped(archive)).collect();
    archives.into_iter().chain(zipped).collect()
}

fn tarred(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o4755);
        // Written into the raw field: the builder's own setters refuse hostile names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    builder.into_inner().unwrap_or_else(|error| panic!("an archive in memory: {error}"))
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_else(|error| panic!("gzip in memory: {error}"))
}

fn run(bytes: &[u8]) {
    let bytes = with_checksums(bytes);
    match survey(&bytes[..], LIMITS) {
        Ok(_) => written(&bytes),
        Err(error) => drop(error.failure()),
    }
}

/// What is let in is written, and nothing but it.
fn written(bytes: &[u8]) {
    let dir = expect::directory();
    let (archive, into) = (dir.path().join("archive"), dir.path().join("step"));
    fs::write(&archive, bytes).unwrap_or_else(|error| panic!("{error}"));
    let job = Unpacking {
        archive: &archive,
        package: Sha256::of(bytes),
        version: version(),
        into: &into,
        limits: LIMITS,
        disk: &Disk::real(),
    };
    match unpack(job, &|_| true) {
        Ok(manifest) => whole(&manifest, &into),
        // The policy is the same; what remains is that it is no package of this version.
        Err(error) => assert!(matches!(error, UnpackError::Contents(_)), "{error:?}"),
    }
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap_or_else(|error| panic!("{error}"))
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    names.retain(|name| name != "archive" && name != "step");
    assert!(names.is_empty(), "left beside what was unpacked: {names:?}");
}

fn whole(manifest: &Manifest, into: &Path) {
    manifest.verify(&Manifest::tree(into)).unwrap_or_else(|error| panic!("not what was unpacked: {error}"));
    let (_, bytes) = manifest.totals();
    assert!(bytes <= LIMITS.bytes && manifest.entries.len() as u64 <= LIMITS.entries);
    assert!(manifest.entries.contains_key("install.sh"));
}

/// Headers at the places where they are expected get the checksum that fits: else nearly no mutation is looked at.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}
