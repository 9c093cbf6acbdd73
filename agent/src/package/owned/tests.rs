use std::io::Cursor;
use std::path::Path;

use minisign::KeyPair;
use proto::{Arch, OsToken, OwnedPackage, OwnerKey};

use super::*;

const EXPIRES: &str = "2026-12-26T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-26T12:00:00Z")
}

fn package(content: &str) -> Package {
    Package {
        sha256: Sha256::of(content.as_bytes()),
        version: "7.4.6-22".parse().unwrap(),
        os: OsToken("jammy".to_owned()),
        arch: Arch::Amd64,
        size: Some(1),
        sources: Vec::new(),
    }
}

fn text(serial: u64, contents: &[&str]) -> String {
    let row = |content: &&str| {
        let Package { sha256, version, os, arch, size, .. } = package(content);
        OwnedPackage { version, os, arch, sha256, size }
    };
    let rows = contents.iter().map(row).collect();
    OwnedCatalogue::new(serial, at(EXPIRES), None, rows).unwrap().render().unwrap()
}

fn signed(by: &KeyPair, text: &str) -> SignedCatalogue {
    let signature = minisign::sign(None, &by.sk, Cursor::new(text), None, None).unwrap().into_string();
    SignedCatalogue { catalogue: text.to_owned(), signature }
}

struct Node {
    dir: tempfile::TempDir,
    trust: Trust,
}

impl Node {
    fn trusting(keys: &[&KeyPair]) -> Self {
        let owner_keys = keys.iter().map(|pair| OwnerKey::parse(&pair.pk.to_base64()).unwrap()).collect();
        let trust = Trust { owner_keys, ..Trust::default() };
        Self { dir: tempfile::tempdir().unwrap(), trust }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("catalogue.json")
    }

    fn owner(&self) -> Owner<'_> {
        Owner { trust: &self.trust, path: self.file() }
    }

    fn keep(&self, signed: &SignedCatalogue) -> Result<Option<u64>, Box<Failure>> {
        self.owner().keep(&Disk::real(), signed, now())
    }

    /// Why a package is not admitted, by the failure's id; in both ways of asking.
    fn refused(&self, content: &str, when: Timestamp) -> Option<String> {
        let package = package(content);
        let whole = self.owner().admit(&package, when).err().map(|failure| failure.id);
        let brief =
            self.owner().admit_as(&package.sha256, package.version, when).err().map(|failure| failure.id);
        assert_eq!(whole, brief);
        whole
    }
}

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

#[test]
fn without_a_key_nothing_is_asked_and_nothing_kept() {
    let node = Node::trusting(&[]);
    assert_eq!(node.keep(&signed(&pair(), &text(1, &[]))).unwrap(), None);
    assert!(!node.file().exists());
    assert_eq!(node.owner().admit(&package("a"), now()).unwrap().verdict, LayerVerdict::NotAsked);
}

#[test]
fn with_a_key_only_what_is_signed_and_listed_is_admitted() {
    let owner = pair();
    let node = Node::trusting(&[&owner]);
    assert_eq!(node.refused("a", now()).as_deref(), Some("no-catalogue"));
    assert_eq!(node.keep(&signed(&owner, &text(3, &["a"]))).unwrap(), Some(3));
    let told = node.owner().admit(&package("a"), now()).unwrap();
    assert_eq!((told.layer, told.verdict), (Layer::Owner, LayerVerdict::Verified));
    assert_eq!(node.refused("b", now()).as_deref(), Some("not-in-catalogue"));
    let other = Package { os: OsToken("rhel9".to_owned()), ..package("a") };
    assert_eq!(node.owner().admit(&other, now()).unwrap_err().id, "not-in-catalogue");
    let later = "7.4.6-23".parse().unwrap();
    assert_eq!(node.owner().admit_as(&other.sha256, later, now()).unwrap_err().id, "not-in-catalogue");
}

#[test]
fn a_catalogue_that_has_expired_is_neither_taken_nor_used() {
    let owner = pair();
    let node = Node::trusting(&[&owner]);
    node.keep(&signed(&owner, &text(3, &["a"]))).unwrap();
    assert_eq!(node.refused("a", at(EXPIRES)).as_deref(), Some("catalogue-refused"));
    let late = node.owner().keep(&Disk::real(), &signed(&owner, &text(4, &["a"])), at(EXPIRES)).unwrap_err();
    assert_eq!(late.id, "catalogue-refused");
    assert!(late.remedy.unwrap().contains("ratchet catalogue new"));
}

#[test]
fn serials_only_grow_and_one_serial_is_one_catalogue() {
    let owner = pair();
    let node = Node::trusting(&[&owner]);
    let third = signed(&owner, &text(3, &["a"]));
    node.keep(&third).unwrap();
    assert_eq!(node.keep(&third).unwrap(), Some(3), "the same again");
    let before = std::fs::read(node.file()).unwrap();
    for (what, late) in [
        ("rolled back", signed(&owner, &text(2, &["a", "b"]))),
        ("other content", signed(&owner, &text(3, &["a", "b"]))),
        ("another's", signed(&pair(), &text(9, &["b"]))),
        ("forged", SignedCatalogue { catalogue: text(9, &["b"]), ..third.clone() }),
    ] {
        let failure = node.keep(&late).unwrap_err();
        assert_eq!(failure.id, "catalogue-refused", "{what}");
        assert_eq!(std::fs::read(node.file()).unwrap(), before, "{what}");
    }
    node.keep(&signed(&owner, &text(9, &["b"]))).unwrap();
    assert_eq!(node.refused("a", now()).as_deref(), Some("not-in-catalogue"));
    assert_eq!(node.refused("b", now()), None);
}

#[test]
fn a_file_in_the_state_directory_is_believed_by_its_signature_only() {
    let (owner, stranger) = (pair(), pair());
    let node = Node::trusting(&[&owner]);
    node.keep(&signed(&owner, &text(3, &["a"]))).unwrap();
    let written = |kept: &Kept| Disk::real().write_json(&node.file(), kept).unwrap();
    written(&Kept { highest: 3, signed: signed(&stranger, &text(3, &["b"])) });
    assert_eq!(node.refused("b", now()).as_deref(), Some("catalogue-refused"));
    // An older one of the owner's own, put back in its place, does not come up to the number beside it.
    written(&Kept { highest: 3, signed: signed(&owner, &text(2, &["b"])) });
    assert_eq!(node.refused("b", now()).as_deref(), Some("catalogue-refused"));
    for damage in ["", "{", "{\"highest\":3}"] {
        std::fs::write(node.file(), damage).unwrap();
        assert!(node.refused("a", now()).is_some(), "{damage}");
        node.keep(&signed(&owner, &text(9, &["a"]))).unwrap_err();
    }
}

#[test]
fn a_key_takes_another_one_s_place_without_a_gap() {
    let (old, new) = (pair(), pair());
    let mut node = Node::trusting(&[&old]);
    node.keep(&signed(&old, &text(3, &["a"]))).unwrap();
    node.trust = Node::trusting(&[&old, &new]).trust;
    assert_eq!(node.refused("a", now()), None);
    node.keep(&signed(&new, &text(4, &["a"]))).unwrap();
    node.trust = Node::trusting(&[&new]).trust;
    assert_eq!(node.refused("a", now()), None);
    assert!(node.keep(&signed(&old, &text(5, &["a"]))).is_err());
    // The serial that the old key has signed still counts.
    node.keep(&signed(&new, &text(3, &["b"]))).unwrap_err();
}

#[test]
fn keys_in_a_file_are_needed_once_the_file_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let owner = pair();
    let mut node = Node::trusting(&[]);
    let keys = node.dir.path().join("owner.pub");
    node.trust.owner_keys_file = Some(keys.clone());
    let mode = |mode| std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(node.keep(&signed(&owner, &text(1, &["a"]))).unwrap_err().id, "owner-keys");
    for text in ["", "# none\n", "RWQ\n"] {
        std::fs::write(&keys, text).unwrap();
        mode(0o644);
        assert_eq!(
            node.keep(&signed(&owner, &self::text(1, &["a"]))).unwrap_err().id,
            "owner-keys",
            "{text}"
        );
    }
    let file = owner.pk.to_box().unwrap().into_string();
    std::fs::write(&keys, file).unwrap();
    mode(0o666);
    assert_eq!(node.keep(&signed(&owner, &text(1, &["a"]))).unwrap_err().id, "owner-keys");
    mode(0o644);
    assert_eq!(node.keep(&signed(&owner, &text(1, &["a"]))).unwrap(), Some(1));
    assert_eq!(node.refused("a", now()), None);
    assert!(Path::new(&node.file()).exists());
}
