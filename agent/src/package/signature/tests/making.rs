//! Packages and keys, made by the system's own programs.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::super::ar;
use crate::config::{Fingerprint, Trust};

/// Whether the programs that make and look at packages are there. In CI they must be.
pub(super) fn tools() -> bool {
    let needed = ["gpg", "gpgv", "dpkg-deb", "ar", "rpmbuild", "rpmsign", "rpmkeys", "rpm"];
    let missing: Vec<&str> =
        needed.into_iter().filter(|name| !Path::new("/usr/bin").join(name).exists()).collect();
    if missing.is_empty() {
        return true;
    }
    let text = format!("SKIPPED: there is no {} here", missing.join(", "));
    assert!(std::env::var_os("CI").is_none(), "{text}; apt-get install gnupg gpgv binutils dpkg rpm");
    eprintln!("{text}");
    false
}

/// Somebody who signs.
pub(super) struct Signer {
    pub(super) home: tempfile::TempDir,
    pub(super) fingerprint: Fingerprint,
}

impl Signer {
    pub(super) fn new(name: &str) -> Self {
        Self::made(name, &["never"], None)
    }

    /// Whose key was made long ago and has expired.
    pub(super) fn expired(name: &str) -> Self {
        Self::made(name, &["seconds=60"], Some("20200603T000000!"))
    }

    fn made(name: &str, expiry: &[&str], when: Option<&str>) -> Self {
        // Sockets of the agent lie below it: a short path.
        let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        let mut signer = Self { home, fingerprint: Trust::default().vendor_fingerprint };
        let mut arguments: Vec<&str> = Vec::new();
        if let Some(when) = when {
            arguments.extend(["--faked-system-time", when]);
        }
        let uid = format!("{name} <{name}@example.com>");
        arguments.extend(["--passphrase", "", "--quick-generate-key", uid.as_str(), "rsa2048", "sign"]);
        arguments.extend(expiry);
        signer.gpg(&arguments);
        let listed = signer.gpg(&["--with-colons", "--list-keys"]);
        let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
        signer.fingerprint = Fingerprint::parse(line.split(':').nth(9).unwrap()).unwrap();
        signer
    }

    pub(super) fn gpg(&self, arguments: &[&str]) -> String {
        let home = self.home.path().to_str().unwrap();
        let first = ["--homedir", home, "--batch", "--yes", "--pinentry-mode", "loopback"];
        run("gpg", first.iter().chain(arguments), self.home.path())
    }

    pub(super) fn public(&self) -> String {
        self.gpg(&["--armor", "--export"])
    }

    pub(super) fn clearsigned(&self, text: &str) -> Vec<u8> {
        self.clearsigned_at(text, &[])
    }

    pub(super) fn clearsigned_at(&self, text: &str, more: &[&str]) -> Vec<u8> {
        let (from, to) = (self.home.path().join("text"), self.home.path().join("signed"));
        fs::write(&from, text).unwrap();
        let mut arguments = more.to_vec();
        arguments.extend(["--output", to.to_str().unwrap(), "--clearsign", from.to_str().unwrap()]);
        self.gpg(&arguments);
        fs::read(to).unwrap()
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let _gone =
            Command::new("gpgconf").arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).output();
    }
}

pub(super) fn run(
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    dir: &Path,
) -> String {
    let ran = Command::new(program).args(arguments).current_dir(dir).env("HOME", dir).output().unwrap();
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// A Debian package of the version, not signed.
pub(super) fn deb(compression: &str, version: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let control = format!(
        "Package: redislabs\nVersion: {version}\nArchitecture: amd64\nMaintainer: x <x@y>\nDescription: x\n"
    );
    fs::create_dir_all(dir.path().join("p/DEBIAN")).unwrap();
    fs::create_dir_all(dir.path().join("p/opt")).unwrap();
    fs::write(dir.path().join("p/DEBIAN/control"), control).unwrap();
    fs::write(dir.path().join("p/opt/file"), "content").unwrap();
    let packed = format!("-Z{compression}");
    run("dpkg-deb", ["--root-owner-group", packed.as_str(), "--build", "p", "p.deb"], dir.path());
    fs::read(dir.path().join("p.deb")).unwrap()
}

/// The members of a package, for taking apart.
pub(super) fn taken_apart(deb: &[u8]) -> Vec<(String, Vec<u8>)> {
    let members = ar::members(&mut io::Cursor::new(deb)).unwrap();
    let content = |member: &ar::Member| {
        let from = usize::try_from(member.offset).unwrap();
        deb[from..from + usize::try_from(member.size).unwrap()].to_vec()
    };
    members.iter().map(|member| (member.name.clone(), content(member))).collect()
}

pub(super) fn put_together(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let list: Vec<(&str, &[u8])> =
        members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    ar::tests::archive(&list)
}

pub(super) fn signed_list(members: &[(String, Vec<u8>)]) -> String {
    use sha1::Digest;
    let mut text =
        "Version: 4\nSigner: \nDate: Thu Nov 26 12:00:00 2026\nRole: builder\nFiles: \n".to_owned();
    for (name, bytes) in members {
        let md5 = data_encoding::HEXLOWER.encode(&md5::Md5::digest(bytes));
        let sha1 = data_encoding::HEXLOWER.encode(&sha1::Sha1::digest(bytes));
        text.push_str(&format!("\t{md5} {sha1} {} {name}\n", bytes.len()));
    }
    text
}

/// What `dpkg-sig` makes of a package.
pub(super) fn signed_deb(deb: &[u8], signer: &Signer) -> Vec<u8> {
    let mut members = taken_apart(deb);
    let list = signer.clearsigned(&signed_list(&members));
    members.push(("_gpgbuilder".to_owned(), list));
    put_together(&members)
}

/// An RPM package of the version, signed if somebody signs.
pub(super) fn rpm(release: &str, signer: Option<&Signer>) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let spec = format!(
        "Name: redislabs\nVersion: 7.4.6\nRelease: {release}\nSummary: x\nLicense: x\nBuildArch: noarch\n%description\nx\n\
         %install\nmkdir -p %{{buildroot}}/opt\necho x > %{{buildroot}}/opt/f\n%files\n/opt/f\n"
    );
    fs::write(dir.path().join("x.spec"), spec).unwrap();
    let top = format!("_topdir {}", dir.path().display());
    run("rpmbuild", ["--define", top.as_str(), "-bb", "x.spec"], dir.path());
    let built = dir.path().join(format!("RPMS/noarch/redislabs-7.4.6-{release}.noarch.rpm"));
    if let Some(signer) = signer {
        let name = format!("_gpg_name {}", signer.fingerprint);
        let home = format!("_gpg_path {}", signer.home.path().display());
        run(
            "rpmsign",
            [
                "--define",
                &name,
                "--define",
                &home,
                "--define",
                "__gpg /usr/bin/gpg",
                "--addsign",
                built.to_str().unwrap(),
            ],
            dir.path(),
        );
    }
    fs::read(built).unwrap()
}
