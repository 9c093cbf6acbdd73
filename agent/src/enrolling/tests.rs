//! Layouts that are cut off, answers that are not one's own.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use proto::Sha256;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType,
};
use zeroize::Zeroizing;

use super::granted::{Expected, Owner};
use super::layout::Files;
use super::*;
use crate::durable::{Disk, DiskWatch};

/// A set whose files all name it.
fn set(number: usize) -> Files {
    let text = |name: &str| format!("{name} {number}");
    Files { ca: text("ca"), cert: text("cert"), key: Zeroizing::new(text("key")), crl: Some(text("crl")) }
}

/// Which set each file that is there belongs to.
fn seen(dir: &Path) -> Vec<String> {
    let of = |name: &str| fs::read_to_string(dir.join(name)).ok();
    let sets = ["ca.pem", "cert.pem", "key.pem", "crl.pem"].map(of).into_iter().flatten();
    sets.map(|text| text.split_once(' ').unwrap().1.to_owned()).collect()
}

/// Dies at the given write.
#[derive(Debug)]
struct Dying {
    left: AtomicUsize,
}

impl DiskWatch for Dying {
    fn before(&self, _: &Path) -> io::Result<()> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| io::Error::other("it died"))
    }

    fn after(&self, _: &Path) {}
}

/// Installs a set over what is there, with an end after each number of writes; then once to its end.
fn killed_everywhere(prepare: impl Fn(&Path), old: Option<&str>) {
    let mut completed = false;
    for writes in 0..40 {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let disk = Disk::watched(Arc::new(Dying { left: AtomicUsize::new(writes) }));
        let done = Home::at(dir.path(), disk).install(&set(2)).is_ok();
        let mut sets = seen(dir.path());
        if old.is_some() {
            assert_eq!(sets.len(), 4, "after {writes} writes all are there");
        }
        sets.dedup();
        let whole = sets.is_empty() || sets == ["2"] || old.is_some_and(|old| sets == [old]);
        assert!(whole, "after {writes} writes: {sets:?}");
        Home::at(dir.path(), Disk::real()).install(&set(2)).unwrap();
        assert_eq!(seen(dir.path()), ["2"; 4]);
        let old_sets = fs::read_dir(dir.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("set-"));
        assert_eq!(old_sets.count(), 1, "older keys are gone");
        completed |= done;
    }
    assert!(completed, "no install came to its end");
}

#[test]
fn a_first_set_is_never_mixed_whenever_it_is_cut_off() {
    killed_everywhere(|_| {}, None);
}

#[test]
fn a_next_set_takes_the_place_of_all_files_at_once() {
    killed_everywhere(|dir| Home::at(dir, Disk::real()).install(&set(1)).unwrap(), Some("1"));
}

#[test]
fn files_that_others_put_there_are_replaced_at_once_too() {
    let plain = |dir: &Path| {
        for name in ["ca", "cert", "key", "crl"] {
            fs::write(dir.join(format!("{name}.pem")), format!("{name} 1")).unwrap();
        }
    };
    killed_everywhere(plain, Some("1"));
}

#[test]
fn a_list_that_was_not_sent_again_stays() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path(), Disk::real());
    home.install(&set(1)).unwrap();
    home.install(&Files { crl: None, ..set(2) }).unwrap();
    assert_eq!(seen(dir.path()), ["2", "2", "2", "1"]);
    let mode = fs::metadata(dir.path().join("key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_key_of_an_enrolment_that_was_cut_off_is_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pending.key");
    let first = key::Key::kept(&path, &Disk::real()).unwrap();
    assert_eq!(first.digest(), key::Key::kept(&path, &Disk::real()).unwrap().digest());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "half a ke").unwrap();
    let error = key::Key::kept(&path, &Disk::real()).unwrap_err();
    assert!(matches!(error, EnrolError::Key(_)) && !error.full().contains("half a ke"), "{error}");
    assert_eq!(format!("{first:?}"), "Key");
}

/// An authority, and what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    pin: Sha256,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        let pin = Sha256::of(&key.subject_public_key_info());
        Self { issuer: Issuer::new(params, key), pem, pin }
    }

    fn sign(&self, key: &KeyPair, identity: &str) -> String {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(identity.try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(key, &self.issuer).unwrap().pem()
    }
}

#[test]
fn only_ones_own_certificate_of_the_pinned_authority_is_kept() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let name = "db-1".parse().unwrap();
    let check = |certificate: &str, authorities: &str| {
        let expected = Expected {
            key: Sha256::of(&key.subject_public_key_info()),
            owner: Owner::Named(&name),
            authorities,
            pin: Some(ours.pin),
            now: Timestamp::now(),
        };
        expected.check(certificate)
    };
    let own = ours.sign(&key, "spiffe://prod/agent/db-1");
    let both = format!("{}{}", theirs.pem, ours.pem);
    check(&own, &ours.pem).unwrap();
    check(&own, &both).unwrap();
    for (certificate, authorities, why) in [
        (ours.sign(&other, "spiffe://prod/agent/db-1"), &ours.pem, "another key"),
        (ours.sign(&key, "spiffe://prod/agent/db-2"), &ours.pem, "that of spiffe://prod/agent/db-2"),
        (ours.sign(&key, "spiffe://prod/coordinator/db-1"), &ours.pem, "that of"),
        (ours.sign(&key, "https://elsewhere"), &ours.pem, "whose it is"),
        (theirs.sign(&key, "spiffe://prod/agent/db-1"), &both, "does not hold"),
        (own.clone(), &theirs.pem, "the authority that the token is for"),
        (own.clone(), &String::new(), "no certificate"),
        (String::new(), &ours.pem, "no certificate"),
        (own[..own.len() / 2].to_owned(), &ours.pem, "certificate"),
    ] {
        let error = check(&certificate, authorities).unwrap_err().to_string();
        assert!(error.contains(why), "{error} does not say {why}");
    }
}

#[test]
fn a_certificate_is_due_in_its_last_third() {
    let at = |days: i64| Timestamp::from_second(days * 86_400).unwrap();
    let identity = "spiffe://prod/agent/db-1".parse().unwrap();
    let own = renewing::Own { identity, from: at(0), until: at(90) };
    assert_eq!([at(59), at(61), at(100)].map(|now| own.is_due(now)), [false, true, true]);
}
