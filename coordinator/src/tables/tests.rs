//! Files that the operator names.

use proto::FailureKind;

use super::{advisories, table};
use crate::paths::{Origin, explain};

const VENDOR: &str = include_str!("../../data/upgrade-paths.toml");
const OWN: &str = "schema = 1\n[[advisory]]\nid = \"ours\"\ntitle = \"t\"\nseverity = \"warn\"\nwhy = \"w\"\n\
    remedy = \"r\"\nsource = \"s\"\n";

#[test]
fn a_table_says_where_it_came_from() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("newer.toml");
    std::fs::write(&path, VENDOR.replace("2026-07-21", "2026-12-24")).unwrap();
    let newer = table(Some(&path)).unwrap();
    assert_eq!(newer.origin(), &Origin::File(path.clone()));
    assert_eq!(newer.as_of(), "2026-12-24");
    let built_in = table(None).unwrap();
    assert_eq!(built_in.origin(), &Origin::BuiltIn);
    assert_ne!(newer.digest(), built_in.digest());
    let document = explain(&newer, None, None, &[]);
    assert_eq!(document.table_origin, path.display().to_string());
    assert_eq!(explain(&built_in, None, None, &[]).table_origin, "built in");
}

#[test]
fn a_table_that_cannot_be_used_is_the_operators_to_correct() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("newer.toml");
    let third_row = VENDOR.replacen(">=6.2.4, <6.2.10", "6.2.x", 1);
    let gate = VENDOR.replace("target = \">=8.0.22\"", "target = \"8.0.22 and up\"");
    let unknown_key = format!("{VENDOR}\n[[gates]]\nid = \"x\"\n");
    for (text, named) in [
        (None, "No such file"),
        (Some("no table".to_owned()), "cannot be read"),
        (Some(third_row), "[[path]] row 3"),
        (Some(gate), "[[gate]] row 7"),
        (Some(unknown_key), "gates"),
    ] {
        if let Some(text) = &text {
            std::fs::write(&path, text).unwrap();
        }
        let failure = table(Some(&path)).unwrap_err();
        assert_eq!((failure.id.as_str(), failure.kind), ("configuration", FailureKind::Operator));
        assert!(failure.message.contains("newer.toml"), "{failure:?}");
        assert!(failure.cause.as_ref().is_some_and(|cause| cause.contains(named)), "{named}: {failure:?}");
        assert!(failure.remedy.as_ref().is_some_and(|remedy| remedy.contains("newer.toml")), "{failure:?}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_the_operators_to_correct() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.toml");
    for text in [None, Some("not TOML at all"), Some("schema = 1\nadvisory = 7")] {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let failure = advisories(Some(&path)).unwrap_err();
        assert_eq!((failure.id.as_str(), failure.kind), ("configuration", FailureKind::Operator), "{text:?}");
        assert!(failure.message.contains("own.toml"), "{failure:?}");
        assert!(failure.remedy.as_ref().is_some_and(|remedy| remedy.contains("own.toml")), "{failure:?}");
    }
    std::fs::write(&path, OWN).unwrap();
    assert!(advisories(Some(&path)).unwrap().explain("ours").is_some());
}
