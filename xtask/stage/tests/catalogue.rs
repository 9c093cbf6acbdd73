//! The catalogue: `ratchet package add|list|show|remove`, by file and by URL, and a plan made from it.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

mod common;

use common::{TO, installs, ratchet, set, small, v, versions};
use proto::Sha256;
use sim::{PackageSpec, build_package};

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_added_found_and_removed_again() {
    let stage = set(small()).await;
    let dir = stage.dir.join("downloads");
    std::fs::create_dir_all(&dir).unwrap();
    let path = build_package(&dir, &PackageSpec::new(v("7.8.2-34"))).unwrap();
    let sha256 = Sha256::of(&std::fs::read(&path).unwrap()).to_string();
    let file = path.to_str().unwrap();

    let added = ratchet(&stage, &["-o", "json", "package", "add", file]);
    assert_eq!(added.code, 0, "{added:?}");
    let package = added.json()["package"].clone();
    assert_eq!(package["sha256"], sha256);
    assert_eq!((package["version"].as_str(), package["os"].as_str()), (Some("7.8.2-34"), Some("jammy")));
    assert_eq!(package["sources"][0], format!("file://{}", path.canonicalize().unwrap().display()));
    assert!(package["vendor_checksum"].as_str().unwrap().contains("no checksum"), "{package}");

    let again = ratchet(&stage, &["-o", "json", "package", "add", file]);
    assert_eq!((again.code, again.json()["already_there"].as_bool()), (0, Some(true)));
    let listed = ratchet(&stage, &["-o", "json", "package", "list"]).json();
    assert_eq!(listed["packages"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(ratchet(&stage, &["-o", "json", "package", "show", &sha256[..8]]).json()["package"], package);

    let planned = ratchet(&stage, &["-o", "json", "plan", "orders", "--to", "7.8.2-34"]);
    assert_eq!((planned.code, planned.json()["outcome"].as_str().unwrap()), (0, "ready"), "{planned:?}");

    assert_eq!(ratchet(&stage, &["package", "remove", "7.8.2-34"]).code, 0);
    assert_eq!(ratchet(&stage, &["package", "show", "7.8.2-34"]).code, 2);
    let configured = ratchet(&stage, &["-o", "json", "package", "remove", TO]);
    assert_eq!(configured.json()["error"]["id"], "package-configured", "{configured:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_added_by_url_is_what_the_nodes_fetch() {
    let stage = set(small()).await;
    let config = std::fs::read_to_string(stage.configuration()).unwrap();
    let without = config.split("[[package]]").next().unwrap().to_owned();
    std::fs::write(stage.configuration(), without).unwrap();
    let url = stage.package_url(v(TO)).unwrap();
    let wrong = "0".repeat(64);
    let refused = ratchet(&stage, &["-o", "json", "package", "add", &url, "--sha256", &wrong]);
    assert_eq!(refused.json()["error"]["id"], "digest-mismatch", "{refused:?}");
    assert_eq!(ratchet(&stage, &["package", "add", &url]).code, 0);
    let done = common::upgrade(&stage);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!((versions(&stage), installs(&stage)), (vec![TO.to_owned(); 3], vec![1; 3]));
    let gone = ratchet(&stage, &["-o", "json", "package", "add", &format!("{url}.nowhere")]);
    assert_eq!(gone.code, 2, "{gone:?}");
}
