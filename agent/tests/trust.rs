//! A captured coordinator, and a state directory that somebody has been at: by the real programs (promise P10).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Cursor;

use common::*;
use minisign::KeyPair;
use proto::*;

fn pair() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

/// The owner's catalogue of these packages, valid for a day from now.
fn catalogue(by: &KeyPair, serial: u64, packages: &[&Package]) -> SignedCatalogue {
    let row = |package: &&Package| {
        let Package { sha256, version, os, arch, size, .. } = (*package).clone();
        OwnedPackage { version, os, arch, sha256, size }
    };
    let expires = Clock::system().now() + std::time::Duration::from_secs(24 * 3600);
    let rows = packages.iter().map(row).collect();
    let catalogue = OwnedCatalogue::new(serial, expires, None, rows).unwrap().render().unwrap();
    let signature = minisign::sign(None, &by.sk, Cursor::new(&catalogue), None, None).unwrap().into_string();
    SignedCatalogue { catalogue, signature }
}

/// A place whose agent installs only what this owner has signed.
fn pinned(owner: &KeyPair) -> Place {
    let place = Place::new();
    place.configure(&format!("[trust]\nowner_keys = ['{}']\n", owner.pk.to_base64()));
    place
}

const UPGRADE: &str = "echo x >> \"$ROOT/starts\"; echo 'Installation complete.'";

#[tokio::test]
async fn a_captured_coordinator_cannot_bring_in_what_the_owner_has_not_signed() {
    let owner = pair();
    let place = pinned(&owner);
    let (good, foreign) = (place.package(UPGRADE), place.package("echo foreign; touch \"$ROOT/starts\""));
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    let fetch = |package: &Package| StepSpec::Fetch { package: package.clone(), rate_limit: None };
    assert_eq!(failed(driver.outcome("f0", &fetch(&good)).await).id, "no-catalogue");
    let forged = catalogue(&pair(), 9, &[&good, &foreign]);
    assert_eq!(driver.set_catalogue(&forged).await.unwrap_err().id, "catalogue-refused");
    assert_eq!(driver.set_catalogue(&catalogue(&owner, 2, &[&good])).await.unwrap(), Some(2));
    // Its own bytes, and the owner's bytes under another name.
    assert_eq!(failed(driver.outcome("f1", &fetch(&foreign)).await).id, "not-in-catalogue");
    let renamed = Package { version: "7.22.0-95".parse().unwrap(), ..good.clone() };
    assert_eq!(failed(driver.outcome("f2", &fetch(&renamed)).await).id, "not-in-catalogue");
    let older = catalogue(&owner, 1, &[&good, &foreign]);
    assert_eq!(driver.set_catalogue(&older).await.unwrap_err().id, "catalogue-refused");
    assert!(!place.path("state/packages").join(format!("{}.archive", foreign.sha256)).exists());

    let spec = StepSpec::Install(driver.prepare(&good).await);
    let report = completed(driver.outcome("unpack", &unpack(&good)).await);
    let StepReport::Unpack { authenticity, .. } = report else { panic!("{report:?}") };
    let owned = authenticity.iter().find(|told| told.layer == Layer::Owner).unwrap();
    assert_eq!(owned.verdict, LayerVerdict::Verified, "{owned}");
    installed(driver.outcome("install", &spec).await);
    assert_eq!(lines(&place.path("root/starts")), 1);
}

fn unpack(package: &Package) -> StepSpec {
    StepSpec::Unpack { package: package.sha256, version: package.version }
}

#[tokio::test]
async fn what_was_unpacked_before_is_not_installed_once_it_is_not_signed_any_more() {
    let owner = pair();
    let place = pinned(&owner);
    let good = place.package(UPGRADE);
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    driver.set_catalogue(&catalogue(&owner, 1, &[&good])).await.unwrap();
    let spec = driver.prepare(&good).await;
    driver.set_catalogue(&catalogue(&owner, 2, &[])).await.unwrap();
    let failure = failed(driver.outcome("install", &StepSpec::Install(spec)).await);
    assert_eq!(failure.id, "not-in-catalogue");
    assert!(!place.path("root/starts").exists());
}

/// The op runner proves it all again: whatever the agent believed, or whoever wrote into the state directory.
#[tokio::test]
async fn the_op_runner_refuses_a_state_directory_that_somebody_has_been_at() {
    let owner = pair();
    for tampering in ["another's catalogue", "no catalogue", "damaged"] {
        let place = pinned(&owner);
        let good = place.package(UPGRADE);
        let agent = Agent::start(&place);
        let mut driver = agent.driver(1);
        driver.claim().await.unwrap();
        driver.set_catalogue(&catalogue(&owner, 1, &[&good])).await.unwrap();
        let spec = driver.prepare(&good).await;
        agent.kill();
        let file = place.path("state/catalogue.json");
        match tampering {
            "another's catalogue" => {
                let forged = catalogue(&pair(), 1, &[&good]);
                let kept = format!("{{\"format\":1,\"highest\":1,\"signed\":{}}}", json(&forged));
                fs::write(&file, kept).unwrap();
            }
            "no catalogue" => fs::remove_file(&file).unwrap(),
            _ => fs::write(&file, "{").unwrap(),
        }
        // An order as an agent would have written it down.
        let record = format!(
            "{{\"format\":1,\"run\":\"r1\",\"epoch\":1,\"step\":\"install\",\"spec\":{},\"accepted_at\":\"{}\"}}",
            serde_json::to_string(&StepSpec::Install(spec)).unwrap(),
            Clock::system().now()
        );
        fs::create_dir_all(place.path("state/steps/install")).unwrap();
        fs::write(place.path("state/steps/install/spec.json"), record).unwrap();
        std::process::Command::new(env!("CARGO_BIN_EXE_ratchet-agent"))
            .arg("--config")
            .arg(place.path("agent.toml"))
            .args(["run-op", "install"])
            .status()
            .unwrap();
        let result = fs::read_to_string(place.path("state/steps/install/result.json")).unwrap();
        assert!(result.contains("refused"), "{tampering}: {result}");
        assert!(!place.path("root/starts").exists(), "{tampering}");
    }
}

fn json(signed: &SignedCatalogue) -> String {
    serde_json::to_string(signed).unwrap()
}

#[tokio::test]
async fn what_was_found_out_is_told_again_after_a_restart_and_needs_no_key() {
    let place = Place::new();
    let package = place.package(UPGRADE);
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    assert_eq!(driver.set_catalogue(&catalogue(&pair(), 1, &[])).await.unwrap(), None);
    driver.prepare(&package).await;
    let first = completed(driver.outcome("unpack", &unpack(&package)).await);
    let StepReport::Unpack { authenticity, .. } = &first else { panic!("{first:?}") };
    let told: Vec<(Layer, LayerVerdict)> =
        authenticity.iter().map(|told| (told.layer, told.verdict)).collect();
    assert_eq!(
        told,
        [
            (Layer::Sha256, LayerVerdict::Verified),
            (Layer::Owner, LayerVerdict::NotAsked),
            (Layer::Vendor, LayerVerdict::NotChecked),
            (Layer::Version, LayerVerdict::NotChecked),
        ]
    );
    let manifest = fs::read_to_string(place.path("state/unpacked/unpack/manifest.json")).unwrap();
    assert!(manifest.contains("\"not_asked\""), "{manifest}");
    agent.kill();
    let agent = Agent::start(&place);
    let mut driver = agent.driver(2);
    driver.claim().await.unwrap();
    assert_eq!(completed(driver.outcome("unpack", &unpack(&package)).await), first);
}

#[tokio::test]
async fn a_node_that_asks_for_the_vendor_s_signature_takes_no_junk() {
    let place = Place::new();
    place.configure("[trust]\nvendor_signature = 'required'\n");
    let package = place.package(UPGRADE);
    let agent = Agent::start(&place);
    let mut driver = agent.driver(1);
    driver.claim().await.unwrap();
    completed(driver.outcome("fetch", &StepSpec::Fetch { package: package.clone(), rate_limit: None }).await);
    assert_eq!(failed(driver.outcome("unpack", &unpack(&package)).await).id, "vendor-signature");
    assert!(!place.path("state/unpacked/unpack").exists());
}
