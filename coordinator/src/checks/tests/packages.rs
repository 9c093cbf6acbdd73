use proto::{DiskUse, HeldPackage, OwnedCatalogue, OwnedPackage, Package, Probe, Room, Sha256, Version};

use super::{Case, Verdict, World, spoil_each, worst};
use crate::catalogue::{CatalogueEntry, VendorVerdict};

#[test]
fn what_is_to_be_installed() {
    let cases: &[Case] = &[
        ("path", Verdict::Block, |world| world.target = Version::new(8, 0, 22, 1)),
        ("path", Verdict::Block, |world| world.target = Version::new(7, 4, 2, 53)),
        ("path", Verdict::Block, |world| world.catalogue.clear()),
        ("package", Verdict::Block, |world| world.catalogue[0].package.os.0 = "rhel9".to_owned()),
        ("package", Verdict::Block, |world| world.catalogue[0].package.sources.clear()),
        ("package", Verdict::CannotTell, |world| world.snapshot.facts(1).sources.clear()),
        ("package", Verdict::CannotTell, |world| world.catalogue.clear()),
        ("package", Verdict::Block, |world| {
            world.snapshot.facts(1).sources[0].size = Probe::Unknown("404 Not Found".to_owned());
        }),
        ("package", Verdict::Block, |world| world.snapshot.facts(1).sources[0].size = Probe::Known(Some(9))),
        ("package", Verdict::Block, |world| {
            let mut other = world.catalogue[0].clone();
            other.package.sha256 = Sha256::of(b"other");
            world.catalogue.push(other);
        }),
        ("package-checksum", Verdict::Warn, |world| world.catalogue[0].verdict = VendorVerdict::NotPublished),
        ("package-checksum", Verdict::Block, |world| world.catalogue[0].verdict = differs()),
        ("package-checksum", Verdict::Block, |world| world.catalogue[0].verdict = only_md5(Some(false))),
        ("package-checksum", Verdict::Warn, |world| world.catalogue[0].verdict = only_md5(Some(true))),
        ("package-checksum", Verdict::Warn, |world| world.catalogue[0].verdict = only_md5(None)),
        ("signed-catalogue", Verdict::Block, |world| world.signed = Some(Err("not signed".to_owned()))),
        ("signed-catalogue", Verdict::Block, |world| world.signed = Some(Ok(owned(90, &[])))),
        ("signed-catalogue", Verdict::Block, |world| {
            world.signed = Some(Ok(owned(0, &world.catalogue)));
        }),
        ("signed-catalogue", Verdict::Warn, |world| world.signed = Some(Ok(owned(13, &world.catalogue)))),
        ("disk", Verdict::CannotTell, |world| {
            world.catalogue[0].package.size = None;
            world.snapshot.facts(1).sources[0].size = Probe::Known(None);
        }),
        ("database-versions", Verdict::Block, |world| {
            world.snapshot.every_view(|view| view.databases[0].redis_version = Some("5.0.14".to_owned()));
        }),
        ("database-versions", Verdict::CannotTell, |world| {
            world.snapshot.view(1).databases[0].redis_version = None;
        }),
        ("end-of-life", Verdict::Warn, |world| {
            world.target = Version::new(7, 2, 4, 52);
        }),
    ];
    spoil_each(cases);
}

fn differs() -> VendorVerdict {
    VendorVerdict::Differs { published: Sha256::of(b"x"), source: "note".to_owned() }
}

fn only_md5(agrees: Option<bool>) -> VendorVerdict {
    VendorVerdict::OnlyMd5 { published: "ab".repeat(16), agrees, source: "note".to_owned() }
}

/// A catalogue of the fleet owner with these packages, for so many days from now.
fn owned(days: i64, entries: &[CatalogueEntry]) -> OwnedCatalogue {
    let row = |entry: &CatalogueEntry| {
        let Package { version, os, arch, sha256, size, .. } = entry.package.clone();
        OwnedPackage { version, os, arch, sha256, size }
    };
    let expires = super::noon() + jiff::SignedDuration::from_hours(24 * days);
    OwnedCatalogue::new(7, expires, None, entries.iter().map(row).collect()).unwrap()
}

#[test]
fn bytes_that_the_vendor_has_not_published_need_a_person_s_word() {
    let mut world = World::new();
    world.catalogue[0].verdict = differs();
    let refused = worst(&world.preflight(), "package-checksum").clone();
    assert!(refused.remedy.unwrap().contains("--accept package-checksum="));
    let accepted = ["package-checksum=compared by hand".parse().unwrap()];
    let findings = crate::checks::accept(world.preflight(), &accepted);
    assert!(!worst(&findings, "package-checksum").blocks());
    // Among stand-ins for tests nothing can be the vendor's; with one real node among them it must be.
    for index in 0..3 {
        world.tell(index, proto::Fact::Root, proto::FactValue::Text("/tmp/stand-in".to_owned()));
    }
    assert_eq!(worst(&world.preflight(), "package-checksum").verdict, Verdict::Warn);
    world.tell(1, proto::Fact::Root, proto::FactValue::Text("/".to_owned()));
    assert_eq!(worst(&world.preflight(), "package-checksum").verdict, Verdict::Block);
    world.forget(proto::Fact::Root);
    assert_eq!(worst(&world.preflight(), "package-checksum").verdict, Verdict::Block);
}

#[test]
fn the_owner_s_catalogue_lets_pass_what_is_in_it() {
    let mut world = World::new();
    world.signed = Some(Ok(owned(90, &world.catalogue)));
    assert_eq!(worst(&world.preflight(), "signed-catalogue").verdict, Verdict::Pass);
}

#[test]
fn a_database_that_is_too_old_is_named_with_the_command() {
    let mut world = World::new();
    world.snapshot.every_view(|view| view.databases[0].redis_version = Some("5.0.14".to_owned()));
    let findings = world.preflight();
    let finding = worst(&findings, "database-versions");
    assert!(finding.saw.contains("db:1 (db1)") && finding.saw.contains("5.0.14"), "{finding}");
    assert_eq!(finding.remedy.as_deref(), Some("rladmin upgrade db db:1 preserve_roles"));
    assert!(world.gate().is_err());
}

#[test]
fn a_held_package_needs_no_source_and_its_size_is_known() {
    let mut world = World::new();
    world.catalogue[0].package.size = None;
    let held = HeldPackage {
        sha256: world.catalogue[0].package.sha256,
        size: 1 << 30,
        version: Version::new(7, 4, 6, 22),
    };
    for index in 0..3 {
        world.snapshot.facts(index).sources.clear();
        world.snapshot.facts(index).packages = vec![held.clone()];
    }
    let findings = world.preflight();
    assert_eq!(worst(&findings, "package").verdict, Verdict::Pass);
    assert_eq!(worst(&findings, "disk").verdict, Verdict::Pass);
}

#[test]
fn one_source_that_works_is_enough() {
    let mut world = World::new();
    let other = "file:///srv/other.tar".to_owned();
    world.catalogue[0].package.sources.insert(0, other.clone());
    for index in 0..3 {
        let gone = proto::SourceFacts { url: other.clone(), size: Probe::Unknown("no such file".to_owned()) };
        world.snapshot.facts(index).sources.insert(0, gone);
    }
    assert_eq!(worst(&world.preflight(), "package").verdict, Verdict::Pass);
}

#[test]
fn a_compressed_archive_needs_more_room() {
    let verdict = |url: &str, free: u64| {
        let mut world = World::new();
        world.catalogue[0].package.sources = vec![url.to_owned()];
        for index in 0..3 {
            world.snapshot.facts(index).sources[0].url = url.to_owned();
            for disk in &mut world.snapshot.facts(index).disks {
                disk.device = disk.purpose as u64;
                if disk.purpose == DiskUse::Staging {
                    disk.room = Probe::Known(Room { free, total: 1 << 30 });
                }
            }
        }
        worst(&world.preflight(), "disk").verdict
    };
    // 1 GiB fetched, 1 or 3 GiB unpacked, 64 MiB margin.
    let (plain, compressed) = ((2 << 30) + (64 << 20), (4 << 30) + (64 << 20));
    assert_eq!(verdict("https://m.example/a.tar", plain), Verdict::Warn);
    assert_eq!(verdict("https://m.example/a.tar.gz?x=1", plain), Verdict::Block);
    assert_eq!(verdict("https://m.example/a.tar.gz?x=1", compressed), Verdict::Warn);
    assert_eq!(verdict("https://m.example/a.tar.gz?x=1", compressed + (1 << 30)), Verdict::Pass);
}
