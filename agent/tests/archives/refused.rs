//! Every attack is refused, by name, and nothing anywhere is other than it was.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use agent::durable::Disk;
use agent::package::{Limits, Manifest, UnpackError, Unpacking, survey, unpack};
use proto::Sha256;

use crate::attacks::{self, Attack};
use crate::forge::{DEB, Tar, VERSION, gzip};
use crate::snapshot::snapshot;

/// A node's state directory with something beside it that is worth an attack.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for path in ["outside/empty", "state/packages", "state/unpacked/earlier/tree"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        fs::write(at("outside/secret"), "root:x").unwrap();
        fs::set_permissions(at("outside/secret"), fs::Permissions::from_mode(0o600)).unwrap();
        symlink("secret", at("outside/link")).unwrap();
        fs::write(at("state/unpacked/earlier/tree/install.sh"), "#!/bin/sh\n").unwrap();
        Self { dir }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn unpack(&self, bytes: &[u8], limits: Limits) -> Result<Manifest, UnpackError> {
        let archive = self.at("state/packages/archive");
        fs::write(&archive, bytes).unwrap();
        let into = self.at("state/unpacked/attempt");
        let job = Unpacking {
            archive: &archive,
            package: Sha256::of(bytes),
            version: VERSION.parse().unwrap(),
            into: &into,
            limits,
            disk: &Disk::real(),
        };
        unpack(job, &|_| true)
    }
}

fn full(error: &UnpackError) -> String {
    agent::failures::chain(error)
}

fn assert_refused(place: &Place, attack: &Attack) {
    fs::write(place.at("state/packages/archive"), &attack.bytes).unwrap();
    let before = snapshot(place.dir.path());
    let error = place.unpack(&attack.bytes, attack.limits).expect_err(attack.name);
    assert_eq!(snapshot(place.dir.path()), before, "{}", attack.name);

    let said = full(&error);
    let names_it = said.contains(&format!("entry `{}", attack.entry));
    assert!(names_it && said.contains(attack.says), "{}: {said}", attack.name);
    assert!(!said.contains(char::is_control), "{}: {said:?}", attack.name);
    let surveyed = survey(&attack.bytes[..], attack.limits).expect_err(attack.name);
    assert_eq!(full(&surveyed), said, "{}", attack.name);

    let failure = error.failure();
    let known = ["bad-archive", "refused-entry", "archive-too-large"].contains(&failure.id.as_str());
    assert!(known && failure.cause.unwrap().contains(&attack.entry), "{}", attack.name);
}

#[test]
fn every_attack_is_refused_by_name_and_leaves_everything_as_it_was() {
    let place = Place::new();
    let all = attacks::all(&place.at("outside"));
    all.iter().for_each(|attack| assert_refused(&place, attack));
    let names: BTreeSet<&str> = all.iter().map(|attack| attack.name).collect();
    assert!(names.len() == all.len() && all.len() >= 45, "{} attacks", all.len());
    println!("{} attacks", all.len());
}

/// What is said above of attacks says nothing if the archive that they are built upon is refused.
#[test]
fn what_the_attacks_are_built_upon_is_unpacked() {
    let good = Tar::good().ended();
    for bytes in [good.clone(), gzip(&good), [&gzip(&good)[..], &[0; 700]].concat()] {
        let place = Place::new();
        let manifest = place.unpack(&bytes, Limits::default()).unwrap();
        assert_eq!(manifest.main_package.as_deref(), Some(DEB));
        assert_eq!(manifest.entries, survey(&bytes[..], Limits::default()).unwrap());
        manifest.verify(&Manifest::tree(&place.at("state/unpacked/attempt"))).unwrap();
    }
}

/// Whatever stands where the attempt's directory is to be, it is not written through.
#[test]
fn what_lies_in_the_attempts_place_is_replaced_and_not_followed() {
    for name in ["attempt", "attempt.half-done"] {
        let place = Place::new();
        symlink(place.at("outside"), place.at("state/unpacked").join(name)).unwrap();
        let before = snapshot(&place.at("outside"));
        place.unpack(&Tar::good().ended(), Limits::default()).unwrap();
        assert_eq!(snapshot(&place.at("outside")), before, "{name}");
        assert!(!place.at("state/unpacked/attempt").is_symlink(), "{name}");
    }
}

/// An archive that changed on the disk says nothing about the one that was meant: it is to be fetched again.
#[test]
fn a_spoiled_archive_is_told_from_a_hostile_one() {
    let place = Place::new();
    let (into, archive) = (place.at("state/unpacked/attempt"), place.at("state/packages/archive"));
    let mut bytes = Tar::good().ended();
    let package = Sha256::of(&bytes);
    bytes[1024] ^= 1;
    fs::write(&archive, &bytes).unwrap();
    let (version, disk) = (VERSION.parse().unwrap(), &Disk::real());
    let job = Unpacking { archive: &archive, package, version, into: &into, limits: Limits::default(), disk };
    let failure = unpack(job, &|_| true).unwrap_err().failure();
    assert_eq!(failure.id, "digest-mismatch");
}
