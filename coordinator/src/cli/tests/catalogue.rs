//! The fleet owner's tools: what they make is what the nodes take, and what minisign's own program takes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use proto::{OwnerKey, SignedCatalogue};

use super::stage::Stage;
use crate::cli::Exit;
use crate::cli::render::sample;
use crate::documents::PackagesDocument;

/// The owner's own directory.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Carries out a command line; `@` stands for the directory.
    async fn run(&self, line: &str) -> (Exit, String) {
        let stage = Stage::new();
        let packages = vec![sample::package()];
        stage.fake.answers(
            "list_packages",
            &PackagesDocument { schema: "ratchet.packages/1".to_owned(), packages },
        );
        let exit = stage.run(&line.replace('@', self.0.path().to_str().unwrap())).await;
        (exit, stage.stdout() + &stage.stderr())
    }

    async fn done(&self, line: &str) -> String {
        let (exit, said) = self.run(line).await;
        assert_eq!(exit, Exit::Done, "{line}: {said}");
        said
    }

    /// What a node with this public key makes of the files.
    fn on_a_node(&self, public: &str) -> Result<u64, String> {
        let signed =
            SignedCatalogue { catalogue: self.read("c.toml"), signature: self.read("c.toml.minisig") };
        let key = OwnerKey::parse(&self.read(public)).unwrap();
        signed.verify(&[key]).map(|catalogue| catalogue.serial).map_err(|error| error.to_string())
    }
}

const KEYGEN: &str = "catalogue keygen --secret @/owner.key --public @/owner.pub --no-password";
const NEW: &str = "catalogue new @/c.toml";
const SIGN: &str = "catalogue sign @/c.toml --secret @/owner.key";

#[tokio::test]
async fn a_catalogue_is_made_signed_and_verified() {
    let desk = Desk::new();
    let said = desk.done(KEYGEN).await;
    assert!(said.contains("owner_keys = [\"RW"), "{said}");
    let mode = fs::metadata(desk.path("owner.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = desk.done(NEW).await;
    assert!(said.contains("catalogue 1") && said.contains("7.4.6-22"), "{said}");
    assert_eq!(
        desk.run("catalogue verify @/c.toml --key @/owner.pub").await.0,
        Exit::Usage,
        "not signed yet"
    );
    desk.done(SIGN).await;
    assert_eq!(desk.on_a_node("owner.pub"), Ok(1));
    assert!(desk.done("catalogue verify @/c.toml --key @/owner.pub").await.contains("verified"));
    assert!(desk.done("catalogue show @/c.toml").await.contains("not verified"));
    // The next one counts on, and the signature of the one before is gone.
    desk.done("catalogue new @/c.toml --valid 6months --fleet east").await;
    assert!(!desk.path("c.toml.minisig").exists());
    desk.done(SIGN).await;
    assert_eq!(desk.on_a_node("owner.pub"), Ok(2));
    assert!(desk.done("catalogue show @/c.toml").await.contains("east"));
}

#[tokio::test]
async fn what_is_not_right_is_neither_signed_nor_verified() {
    let desk = Desk::new();
    desk.done(KEYGEN).await;
    let (exit, said) = desk.run(KEYGEN).await;
    assert_eq!(exit, Exit::Usage, "a key is not overwritten: {said}");
    desk.done("catalogue keygen --secret @/other.key --public @/other.pub --no-password").await;
    desk.done(NEW).await;
    desk.done(SIGN).await;
    let (exit, said) = desk.run("catalogue verify @/c.toml --key @/other.pub").await;
    assert!(exit != Exit::Done && said.contains("pinned key"), "{said}");
    let text = desk.read("c.toml");
    fs::write(desk.path("c.toml"), text.replace("serial = 1", "serial = 2")).unwrap();
    assert_ne!(desk.run("catalogue verify @/c.toml --key @/owner.pub").await.0, Exit::Done);
    let long_ago = text
        .lines()
        .map(|line| if line.starts_with("expires") { "expires = \"2026-01-01T00:00:00Z\"" } else { line });
    fs::write(desk.path("c.toml"), long_ago.collect::<Vec<_>>().join("\n")).unwrap();
    let (exit, said) = desk.run(SIGN).await;
    assert!(exit != Exit::Done && said.contains("expired"), "{said}");
    for junk in ["", "hello", "schema = 2\n"] {
        fs::write(desk.path("c.toml"), junk).unwrap();
        assert_ne!(desk.run(SIGN).await.0, Exit::Done, "{junk}");
        assert_ne!(desk.run("catalogue show @/c.toml").await.0, Exit::Done, "{junk}");
    }
}

#[tokio::test]
async fn a_password_comes_from_a_file_and_is_never_told() {
    let desk = Desk::new();
    fs::write(desk.path("word"), "correct horse\n").unwrap();
    fs::write(desk.path("wrong"), "battery staple\n").unwrap();
    let (exit, said) = desk.run("catalogue keygen --secret @/owner.key --public @/owner.pub").await;
    assert!(exit == Exit::Usage && said.contains("--password-file"), "{said}");
    let keygen = "catalogue keygen --secret @/owner.key --public @/owner.pub --password-file @/word";
    let mut said = desk.done(keygen).await;
    desk.done(NEW).await;
    assert_eq!(desk.run(SIGN).await.0, Exit::Usage);
    let wrong = desk.run(&format!("{SIGN} --password-file @/wrong")).await;
    assert_eq!(wrong.0, Exit::Usage);
    said += &wrong.1;
    said += &desk.done(&format!("{SIGN} --password-file @/word")).await;
    assert_eq!(desk.on_a_node("owner.pub"), Ok(1));
    let secret = desk.read("owner.key");
    assert!(!said.contains("horse") && !said.contains("staple"), "{said}");
    assert!(!said.contains(secret.lines().nth(1).unwrap()), "{said}");
}

/// Both ways: our key and signature in minisign's hands, and its key and signature in ours.
#[tokio::test]
async fn minisign_s_own_program_agrees() {
    if !Path::new("/usr/bin/minisign").exists() {
        assert!(std::env::var_os("CI").is_none(), "minisign is not installed (apt-get install minisign)");
        eprintln!("SKIPPED, so nothing is proven: minisign is not installed (apt-get install minisign)");
        return;
    }
    let desk = Desk::new();
    let minisign = |arguments: &[&str]| {
        let ran =
            Command::new("/usr/bin/minisign").args(arguments).current_dir(desk.0.path()).output().unwrap();
        (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    desk.done(KEYGEN).await;
    desk.done(NEW).await;
    desk.done(SIGN).await;
    let (well, said) = minisign(&["-V", "-H", "-p", "owner.pub", "-m", "c.toml"]);
    assert!(well, "it verifies ours: {said}");
    fs::remove_file(desk.path("c.toml.minisig")).unwrap();
    let (well, said) = minisign(&["-S", "-s", "owner.key", "-m", "c.toml"]);
    assert!(well, "it signs with our key: {said}");
    assert_eq!(desk.on_a_node("owner.pub"), Ok(1));

    let (well, said) = minisign(&["-G", "-W", "-p", "its.pub", "-s", "its.key"]);
    assert!(well, "{said}");
    desk.done("catalogue sign @/c.toml --secret @/its.key").await;
    assert_eq!(desk.on_a_node("its.pub"), Ok(1), "we sign with its key");
    let (well, said) = minisign(&["-S", "-l", "-s", "its.key", "-m", "c.toml"]);
    assert!(well, "{said}");
    assert!(desk.on_a_node("its.pub").unwrap_err().contains("legacy"));
}
