//! The catalogue: `package add|list|show|remove`.

use std::path::Path;

use futures::{Stream, StreamExt};
use proto::{Failure, Package, Sha256};
use tokio::io::AsyncReadExt;

use super::Core;
use crate::catalogue::{
    CatalogueEntry, Origin, PackageName, owners_word, parse_file_name, secret_in, shown_url,
};
use crate::documents::{Document, PackageDocument, PackageRow, PackagesDocument, RemovedDocument};
use crate::failures::chain;
use crate::store::StoredPackage;

/// What an operator says about a package to be added; what is not said is found out.
#[derive(Clone, Debug, Default)]
pub(super) struct Description {
    pub(super) location: String,
    pub(super) sha256: Option<String>,
    pub(super) version: Option<String>,
    pub(super) os: Option<String>,
    pub(super) arch: Option<String>,
}

/// What the bytes of an archive are.
struct Bytes {
    sha256: Sha256,
    md5: String,
    size: u64,
}

impl Core {
    pub(super) async fn list_packages(&self) -> Result<PackagesDocument, Failure> {
        let mut entries = self.catalogue().await?;
        entries.sort_by(|one, other| {
            let key = |entry: &CatalogueEntry| {
                (entry.package.version, entry.package.os.clone(), entry.package.arch, entry.package.sha256)
            };
            key(one).cmp(&key(other))
        });
        Ok(PackagesDocument {
            schema: PackagesDocument::SCHEMA.to_owned(),
            packages: entries.iter().map(|entry| self.package_row(entry)).collect(),
        })
    }

    pub(super) async fn show_package(&self, key: &str) -> Result<PackageDocument, Failure> {
        let entry = self.find_package(key).await?;
        Ok(self.package_document(&entry, true))
    }

    pub(super) async fn add_package(
        &self,
        description: Description,
        by: &str,
    ) -> Result<PackageDocument, Failure> {
        if let Some(reason) = secret_in(&description.location) {
            let remedy = "serve the archive to the nodes without one, or name a file that every node has";
            let message = format!("{} cannot be the package's source", shown_url(&description.location));
            return Err(Failure::operator("usage", message, remedy).because(reason));
        }
        let name = name_of(&description)?;
        let (source, bytes) = read(&description.location).await?;
        if let Some(expected) = &description.sha256 {
            expect(expected, &bytes, &description.location)?;
        }
        let package = Package {
            sha256: bytes.sha256,
            version: name.version,
            os: name.os,
            arch: name.arch,
            size: Some(bytes.size),
            sources: vec![source],
        };
        self.same_platform(&package).await?;
        let stored =
            StoredPackage { package, md5: Some(bytes.md5), added_at: self.now(), added_by: by.to_owned() };
        let sha256 = stored.package.sha256;
        let configured = self.config.packages.iter().any(|package| package.sha256 == sha256);
        let added = !configured && self.store().add_package(&stored).await?;
        let entry = self.find_package(&sha256.to_string()).await?;
        if added {
            tracing::warn!(by, package = %entry.package, %sha256, "a package was added to the catalogue");
        }
        Ok(self.package_document(&entry, !added))
    }

    /// The same bytes cannot be two packages.
    async fn same_platform(&self, package: &Package) -> Result<(), Failure> {
        let entries = self.catalogue().await?;
        let Some(known) =
            entries.iter().map(|entry| &entry.package).find(|known| known.sha256 == package.sha256)
        else {
            return Ok(());
        };
        if (known.version, &known.os, known.arch) == (package.version, &package.os, package.arch) {
            return Ok(());
        }
        let remedy = format!("ratchet package remove {}   # if the catalogue is wrong", known.sha256.short());
        Err(Failure::operator(
            "package-conflict",
            format!("these bytes are in the catalogue as {known}"),
            remedy,
        ))
    }

    pub(super) async fn remove_package(&self, key: &str, by: &str) -> Result<RemovedDocument, Failure> {
        let entry = self.find_package(key).await?;
        if entry.origin == Origin::Config {
            let message = format!("{} is named by the configuration", entry.package);
            return Err(Failure::operator("package-configured", message, "take it out of ratchet.toml"));
        }
        let Package { sha256, .. } = &entry.package;
        self.store().remove_package(sha256).await?;
        tracing::warn!(by, package = %entry.package, %sha256, "a package was taken out of the catalogue");
        Ok(RemovedDocument { schema: RemovedDocument::SCHEMA.to_owned(), removed: self.package_row(&entry) })
    }

    fn package_document(&self, entry: &CatalogueEntry, already_there: bool) -> PackageDocument {
        let schema = PackageDocument::SCHEMA.to_owned();
        PackageDocument { schema, package: self.package_row(entry), already_there }
    }

    fn package_row(&self, entry: &CatalogueEntry) -> PackageRow {
        let word = self.world.signed.word();
        package_row(entry, owners_word(word.as_ref(), &entry.package, self.now()))
    }

    async fn find_package(&self, key: &str) -> Result<CatalogueEntry, Failure> {
        let entries = self.catalogue().await?;
        let key_lower = key.to_ascii_lowercase();
        let fits = |entry: &&CatalogueEntry| {
            let digest = entry.package.sha256.to_string();
            entry.package.version.to_string() == key || (key.len() >= 6 && digest.starts_with(&key_lower))
        };
        let found: Vec<&CatalogueEntry> = entries.iter().filter(fits).collect();
        match found[..] {
            [only] => Ok(only.clone()),
            [] => {
                let remedy = "ratchet package list; then give a version or at least 6 digits of a SHA-256";
                Err(Failure::operator(
                    "no-such-package",
                    format!("no package in the catalogue fits `{key}`"),
                    remedy,
                ))
            }
            _ => {
                let names: Vec<String> = found
                    .iter()
                    .map(|entry| format!("{} ({})", entry.package.sha256.short(), entry.package))
                    .collect();
                let message = format!("`{key}` could be any of {}", names.join(", "));
                Err(Failure::operator("ambiguous-package", message, "give the SHA-256"))
            }
        }
    }
}

/// Version, operating system and architecture: what the operator says, else what the file's name says.
fn name_of(description: &Description) -> Result<PackageName, Failure> {
    let invalid = |what: &str, error: &(dyn std::error::Error + 'static)| {
        Failure::operator("usage", format!("the package's {what} cannot be used"), "correct the option")
            .because(chain(error))
    };
    let named = parse_file_name(&description.location);
    let version = match (&description.version, &named) {
        (Some(version), _) => version.parse().map_err(|error| invalid("version", &error))?,
        (None, Ok(name)) => name.version,
        (None, Err(error)) => return Err(unnamed(error)),
    };
    let os = match (&description.os, &named) {
        (Some(os), _) => proto::OsToken(os.clone()),
        (None, Ok(name)) => name.os.clone(),
        (None, Err(error)) => return Err(unnamed(error)),
    };
    let arch = match (&description.arch, &named) {
        (Some(arch), _) => arch.parse().map_err(|error| invalid("architecture", &error))?,
        (None, Ok(name)) => name.arch,
        (None, Err(error)) => return Err(unnamed(error)),
    };
    Ok(PackageName { version, os, arch })
}

fn unnamed(error: &(dyn std::error::Error + 'static)) -> Failure {
    let remedy = "ratchet package add FILE|URL --version X.Y.Z-B --os TOKEN --arch amd64|arm64";
    Failure::operator("usage", "the file's name does not tell what package it is", remedy)
        .because(chain(error))
}

fn expect(expected: &str, bytes: &Bytes, location: &str) -> Result<(), Failure> {
    let expected: Sha256 = expected.parse().map_err(|error: proto::InvalidDigest| {
        Failure::operator("usage", "--sha256 cannot be used", "give 64 hex digits").because(error.to_string())
    })?;
    if expected == bytes.sha256 {
        return Ok(());
    }
    let location = shown_url(location);
    let message = format!("{location} has the SHA-256 {}, not {expected}", bytes.sha256);
    Err(Failure::operator(
        "digest-mismatch",
        message,
        "download it again, from the vendor; if it stays, do not use it",
    ))
}

/// Reads an archive once, wherever it is, and says how nodes are to find it.
async fn read(location: &str) -> Result<(String, Bytes), Failure> {
    if location.starts_with("http://") || location.starts_with("https://") {
        return Ok((location.to_owned(), read_url(location).await?));
    }
    let path = location.strip_prefix("file://").unwrap_or(location);
    let unreadable = |error: std::io::Error| {
        Failure::operator(
            "unreadable-package",
            format!("{path} cannot be read"),
            "name a file that exists, or a URL",
        )
        .because(error.to_string())
    };
    let path = Path::new(path).canonicalize().map_err(unreadable)?;
    let file = tokio::fs::File::open(&path).await.map_err(unreadable)?;
    let bytes = digest(file_chunks(file)).await.map_err(unreadable)?;
    Ok((format!("file://{}", path.display()), bytes))
}

fn file_chunks(file: tokio::fs::File) -> impl Stream<Item = std::io::Result<Vec<u8>>> {
    futures::stream::unfold(file, |mut file| async {
        let mut chunk = vec![0; 1 << 20];
        match file.read(&mut chunk).await {
            Ok(0) => None,
            Ok(length) => {
                chunk.truncate(length);
                Some((Ok(chunk), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    })
}

async fn read_url(url: &str) -> Result<Bytes, Failure> {
    let shown = shown_url(url);
    // A mirror may send one on to a URL that is signed for the moment.
    let unreadable = |error: reqwest::Error| {
        let remedy = format!("curl -fI '{shown}'   # from this machine");
        Failure::operator("unreadable-package", format!("{shown} cannot be downloaded"), remedy)
            .because(chain(&error.without_url()))
    };
    let client = reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(10))
        .read_timeout(std::time::Duration::from_secs(60))
        .build()
        .map_err(unreadable)?;
    let response = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let stream = response.map_err(unreadable)?.bytes_stream();
    let stream = stream.map(|chunk| chunk.map_err(|error| std::io::Error::other(error.without_url())));
    digest(stream).await.map_err(|error| {
        Failure::retry("unreadable-package", format!("the download of {shown} broke off"))
            .because(chain(&error))
    })
}

async fn digest<T: AsRef<[u8]>>(chunks: impl Stream<Item = std::io::Result<T>>) -> std::io::Result<Bytes> {
    use sha2::Digest;
    let mut chunks = std::pin::pin!(chunks);
    let (mut sha256, mut md5, mut size) = (sha2::Sha256::new(), md5::Md5::new(), 0_u64);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        sha256.update(chunk.as_ref());
        md5.update(chunk.as_ref());
        size += chunk.as_ref().len() as u64;
    }
    let md5: String = md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let sha256: [u8; 32] = sha256.finalize().into();
    Ok(Bytes { sha256: sha256.into(), md5, size })
}

/// A package, and what the fleet owner says of it.
fn package_row(entry: &CatalogueEntry, owner: Result<String, String>) -> PackageRow {
    let package = &entry.package;
    PackageRow {
        sha256: package.sha256.to_string(),
        version: package.version.to_string(),
        os: package.os.to_string(),
        arch: package.arch.to_string(),
        size: package.size,
        sources: package.sources.iter().map(|source| shown_url(source)).collect(),
        origin: match entry.origin {
            Origin::Config => "configuration".to_owned(),
            Origin::Store => "catalogue".to_owned(),
        },
        vendor_checksum: entry.verdict.to_string(),
        owner_catalogue: owner.unwrap_or_else(|cause| cause),
        added_at: entry.added_at,
        added_by: entry.added_by.clone(),
    }
}
