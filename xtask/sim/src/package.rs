//! Installation packages: real archives in the vendor's form (fact sheet §1.5).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use proto::{Arch, Version};

use crate::facts::{self, Os};

const INSTALLER: &str = include_str!("../assets/install.sh");

/// A package to be built.
#[derive(Clone, Debug)]
pub struct PackageSpec {
    /// Version in its name and, unless [`inner_version`](Self::inner_version) says otherwise, inside.
    pub version: Version,
    /// Operating system token, for instance `jammy`.
    pub os: String,
    /// Architecture.
    pub arch: Arch,
    /// Compressed, as some mirrors keep them; the vendor's own are plain.
    pub gzip: bool,
    /// Size of the main package inside, in bytes.
    pub payload_bytes: u64,
    /// Another version inside than the name says: a mislabelled download.
    pub inner_version: Option<Version>,
}

/// Why a package cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// No package is built for such a system.
    #[error(
        "`{0}` is not an operating system token; use one of xenial, bionic, focal, jammy, rhel7, rhel8, rhel9, amzn2"
    )]
    UnknownOs(String),
    /// The archive cannot be written.
    #[error("cannot write the package {path}; check that its directory exists and has room")]
    Write {
        /// The archive.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl PackageSpec {
    /// A small plain package for `jammy`/amd64.
    pub fn new(version: Version) -> Self {
        let os = "jammy".to_owned();
        Self { version, os, arch: Arch::Amd64, gzip: false, payload_bytes: 64 * 1024, inner_version: None }
    }

    /// The archive's file name.
    pub fn file_name(&self) -> String {
        let suffix = if self.gzip { "tar.gz" } else { "tar" };
        format!("redislabs-{}-{}-{}.{suffix}", self.version, self.os, self.arch_token())
    }

    /// `x86_64` in the names of RPM systems, `amd64` in the others.
    fn arch_token(&self) -> &'static str {
        let deb = facts::system(&self.os).is_some_and(|os| os.deb);
        match (self.arch, deb) {
            (Arch::Amd64, true) => "amd64",
            (Arch::Amd64, false) => "x86_64",
            (Arch::Arm64, true) => "arm64",
            (Arch::Arm64, false) => "aarch64",
        }
    }

    fn inner(&self) -> Version {
        self.inner_version.unwrap_or(self.version)
    }

    /// Name of the main package inside the archive.
    fn main_package(&self, os: Os) -> String {
        let (version, arch) = (self.inner(), self.arch_token());
        if os.deb {
            format!("redislabs_{version}~{}_{arch}.deb", os.token)
        } else {
            format!("redislabs-{version}.{}.{arch}.rpm", os.token)
        }
    }
}

/// Builds the archive in a directory and gives its path. The same specification gives the same bytes.
pub fn build_package(out_dir: &Path, spec: &PackageSpec) -> Result<PathBuf, PackageError> {
    let os = facts::system(&spec.os).ok_or_else(|| PackageError::UnknownOs(spec.os.clone()))?;
    let path = out_dir.join(spec.file_name());
    let written = File::create(&path).and_then(|file| {
        let file = BufWriter::new(file);
        if spec.gzip {
            write_archive(GzEncoder::new(file, Compression::fast()), spec, os)?.finish()?.flush()
        } else {
            write_archive(file, spec, os)?.flush()
        }
    });
    match written {
        Ok(()) => Ok(path),
        Err(source) => Err(PackageError::Write { path, source }),
    }
}

fn write_archive<W: Write>(out: W, spec: &PackageSpec, os: Os) -> io::Result<W> {
    let mut archive = tar::Builder::new(out);
    let mut add = |path: &str, mode: u32, size: u64, content: &mut dyn io::Read| {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(mode);
        // A fixed moment: equal specifications must give equal bytes.
        header.set_mtime(1_700_000_000);
        if path.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        archive.append_data(&mut header, path, content)
    };
    let main = spec.main_package(os);
    let script = installer(spec, os, &main);
    add("install.sh", 0o755, script.len() as u64, &mut script.as_bytes())?;
    add(&main, 0o644, spec.payload_bytes, &mut Payload::new(spec))?;
    for folder in ["rlec_install_utils_tmpdir/", "rlec_upgrade_tmpdir/"] {
        add(folder, 0o755, 0, &mut io::empty())?;
    }
    for (path, text) in SMALL_FILES {
        add(path, 0o644, text.len() as u64, &mut text.as_bytes())?;
    }
    archive.into_inner()
}

const SMALL_FILES: &[(&str, &str)] = &[
    ("rlec_install_utils_tmpdir/custom_installer.sh", "#!/bin/sh\n"),
    ("rlec_install_utils_tmpdir/install_functions", "# functions\n"),
    ("rlec_install_utils_tmpdir/install_args.conf", "# arguments\n"),
    ("rlec_upgrade_tmpdir/upgrade_checks.py", "# checks\n"),
    ("rlec_upgrade_tmpdir/upgrade_checks_error_codes.sh", "# codes\n"),
    ("rlec_upgrade_tmpdir/leash.py", "# leash\n"),
    ("rlec_rest_api.tar.gz", "not a real archive\n"),
];

fn installer(spec: &PackageSpec, os: Os, main_package: &str) -> String {
    INSTALLER
        .replace("@VERSION@", &spec.inner().to_string())
        .replace("@OS@", os.token)
        .replace("@ARCH@", &spec.arch.to_string())
        .replace("@COMMAND@", if os.deb { "dpkg -i" } else { "yum upgrade -y" })
        .replace("@PACKAGE@", main_package)
}

/// Bytes that no compression makes small, the same for the same version.
#[derive(Debug)]
struct Payload {
    state: u64,
    left: u64,
}

impl Payload {
    fn new(spec: &PackageSpec) -> Self {
        let Version { release, build } = spec.inner();
        let parts = [release.major, release.minor, release.patch, build];
        let seed = parts
            .iter()
            .fold(0x9e37_79b9_7f4a_7c15, |seed: u64, part| seed.rotate_left(13) ^ u64::from(*part));
        Self { state: seed | 1, left: spec.payload_bytes }
    }
}

impl io::Read for Payload {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        for chunk in buffer[..count].chunks_mut(8) {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            chunk.copy_from_slice(&self.state.to_le_bytes()[..chunk.len()]);
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_vendor() {
        let version = "7.8.2-60".parse().unwrap();
        let name = |os: &str| PackageSpec { os: os.to_owned(), ..PackageSpec::new(version) }.file_name();
        assert_eq!(name("rhel9"), "redislabs-7.8.2-60-rhel9-x86_64.tar");
        assert_eq!(name("jammy"), "redislabs-7.8.2-60-jammy-amd64.tar");
    }

    #[test]
    fn the_same_specification_gives_the_same_bytes_and_the_vendors_entries() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let spec = PackageSpec::new("6.2.18-70".parse().unwrap());
        let read = |dir: &Path| std::fs::read(build_package(dir, &spec).unwrap()).unwrap();
        let bytes = read(first.path());
        assert_eq!(bytes, read(second.path()));
        let mut archive = tar::Archive::new(bytes.as_slice());
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert!(names.contains(&"install.sh".to_owned()));
        assert!(names.contains(&"redislabs_6.2.18-70~jammy_amd64.deb".to_owned()), "{names:?}");
        assert!(names.iter().any(|name| name.starts_with("rlec_upgrade_tmpdir/")));
    }

    #[test]
    fn an_unknown_system_is_refused() {
        let spec = PackageSpec { os: "noble".to_owned(), ..PackageSpec::new("7.4.2-54".parse().unwrap()) };
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(build_package(dir.path(), &spec), Err(PackageError::UnknownOs(_))));
    }
}
