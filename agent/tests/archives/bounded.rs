//! However long a hostile archive is, little of it is read.

use std::cell::Cell;
use std::io::{self, Read, repeat};

use agent::package::{Limits, survey};
use flate2::Compression;
use flate2::read::GzEncoder;

use crate::forge::{Head, Tar, gzip, record};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// What is read at once, and so what may be read too much.
const AHEAD: u64 = 512 * KIB;

struct Counting<'a, R> {
    inner: R,
    count: &'a Cell<u64>,
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// The same archive forever, each round with its number in it.
struct Endless<F> {
    round: F,
    number: u64,
    bytes: io::Cursor<Vec<u8>>,
}

fn endless<F: FnMut(u64) -> Vec<u8>>(round: F) -> Endless<F> {
    Endless { round, number: 0, bytes: io::Cursor::default() }
}

impl<F: FnMut(u64) -> Vec<u8>> Read for Endless<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        if read > 0 {
            return Ok(read);
        }
        self.bytes = io::Cursor::new((self.round)(self.number));
        self.number += 1;
        self.bytes.read(buffer)
    }
}

/// Refused for this, after no more than so many bytes.
fn refused(reader: impl Read, limits: Limits, says: &str, most: u64) {
    let count = Cell::new(0);
    let error = survey(Counting { inner: reader, count: &count }, limits).unwrap_err();
    let said = agent::failures::chain(&error);
    assert!(said.contains(says), "{said}");
    assert!(count.get() <= most, "{says}: {} bytes were read; {most} are enough", count.get());
}

#[test]
fn endless_zeros_are_an_archive_with_too_much_behind_it() {
    refused(repeat(0), Limits::default(), "bytes of padding", MIB + AHEAD);
    let behind = io::Cursor::new(gzip(&Tar::good().ended())).chain(repeat(0));
    refused(behind, Limits::default(), "bytes of padding", MIB + AHEAD);
    let zeros = GzEncoder::new(repeat(0), Compression::fast());
    refused(zeros, Limits::default(), "bytes of padding", AHEAD);
}

#[test]
fn endless_entries_end_at_their_number() {
    let limits = Limits { entries: 1000, ..Limits::default() };
    let says = "one more than the 1000 entries";
    let files = endless(|number| Tar::default().file(&format!("{number}"), b"").bytes());
    refused(files, limits, says, 1001 * 512 + AHEAD);
    let headers = endless(|_| Tar::default().pax_raw(b'g', &record("comment", b"x")).bytes());
    refused(headers, limits, says, 1001 * KIB + AHEAD);
    let same_directory = endless(|_| Tar::default().add(&Head::dir("d/"), b"").bytes());
    refused(same_directory, limits, says, 1001 * 512 + AHEAD);
}

#[test]
fn what_is_claimed_is_not_waited_for() {
    let claims = |kind, size: u64| {
        let mut head = Head::new(b"claim", kind, 0);
        head.put(124, &[&[0x80, 0, 0, 0][..], &size.to_be_bytes()].concat());
        if kind == b'x' {
            head.posix();
        }
        io::Cursor::new(head.sealed()).chain(repeat(b'x'))
    };
    refused(claims(b'0', 1 << 60), Limits::default(), "allowed for one file", AHEAD);
    refused(claims(b'L', 1 << 60), Limits::default(), "extended header of", AHEAD);
    refused(claims(b'x', 65 * KIB), Limits::default(), "extended header of", AHEAD);
    refused(claims(b'5', 1 << 60), Limits::default(), "is a directory with", AHEAD);
    let limits = Limits { bytes: MIB, ..Limits::default() };
    refused(claims(b'0', 2 * MIB), limits, "allowed in all", AHEAD);
}

#[test]
fn endless_content_ends_at_the_limit() {
    let limits = Limits { bytes: 4 * MIB, ..Limits::default() };
    let files = endless(|number| Tar::default().file(&format!("{number}"), &vec![b'x'; 100_000]).bytes());
    refused(files, limits, "4194304 bytes allowed in all", 4 * MIB + AHEAD);
    let many_headers =
        endless(|_| Tar::default().pax_raw(b'g', &record("comment", &vec![b'x'; 60_000])).bytes());
    refused(many_headers, limits, "4194304 bytes allowed in all", 4 * MIB + AHEAD);
}

#[test]
fn bombs_are_seen_while_they_go_off() {
    let limits = Limits { unjudged: MIB, ..Limits::default() };
    let tar = io::Cursor::new(Head::new(b"bomb", b'0', 8_000_000_000).sealed()).chain(repeat(0));
    refused(GzEncoder::new(tar, Compression::best()), limits, "compressed more than 100 times", AHEAD);
}

#[test]
fn endless_headers_of_gzip_are_not_kept() {
    for flags in [0b1000, 0b1_0000] {
        let name = io::Cursor::new([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]).chain(repeat(b'x'));
        refused(name, Limits::default(), "cannot be read further", AHEAD);
    }
}

#[test]
fn noise_is_no_archive() {
    refused(repeat(0xff), Limits::default(), "does not begin with the header", AHEAD);
    refused(io::empty(), Limits::default(), "no whole end mark", 0);
}
