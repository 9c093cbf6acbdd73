//! The vendor's public key in a file: which keys are in it, by fingerprint. Pure. What is handed to other programs is put
//! together anew from the packets of the one key that is believed, so that nothing else in the file reaches them.

use data_encoding::BASE64;
use sha1::{Digest, Sha1};

use crate::config::Fingerprint;

/// A key's file is a few KiB.
pub const MOST: u64 = 1 << 20;

const PUBLIC_KEY: u8 = 6;
const PUBLIC_SUBKEY: u8 = 14;
const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// One packet: what it is, and all of its bytes.
#[derive(Clone, Copy, Debug)]
struct Packet<'a> {
    tag: u8,
    whole: &'a [u8],
    body: &'a [u8],
}

/// The key of a fingerprint, as a keyring for `gpgv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorKey {
    whole: Vec<u8>,
    primary: Vec<u8>,
}

impl VendorKey {
    /// The key with a fingerprint among those in a file, armoured or not.
    ///
    /// # Errors
    /// What there is instead.
    pub fn find(file: &[u8], fingerprint: &Fingerprint) -> Result<Self, String> {
        let bytes = dearmored(file)?;
        let (mut whole, mut primary, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let (mut wanted, mut in_subkey) = (false, false);
        for packet in packets(&bytes)? {
            if packet.tag == PUBLIC_KEY {
                let own = fingerprint_of(packet.body).ok_or("it holds a key that is not of version 4")?;
                wanted = own == *fingerprint;
                in_subkey = false;
                if wanted && !whole.is_empty() {
                    return Err(format!("it holds key {fingerprint} twice"));
                }
                if !wanted {
                    others.push(own.to_string());
                }
            }
            in_subkey |= packet.tag == PUBLIC_SUBKEY;
            if wanted {
                whole.extend_from_slice(packet.whole);
                if !in_subkey {
                    primary.extend_from_slice(packet.whole);
                }
            }
        }
        match (whole.is_empty(), others.is_empty()) {
            (false, _) => Ok(Self { whole, primary }),
            (true, false) => Err(format!("it holds key {}, and {fingerprint} is pinned", others.join(", "))),
            (true, true) => Err("it holds no key".to_owned()),
        }
    }

    /// The key with its subkeys. `gpgv` looks at their bindings.
    pub fn keyring(&self) -> &[u8] {
        &self.whole
    }

    /// The key without subkeys, armoured as `rpmkeys` wants it. Older ones believe a subkey that nobody has bound to the
    /// key (CVE-2021-3521).
    pub fn armoured(&self) -> String {
        let text = BASE64.encode(&self.primary);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let sum = BASE64.encode(&crc24(&self.primary).to_be_bytes()[1..]);
        format!("{BEGIN}\n\n{}\n={sum}\n{END}\n", lines.join("\n"))
    }
}

/// A key of version 4 is named by the SHA-1 of its packet (RFC 9580 §5.5.4.2).
fn fingerprint_of(body: &[u8]) -> Option<Fingerprint> {
    if body.first() != Some(&4) {
        return None;
    }
    let mut hash = Sha1::new();
    hash.update([0x99]);
    hash.update(u16::try_from(body.len()).ok()?.to_be_bytes());
    hash.update(body);
    Fingerprint::parse(&data_encoding::HEXUPPER.encode(&hash.finalize()))
}

/// The bytes of a file that may be armoured. Only the first block counts, as with the tools.
fn dearmored(file: &[u8]) -> Result<Vec<u8>, String> {
    let text = match std::str::from_utf8(file) {
        Ok(text) if text.contains(BEGIN) => text,
        _ => return Ok(file.to_vec()),
    };
    let inside = text.split(BEGIN).nth(1).and_then(|rest| rest.split(END).next()).unwrap_or_default();
    // Headers, if any, end with an empty line.
    let mut lines = inside.lines().skip(1).map(str::trim).skip_while(|line| line.contains(": "));
    let first = lines.next().unwrap_or_default();
    let lines = std::iter::once(first).chain(lines).filter(|line| !line.is_empty() && !line.starts_with('='));
    BASE64.decode(lines.collect::<String>().as_bytes()).map_err(|_| "its armour is damaged".to_owned())
}

fn packets(mut bytes: &[u8]) -> Result<Vec<Packet<'_>>, String> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let packet = packet(bytes).ok_or("it is no OpenPGP key, or is damaged")?;
        bytes = &bytes[packet.whole.len()..];
        packets.push(packet);
    }
    Ok(packets)
}

/// RFC 9580 §4.2; lengths that are not known at the start belong to messages, not to keys.
fn packet(bytes: &[u8]) -> Option<Packet<'_>> {
    let first = *bytes.first()?;
    let at = |index: usize| bytes.get(index).copied().map(usize::from);
    let number = |from: usize, to: usize| {
        bytes.get(from..to).map(|part| part.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    let (tag, header, length) = match (first & 0x80 != 0, first & 0x40 != 0) {
        (false, _) => return None,
        (true, false) => {
            let width = match first & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => return None,
            };
            ((first >> 2) & 0x0f, 1 + width, number(1, 1 + width)?)
        }
        (true, true) => match at(1)? {
            one @ 0..=191 => (first & 0x3f, 2, one),
            one @ 192..=223 => (first & 0x3f, 3, ((one - 192) << 8) + at(2)? + 192),
            255 => (first & 0x3f, 6, number(2, 6)?),
            _ => return None,
        },
    };
    let whole = bytes.get(..header.checked_add(length)?)?;
    Some(Packet { tag, whole, body: &whole[header..] })
}

fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 16), |crc, _| {
            let shifted = crc << 1;
            if shifted & 0x0100_0000 == 0 { shifted } else { shifted ^ 0x0186_4cfb }
        })
    }) & 0x00ff_ffff
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pinned() -> Fingerprint {
        Fingerprint::parse("5E8EFA2409E5C44FB529BE20EC5EC593D7D1529F").unwrap()
    }

    /// A packet with a tag, in the old form.
    fn made(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[0x80 | tag << 2, u8::try_from(body.len()).unwrap()][..], body].concat()
    }

    #[test]
    fn only_the_packets_of_the_pinned_key_are_handed_on() {
        let (own, foreign) = (made(6, b"\x04own"), made(6, b"\x04foreign"));
        let fingerprint = fingerprint_of(b"\x04own").unwrap();
        let (user, subkey, binding) = (made(13, b"somebody"), made(14, b"\x04sub"), made(2, b"sig"));
        let file = [&foreign[..], &user, &own, &user, &subkey, &binding, &foreign, &subkey].concat();
        let key = VendorKey::find(&file, &fingerprint).unwrap();
        assert_eq!(key.keyring(), [&own[..], &user, &subkey, &binding].concat());
        assert_eq!(dearmored(key.armoured().as_bytes()).unwrap(), [&own[..], &user].concat());
        assert!(VendorKey::find(&file, &pinned()).unwrap_err().contains("5E8EFA"));
        assert!(VendorKey::find(&[&own[..], &own].concat(), &fingerprint).unwrap_err().contains("twice"));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for file in
            [&b""[..], b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"junk", b"\x99\xff\xff\x04", b"\x9b\x04"]
        {
            VendorKey::find(file, &pinned()).unwrap_err();
        }
        VendorKey::find(&made(6, b"\x03old"), &pinned()).unwrap_err();
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ended = VendorKey::find(&bytes, &pinned());
            let _armoured = VendorKey::find(&[BEGIN.as_bytes(), b"\n", &bytes].concat(), &pinned());
        }
    }
}
