use std::io::Cursor;

use minisign::KeyPair;
use proptest::prelude::*;

use super::*;
use crate::Package;

const NOW: &str = "2026-11-26T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn pair() -> (KeyPair, OwnerKey) {
    let pair = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = OwnerKey::parse(&pair.pk.to_base64()).unwrap();
    (pair, key)
}

fn sign(pair: &KeyPair, text: &str) -> SignedCatalogue {
    let signature = minisign::sign(None, &pair.sk, Cursor::new(text.as_bytes()), Some("x"), None).unwrap();
    SignedCatalogue { catalogue: text.to_owned(), signature: signature.into_string() }
}

fn row(content: &str) -> OwnedPackage {
    OwnedPackage {
        version: "7.4.6-22".parse().unwrap(),
        os: OsToken("jammy".to_owned()),
        arch: Arch::Amd64,
        sha256: Sha256::of(content.as_bytes()),
        size: Some(10),
    }
}

fn catalogue(serial: u64) -> OwnedCatalogue {
    let expires = "2026-12-26T12:00:00Z".parse().unwrap();
    OwnedCatalogue::new(serial, expires, None, vec![row("a"), row("b")]).unwrap()
}

fn package(content: &str) -> Package {
    let OwnedPackage { version, os, arch, sha256, size } = row(content);
    Package { sha256, version, os, arch, size, sources: Vec::new() }
}

#[test]
fn what_one_of_the_keys_has_signed_is_read_as_it_was_written() {
    let ((owner, key), (_, other)) = (pair(), pair());
    let text = catalogue(7).render().unwrap();
    let signed = sign(&owner, &text);
    assert_eq!(signed.verify(std::slice::from_ref(&key)).unwrap(), catalogue(7));
    assert_eq!(
        signed.verify(&[other, key]).unwrap(),
        catalogue(7),
        "two keys, while one takes the other's place"
    );
}

#[test]
fn nothing_else_is_believed() {
    let ((owner, key), (stranger, _)) = (pair(), pair());
    let keys = [key];
    let text = catalogue(7).render().unwrap();
    let good = sign(&owner, &text);
    let not_signed = |signed: &SignedCatalogue| {
        let error = signed.verify(&keys).unwrap_err();
        assert!(matches!(error, CatalogueError::NotSigned { .. }), "{error}");
    };
    not_signed(&sign(&stranger, &text));
    not_signed(&SignedCatalogue { catalogue: text.replace("serial = 7", "serial = 8"), ..good.clone() });
    not_signed(&SignedCatalogue { catalogue: format!("{text}\n"), ..good.clone() });
    not_signed(&SignedCatalogue { signature: sign(&owner, "another").signature, ..good.clone() });
    // The trusted comment is signed as well.
    not_signed(&SignedCatalogue {
        signature: good.signature.replace("trusted comment: x", "trusted comment: y"),
        ..good.clone()
    });
    for signature in ["", "untrusted comment: x\nRWQ\n", "\u{0}"] {
        let signed = SignedCatalogue { signature: signature.to_owned(), ..good.clone() };
        assert_eq!(signed.verify(&keys), Err(CatalogueError::NoSignature));
    }
    assert_eq!(good.verify(&[]), Err(CatalogueError::NotSigned { keys: 0 }));
    let long = SignedCatalogue { catalogue: "#".repeat(MAX_CATALOGUE + 1), ..good.clone() };
    assert_eq!(long.verify(&keys), Err(CatalogueError::TooLong));
    let long = SignedCatalogue { signature: "#".repeat(MAX_SIGNATURE + 1), ..good };
    assert_eq!(long.verify(&keys), Err(CatalogueError::TooLong));
}

/// A legacy signature is over the text itself. This one was made by minisign with `-l`, over a text of six bytes.
#[test]
fn a_legacy_signature_is_refused_although_it_is_right() {
    const KEY: &str = include_str!("legacy.pub");
    const SIGNATURE: &str = include_str!("legacy.minisig");
    let key = OwnerKey::parse(KEY).unwrap();
    let signature = Signature::decode(SIGNATURE).unwrap();
    key.key.verify(b"hello\n", &signature, true).unwrap();
    let signed = SignedCatalogue { catalogue: "hello\n".to_owned(), signature: SIGNATURE.to_owned() };
    assert_eq!(signed.verify(&[key]), Err(CatalogueError::NotSigned { keys: 1 }));
}

#[test]
fn a_signed_text_must_still_be_a_catalogue() {
    let (owner, key) = pair();
    let good = catalogue(7).render().unwrap();
    let keys = [key];
    for (text, reason) in [
        (String::new(), "schema"),
        (good.replace("schema = 1", "schema = 2"), "schema 2"),
        (good.replace("serial = 7", "serial = -7"), "not a catalogue"),
        (good.replace("serial = 7", ""), "serial"),
        (good.replace("expires", "expired"), "expired"),
        (good.replace("7.4.6-22", "7.4.6"), "7.4.6"),
        (good.replace("os = \"jammy\"", ""), "os"),
        (good.replace(&Sha256::of(b"b").to_string(), &Sha256::of(b"a").to_string()), "twice"),
        (format!("sequence = 1\n{good}"), "sequence"),
        (good.replace("size = 10", "size = 10\nurl = \"x\""), "url"),
    ] {
        let error = sign(&owner, &text).verify(&keys).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}\n{text}");
    }
}

#[test]
fn time_serial_and_fleet_are_judged() {
    let (own, other): (FleetName, FleetName) = ("east".parse().unwrap(), "west".parse().unwrap());
    let good = catalogue(7);
    for highest in [0, 6, 7] {
        good.judge(now(), highest, None).unwrap();
        good.judge(now(), highest, Some(&own)).unwrap();
    }
    let frozen = Untimely::Expired { expires: good.expires };
    assert_eq!(good.judge(good.expires, 7, None), Err(frozen), "the last moment is over");
    assert_eq!(good.judge(now(), 8, None), Err(Untimely::RolledBack { serial: 7, highest: 8 }));
    let named = OwnedCatalogue { fleet: Some(own.clone()), ..good };
    named.judge(now(), 0, Some(&own)).unwrap();
    for foreign in [None, Some(&other)] {
        assert!(matches!(named.judge(now(), 0, foreign), Err(Untimely::OtherFleet { .. })));
    }
}

#[test]
fn a_package_must_agree_in_every_respect() {
    let catalogue = catalogue(7);
    catalogue.allows(&package("a")).unwrap();
    catalogue.allows(&Package { size: None, ..package("a") }).unwrap();
    assert!(matches!(catalogue.allows(&package("c")), Err(NotListed::Unknown(_))));
    for other in [
        Package { version: "7.4.6-23".parse().unwrap(), ..package("a") },
        Package { os: OsToken("rhel9".to_owned()), ..package("a") },
        Package { arch: Arch::Arm64, ..package("a") },
        Package { size: Some(11), ..package("a") },
    ] {
        assert!(matches!(catalogue.allows(&other), Err(NotListed::Differs { .. })), "{other}");
    }
    let sha256 = Sha256::of(b"a");
    catalogue.allows_version(&sha256, "7.4.6-22".parse().unwrap()).unwrap();
    catalogue.allows_version(&sha256, "7.4.6-23".parse().unwrap()).unwrap_err();
    catalogue.allows_version(&Sha256::of(b"c"), "7.4.6-22".parse().unwrap()).unwrap_err();
}

#[test]
fn a_key_is_read_from_its_line_or_its_file() {
    let (pair, key) = pair();
    let file = pair.pk.to_box().unwrap().into_string();
    assert_eq!(OwnerKey::parse(&file).unwrap(), key);
    assert_eq!(OwnerKey::parse(&format!("  {}\n\n", key.as_str())).unwrap(), key);
    for text in ["", "RWQ", "untrusted comment: x", &key.as_str()[1..], "RWQ\u{e9}"] {
        OwnerKey::parse(text).unwrap_err();
    }
}

proptest! {
    #[test]
    fn any_text_ends_and_what_is_read_is_written_the_same(text in ".{0,200}") {
        if let Ok(read) = OwnedCatalogue::parse(&text) {
            prop_assert_eq!(OwnedCatalogue::parse(&read.render().unwrap()).unwrap(), read);
        }
        let _none = OwnerKey::parse(&text);
        let signed = SignedCatalogue { catalogue: text.clone(), signature: text };
        signed.verify(&[]).unwrap_err();
    }
}
