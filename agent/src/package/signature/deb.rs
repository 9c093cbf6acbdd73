//! A Debian package's signature: the member `_gpgbuilder`, a signed list of the others (fact sheet §1.6).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use data_encoding::HEXLOWER;
use md5::Md5;
use sha1::{Digest, Sha1};

use super::ar::{self, Member};
use super::key::VendorKey;
use super::list::{self, Sums};
use super::policy::Seen;
use super::programs::{Programs, run};
use super::{Job, status};
use crate::config::Fingerprint;

/// The member that `dpkg-sig` signs a package with.
const SIGNATURE: &str = "_gpgbuilder";
/// It lists three or four members.
const LONGEST: u64 = 64 << 10;

/// What can be seen of a Debian package's signature.
pub async fn look(file: &Path, key: &Result<VendorKey, String>, job: &Job<'_>) -> io::Result<Seen> {
    let package = file.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&package)).await;
    let (signed, found) = match read.map_err(io::Error::other)?? {
        Ok(whole) => whole,
        Err(seen) => return Ok(seen),
    };
    let Programs { gpgv, .. } = job.programs;
    if !gpgv.exists() {
        return Ok(Seen::NoProgram(format!("there is no {} on this node", gpgv.display())));
    }
    let key = match key {
        Ok(key) => key,
        Err(seen) => return Ok(no_key(seen, job.key_is_there)),
    };
    Ok(match verified(&signed, key, &job.trust.vendor_fingerprint, job).await? {
        Ok(text) => match list::parse(&text).and_then(|listed| list::compare(&listed, &found)) {
            Ok(()) => Seen::Good(format!("signed by {}", job.trust.vendor_fingerprint)),
            Err(cause) => Seen::Wrong(cause),
        },
        Err(cause) => Seen::Wrong(cause),
    })
}

/// A package that is signed, with somebody else's key beside it, is not the vendor's; without any key nobody knows.
pub(super) fn no_key(cause: &str, is_there: bool) -> Seen {
    if is_there { Seen::Wrong(cause.to_owned()) } else { Seen::Unknown(cause.to_owned()) }
}

/// The signed list, and the sums of all other members.
type Signed = (Vec<u8>, BTreeMap<String, Sums>);

/// Reads a package. Blocks: it reads every byte.
fn read(path: &Path) -> io::Result<Result<Signed, Seen>> {
    let mut file = File::open(path)?;
    let members = match ar::members(&mut file) {
        Ok(members) => members,
        Err(ar::ArError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        Err(error) => return Ok(Err(Seen::Unknown(format!("it is no Debian package: {error}")))),
    };
    let Some(signature) = members.iter().find(|member| member.name == SIGNATURE) else {
        let other = members.iter().find(|member| member.name.starts_with("_gpg"));
        let beside = other.map(|other| format!(", only {}", other.name)).unwrap_or_default();
        return Ok(Err(Seen::Unsigned(format!("it has no member {SIGNATURE}{beside}"))));
    };
    if signature.size > LONGEST {
        return Ok(Err(Seen::Wrong(format!("its member {SIGNATURE} has {} bytes", signature.size))));
    }
    let mut signed = Vec::new();
    bytes_of(&mut file, signature)?.read_to_end(&mut signed)?;
    let mut found = BTreeMap::new();
    for member in members.iter().filter(|member| member.name != SIGNATURE) {
        found.insert(member.name.clone(), sums(&mut file, member)?);
    }
    Ok(Ok((signed, found)))
}

pub(super) fn bytes_of<'a>(file: &'a mut File, member: &Member) -> io::Result<io::Take<&'a mut File>> {
    file.seek(SeekFrom::Start(member.offset))?;
    Ok(file.take(member.size))
}

fn sums(file: &mut File, member: &Member) -> io::Result<Sums> {
    let mut content = bytes_of(file, member)?;
    let (mut md5, mut sha1) = (Md5::new(), Sha1::new());
    let (mut buffer, mut size) = (vec![0; 256 << 10], 0);
    loop {
        let read = content.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        md5.update(&buffer[..read]);
        sha1.update(&buffer[..read]);
        size += read as u64;
    }
    Ok(Sums { md5: HEXLOWER.encode(&md5.finalize()), sha1: HEXLOWER.encode(&sha1.finalize()), size })
}

/// The text that is signed, as the program that verified it read it: there is no second reader of the same message.
async fn verified(
    signed: &[u8],
    key: &VendorKey,
    fingerprint: &Fingerprint,
    job: &Job<'_>,
) -> io::Result<Result<String, String>> {
    let at = |name: &str| job.scratch.join(name);
    let (keyring, message, text) = (at("keyring.gpg"), at("signed"), at("text"));
    std::fs::write(&keyring, key.keyring())?;
    std::fs::write(&message, signed)?;
    crate::durable::remove(&text).map_err(io::Error::other)?;
    let arguments = [
        "--homedir".into(),
        job.scratch.into(),
        "--status-fd".into(),
        "1".into(),
        "--keyring".into(),
        keyring.into(),
        "--output".into(),
        text.clone().into(),
        "--".into(),
        message.into(),
    ];
    let said = run(&job.programs.gpgv, arguments).await;
    if let Err(cause) = status::judge(&said.stdout, fingerprint) {
        return Ok(Err(cause));
    }
    if !said.well {
        return Ok(Err(said.ending));
    }
    Ok(std::fs::read_to_string(&text).map_err(|error| format!("gpgv gave no text: {error}")))
}
