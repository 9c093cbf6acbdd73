//! Makes archives byte by byte, also such as no program would make.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

pub const VERSION: &str = "7.4.6-22";
pub const DEB: &str = "redislabs_7.4.6-22~jammy_amd64.deb";

/// One header under construction.
#[derive(Clone, Debug)]
pub struct Head {
    block: [u8; 512],
}

impl Head {
    /// A header of GNU's dialect.
    pub fn new(name: &[u8], kind: u8, size: u64) -> Self {
        let mut head = Self { block: [0; 512] };
        let short = name.len().min(100);
        head.put(0, &name[..short]).mode(0o644);
        head.put(108, b"0000000\0").put(116, b"0000000\0").put(136, b"14557100400\0");
        head.put(124, format!("{size:011o}\0").as_bytes()).put(257, b"ustar  \0");
        head.block[156] = kind;
        head
    }

    pub fn file(name: &str, content: &[u8]) -> Self {
        Self::new(name.as_bytes(), b'0', content.len() as u64)
    }

    pub fn dir(name: &str) -> Self {
        let mut head = Self::new(name.as_bytes(), b'5', 0);
        head.mode(0o755);
        head
    }

    pub fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.block[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.put(100, format!("{mode:07o}\0").as_bytes())
    }

    pub fn posix(&mut self) -> &mut Self {
        self.put(257, b"ustar\x0000")
    }

    pub fn v7(&mut self) -> &mut Self {
        self.put(257, &[0; 8])
    }

    /// With the right checksum.
    pub fn sealed(&self) -> [u8; 512] {
        seal(self.block, i64::from)
    }

    /// With the checksum that machines with signed bytes reckon.
    pub fn sealed_signed(&self) -> [u8; 512] {
        seal(self.block, |byte| i64::from(byte.cast_signed()))
    }
}

/// Gives a header the checksum that belongs to it.
pub fn seal(mut block: [u8; 512], worth: fn(u8) -> i64) -> [u8; 512] {
    block[148..156].copy_from_slice(b"        ");
    let sum: i64 = block.iter().map(|&byte| worth(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// An archive under construction.
#[derive(Clone, Debug, Default)]
pub struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    /// What a package begins with; no end mark yet.
    pub fn good() -> Self {
        let mut tar = Self::default();
        tar.add(&Head::dir("./"), b"");
        tar.add(Head::file("./install.sh", b"#!/bin/sh\n").mode(0o755), b"#!/bin/sh\n");
        tar.file(DEB, b"deb").file("rlec_upgrade_tmpdir/checks.py", b"py");
        tar
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    /// A content and the zeros behind it.
    pub fn content(&mut self, content: &[u8]) -> &mut Self {
        self.raw(content).raw(&vec![0; content.len().next_multiple_of(512) - content.len()])
    }

    pub fn add(&mut self, head: &Head, content: &[u8]) -> &mut Self {
        self.raw(&head.sealed()).content(content)
    }

    pub fn file(&mut self, name: &str, content: &[u8]) -> &mut Self {
        self.add(&Head::file(name, content), content)
    }

    /// A POSIX extended header with these records.
    pub fn pax(&mut self, records: &[(&str, &str)]) -> &mut Self {
        let records: Vec<u8> =
            records.iter().flat_map(|(key, value)| record(key, value.as_bytes())).collect();
        self.pax_raw(b'x', &records)
    }

    pub fn pax_raw(&mut self, kind: u8, records: &[u8]) -> &mut Self {
        let mut head = Head::new(b"././@PaxHeader", kind, records.len() as u64);
        self.add(head.posix(), records)
    }

    /// GNU's header for a long name.
    pub fn long_name(&mut self, name: &[u8]) -> &mut Self {
        self.add(&Head::new(b"././@LongLink", b'L', name.len() as u64), name)
    }

    /// A file of the POSIX dialect.
    pub fn posix_file(&mut self, name: &str, content: &[u8]) -> &mut Self {
        self.add(Head::file(name, content).posix(), content)
    }

    /// The bytes so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// The bytes with an end mark.
    pub fn ended(&self) -> Vec<u8> {
        [&self.bytes[..], &[0; 1024]].concat()
    }
}

/// One record of a POSIX extended header.
pub fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [format!(" {key}=").as_bytes(), value, b"\n"].concat();
    let length = (rest.len()..).find(|all| all.to_string().len() + rest.len() == *all).unwrap();
    [length.to_string().as_bytes(), &rest].concat()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(bytes).unwrap();
    zipped.finish().unwrap()
}
