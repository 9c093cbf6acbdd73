//! What is kept: modes, the register, what a crash leaves behind.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proto::Role;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn keys_are_for_their_owner_only_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("authority");
    let mut authority = founded(&home);
    assert_eq!((mode(&home), mode(&home.join("ca.key"))), (0o700, 0o600));
    assert!(fs::read_to_string(home.join("ca.key")).unwrap().starts_with("-----BEGIN PRIVATE KEY"));
    let before = fs::read(home.join("ca.key")).unwrap();
    let again = found(&home, &"prod".parse().unwrap(), DAY, noon()).unwrap_err();
    assert_eq!((again.id.as_str(), fs::read(home.join("ca.key")).unwrap()), ("already-there", before));
    let (signed, key) = authority.issue(&order(Role::Agent, "db-1", &["10.0.0.1"]), noon()).unwrap();
    let (out, install_dir) = (dir.path().join("out"), Path::new("/etc/ratchet/pki"));
    let bundle = Bundle { signed: &signed, key: &key, out: &out, install_dir };
    let path = bundle.write(&authority, false).unwrap();
    assert_eq!(
        (mode(&path), mode(&path.join("key.pem")), mode(&path.join("cert.pem"))),
        (0o700, 0o600, 0o644)
    );
    let tls = fs::read_to_string(path.join("tls.toml")).unwrap();
    assert!(tls.starts_with("[tls]\n") && tls.contains("key = \"/etc/ratchet/pki/key.pem\"\n"), "{tls}");
    assert_eq!(bundle.write(&authority, false).unwrap_err().id, "already-there");
    bundle.write(&authority, true).unwrap();
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1, "nothing is left beside it");
    let strange = out.join("db-2");
    fs::create_dir(&strange).unwrap();
    assert_eq!(Bundle::fits(&out, "db-2", true).unwrap_err().id, "already-there", "it is no bundle");
}

#[test]
fn a_key_that_others_can_read_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("authority");
    drop(founded(&home));
    let open = |mode| {
        fs::set_permissions(home.join("ca.key"), PermissionsExt::from_mode(mode)).unwrap();
        Authority::open(&home, noon())
    };
    for mode in [0o640, 0o604, 0o620] {
        let refused = open(mode).unwrap_err();
        assert!(refused.message.contains(&format!("{mode:04o}")), "{refused}");
    }
    open(0o400).unwrap();
}

#[test]
fn an_init_that_was_cut_off_leaves_nothing_that_counts() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("authority");
    let left = dir.path().join(".authority.new");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("ca.key"), "half").unwrap();
    assert_eq!(Authority::open(&home, noon()).unwrap_err().id, "unusable-authority");
    assert!(!home.exists(), "a question makes nothing");
    founded(&home);
    assert!(!left.exists());
}

#[test]
fn one_writes_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("authority");
    let first = founded(&home);
    let second = Authority::open(&home, noon()).unwrap_err();
    assert_eq!(second.id, "authority-busy");
    Register::read(&home).unwrap();
    drop(first);
    Authority::open(&home, noon()).unwrap();
}

#[test]
fn a_certificate_is_in_the_register_before_anybody_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("authority");
    let mut authority = founded(&home);
    authority.issue(&order(Role::Viewer, "anna", &[]), noon()).unwrap();
    // A directory in the way of the file that is written beside the register: the write fails.
    fs::create_dir(home.join("issued.json.tmp")).unwrap();
    let refused = authority.issue(&order(Role::Viewer, "bert", &[]), noon()).unwrap_err();
    assert_eq!(refused.id, "unusable-authority");
    drop(authority);
    let names: Vec<String> =
        Register::read(&home).unwrap().certificates.iter().map(|one| one.identity.name.to_string()).collect();
    assert_eq!(names, ["anna"], "the old register is whole");
}

#[test]
fn a_revocation_that_was_cut_off_is_finished_by_whoever_opens_the_authority_next() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("authority");
    let mut authority = founded(&home);
    authority.issue(&order(Role::Agent, "db-1", &[]), noon()).unwrap();
    let before = authority.revoked().unwrap();
    fs::create_dir(home.join("crl.pem.tmp")).unwrap();
    authority.revoke("db-1", "stolen", noon()).unwrap_err();
    drop(authority);
    assert_eq!(fs::read_to_string(home.join("crl.pem")).unwrap(), before);
    fs::remove_dir(home.join("crl.pem.tmp")).unwrap();
    let authority = Authority::open(&home, noon()).unwrap();
    assert_ne!(authority.revoked().unwrap(), before);
    assert_eq!(revoked::number(&authority.revoked().unwrap()), Some(2));
}

#[test]
fn who_has_a_certificate_gets_another_one_only_if_that_is_meant() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = founded(&dir.path().join("authority"));
    let agent = order(Role::Agent, "db-1", &["db-1"]);
    let (first, key) = authority.issue(&agent, noon()).unwrap();
    assert_eq!(authority.issue(&agent, noon()).unwrap_err().id, "already-issued");
    let (second, other) = authority.issue(&Order { follows: true, ..agent.clone() }, noon()).unwrap();
    assert_ne!(first.issued.serial, second.issued.serial);
    assert_ne!(*key.pem(), *other.pem(), "a new key each time");
    let later = noon() + DAY * 400;
    authority.issue(&agent, later).unwrap();
    authority.revoke("db-1", "gone", later).unwrap();
    authority.issue(&agent, later).unwrap();
}

#[test]
fn names_serials_and_spans_find_what_is_meant_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = founded(&dir.path().join("authority"));
    for (role, name, days) in
        [(Role::Agent, "db-1", 20), (Role::Operator, "db-1", 60), (Role::Agent, "db-2", 400)]
    {
        authority.issue(&Order { valid: DAY * days, ..order(role, name, &[]) }, noon()).unwrap();
    }
    let register = authority.register().clone();
    assert_eq!(register.identity("db-1").unwrap_err().id, "ambiguous-name");
    assert_eq!(register.identity("agent/db-1").unwrap().role, Role::Agent);
    assert_eq!(register.identity("spiffe://prod/agent/db-2").unwrap().name.as_str(), "db-2");
    assert_eq!(register.identity("db").unwrap_err().id, "no-such-certificate");
    let expiring = register.expiring(DAY * 30, noon());
    assert_eq!(expiring.iter().map(|one| one.identity.role).collect::<Vec<_>>(), [Role::Agent]);
    assert_eq!(authority.revoke("db-1", "x", noon()).unwrap_err().id, "ambiguous-name");
    let serial = register.certificates[1].serial.to_uppercase();
    let revoked = authority.revoke(&serial, "left", noon()).unwrap();
    assert_eq!((revoked.len(), revoked[0].identity.role), (1, Role::Operator));
    let again = authority.revoke(&serial, "other words", noon()).unwrap();
    assert_eq!(again[0].reason.as_deref(), Some("left"), "what was said first stands");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let mut authority = founded(&dir.path().join("authority"));
    let other =
        Order { identity: "spiffe://test/agent/db-1".parse().unwrap(), ..order(Role::Agent, "a", &[]) };
    for (order, id) in [
        (order(Role::Coordinator, "ops", &[]), "usage"),
        (order(Role::Viewer, "anna", &["laptop"]), "usage"),
        (other, "other-fleet"),
        (Order { valid: DAY * 9_000_000, ..order(Role::Viewer, "anna", &[]) }, "usage"),
    ] {
        assert_eq!(authority.issue(&order, noon()).unwrap_err().id, id, "{order:?}");
    }
    assert!(authority.register().certificates.is_empty());
    let long = Order { valid: DAY * 36_500, ..order(Role::Viewer, "anna", &[]) };
    let (signed, _) = authority.issue(&long, noon()).unwrap();
    assert_eq!(signed.issued.not_after, noon() + DAY * 3650, "it does not outlive the authority");
    let late = authority.issue(&order(Role::Viewer, "bert", &[]), noon() + DAY * 3651).unwrap_err();
    assert!(late.message.contains("is over since"), "{late}");
}

#[test]
fn damage_and_later_formats_are_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("authority");
    drop(founded(&home));
    let other = dir.path().join("other");
    drop(founded(&other));
    let whole = |name: &str| fs::read_to_string(home.join(name)).unwrap();
    for (name, text) in [
        ("issued.json", whole("issued.json").replace("\"format\": 1", "\"format\": 2")),
        ("issued.json", "{".to_owned()),
        ("ca.pem", "nothing".to_owned()),
        ("ca.key", "nothing".to_owned()),
        ("ca.key", fs::read_to_string(other.join("ca.key")).unwrap()),
    ] {
        let before = whole(name);
        fs::write(home.join(name), text).unwrap();
        let error = Authority::open(&home, noon()).unwrap_err();
        assert_eq!(error.id, "unusable-authority");
        assert!(error.message.contains(name), "{error}");
        fs::write(home.join(name), before).unwrap();
    }
    Authority::open(&home, noon()).unwrap();
}

#[test]
fn a_key_does_not_show_itself() {
    let key = Key::generate().unwrap();
    assert_eq!(format!("{key:?}"), "Key");
    let error =
        Key::from_pem("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n").unwrap_err();
    assert!(!error.to_string().contains("c2Vj"), "{error}");
}
