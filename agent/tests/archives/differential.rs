//! Whatever we let in, GNU tar and bsdtar unpack to the very same; what they cannot read, we do not let in.

use std::fs;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::extracted::{Tree, ours, tree};
use crate::forge::{Head, Tar, gzip, seal};
use crate::programs::{has_bsdtar, has_tar, run};

const GNU: (&str, &[&str]) = ("tar", &["--no-same-owner", "--no-same-permissions"]);
const BSD: (&str, &[&str]) =
    ("bsdtar", &["--no-same-owner", "--no-same-permissions", "--no-xattrs", "--no-acls", "--no-fflags"]);

/// How a name gets into an archive.
#[derive(Clone, Copy, Debug)]
enum Way {
    Old,
    Gnu,
    Posix,
    Prefix,
    LongName,
    Pax,
}

#[derive(Clone, Debug)]
enum Part {
    File { name: String, way: Way, mode: u32, size: usize },
    Directory { name: String, way: Way, mode: u32 },
}

/// What is done to the finished bytes.
#[derive(Clone, Debug)]
enum Damage {
    /// A byte of a header is another one, and the checksum is right again or not.
    Byte {
        block: usize,
        at: usize,
        byte: u8,
        sealed: bool,
    },
    /// A number of a header is another one.
    Number {
        block: usize,
        field: usize,
        text: &'static [u8],
    },
    /// A block occurs twice.
    Twice {
        block: usize,
    },
    /// A block is missing.
    Gone {
        block: usize,
    },
    Cut {
        left: usize,
    },
    Tail {
        bytes: Vec<u8>,
    },
}

fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        12 => "[a-d]{1,2}",
        3 => Just("ü b".to_owned()),
        3 => Just("install.sh".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just("n".repeat(120)),
        1 => prop::sample::select(vec!["", "..", "*?[x]", "-C", "@list", "%s", "a\tb", "a\\nb"]).prop_map(str::to_owned),
    ];
    (prop::bool::weighted(0.3), vec(part, 1..4))
        .prop_map(|(dot, parts)| format!("{}{}", if dot { "./" } else { "" }, parts.join("/")))
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(vec![Way::Old, Way::Gnu, Way::Posix, Way::Prefix, Way::LongName, Way::Pax])
}

fn mode() -> impl Strategy<Value = u32> {
    prop_oneof![8 => prop::sample::select(vec![0o644, 0o755, 0o600, 0o711]), 1 => 0_u32..0o1000]
}

fn part() -> impl Strategy<Value = Part> {
    let size = prop::sample::select(vec![0, 1, 511, 512, 513, 2000]);
    prop_oneof![
        5 => (name(), way(), mode(), size)
            .prop_map(|(name, way, mode, size)| Part::File { name, way, mode, size }),
        2 => (name(), way(), mode(), any::<bool>()).prop_map(|(name, way, mode, slash)| {
            Part::Directory { name: if slash { name + "/" } else { name }, way, mode }
        }),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    let texts: [&'static [u8]; 8] = [
        b"00000000000\0",
        b"00000001000\0",
        b"     000001 ",
        b"\x80\0\0\0\0\0\0\0\0\0\0\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"1           ",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
    ];
    let block = 0_usize..12;
    prop_oneof![
        6 => (block.clone(), 0_usize..512, any::<u8>(), prop::bool::weighted(0.9))
            .prop_map(|(block, at, byte, sealed)| Damage::Byte { block, at, byte, sealed }),
        3 => (block.clone(), prop::sample::select(vec![100, 108, 116, 124, 136, 156]), prop::sample::select(texts.to_vec()))
            .prop_map(|(block, field, text)| Damage::Number { block, field, text }),
        1 => block.clone().prop_map(|block| Damage::Twice { block }),
        1 => block.prop_map(|block| Damage::Gone { block }),
        1 => (0_usize..6000).prop_map(|left| Damage::Cut { left }),
        1 => vec(prop_oneof![9 => Just(0_u8), 1 => any::<u8>()], 0..600).prop_map(|bytes| Damage::Tail { bytes }),
    ]
}

fn add(tar: &mut Tar, part: &Part) {
    let (name, way, mode, kind, content) = match part {
        Part::File { name, way, mode, size } => (name, *way, *mode, b'0', vec![b'x'; *size]),
        Part::Directory { name, way, mode } => (name, *way, *mode, b'5', Vec::new()),
    };
    let mut head = Head::new(name.as_bytes(), kind, content.len() as u64);
    head.mode(mode);
    match way {
        Way::Gnu => {}
        Way::Posix => {
            head.posix();
        }
        // The first tar had neither types nor directories.
        Way::Old => {
            head.v7().put(156, if name.ends_with('/') || kind == b'0' { &[0] } else { b"5" });
        }
        Way::Prefix => {
            if let Some((above, below)) = name.split_once('/').filter(|(above, _)| above.len() < 155) {
                head = Head::new(below.as_bytes(), kind, content.len() as u64);
                head.posix().mode(mode).put(345, above.as_bytes());
            }
        }
        Way::LongName => {
            tar.long_name(format!("{name}\0").as_bytes());
        }
        Way::Pax => {
            tar.pax(&[("path", name.as_str()), ("mtime", "1795699057.5")]);
            head.posix();
        }
    }
    tar.add(&head, &content);
}

fn spoil(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    let blocks = bytes.len() / 512;
    let place = |block: usize| (block % blocks.max(1)) * 512;
    match damage {
        _ if blocks == 0 => {}
        Damage::Byte { block, at, byte, sealed } => {
            bytes[place(*block) + at] = *byte;
            if *sealed {
                reseal(&mut bytes, place(*block));
            }
        }
        Damage::Number { block, field, text } => {
            let width = if *field == 156 {
                1
            } else if *field < 124 {
                8
            } else {
                12
            };
            let at = place(*block);
            bytes[at + field..at + field + width].copy_from_slice(&text[..width]);
            reseal(&mut bytes, at);
        }
        Damage::Twice { block } => {
            let at = place(*block);
            let again = bytes[at..at + 512].to_vec();
            bytes.splice(at..at, again);
        }
        Damage::Gone { block } => {
            bytes.drain(place(*block)..place(*block) + 512);
        }
        Damage::Cut { left } => bytes.truncate(*left),
        Damage::Tail { bytes: tail } => bytes.extend(tail),
    }
    bytes
}

fn reseal(bytes: &mut [u8], at: usize) {
    let block: [u8; 512] = bytes[at..at + 512].try_into().unwrap();
    bytes[at..at + 512].copy_from_slice(&seal(block, i64::from));
}

/// What a program makes of it, or what it says.
fn theirs((program, options): (&str, &[&str]), bytes: &[u8]) -> Result<Tree, String> {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("x.tar"), bytes).unwrap();
    fs::create_dir(place.path().join("tree")).unwrap();
    let args = [&["-x", "-f", "x.tar", "-C", "tree"], options].concat();
    run(place.path(), program, &args)?;
    Ok(tree(&place.path().join("tree")))
}

/// Whether it was let in; if so, everybody makes the same of it.
fn compare(bytes: &[u8], with_bsdtar: bool) -> Result<bool, String> {
    let Ok(ours) = ours(bytes) else { return Ok(false) };
    for program in [GNU, BSD].into_iter().take(if with_bsdtar { 2 } else { 1 }) {
        let theirs = theirs(program, bytes)?;
        if theirs != ours {
            return Err(format!("{} makes {theirs:#?}, and we make {ours:#?}", program.0));
        }
    }
    Ok(true)
}

/// `ARCHIVE_ROUNDS` makes it longer.
fn explore(seed: u8, cases: u32, damaged: Range<usize>, least: u32) {
    let rounds = std::env::var("ARCHIVE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    (0..rounds.unwrap_or(1)).for_each(|round| explore_once([seed, round], cases, damaged.clone(), least));
}

fn explore_once(seed: [u8; 2], cases: u32, damaged: Range<usize>, least: u32) {
    let with_bsdtar = has_bsdtar();
    if !has_tar() {
        return;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.repeat(16));
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let accepted = std::cell::Cell::new(0);
    let result = TestRunner::new_with_rng(config, rng).run(
        &(vec(part(), 1..5), vec(damage(), damaged)),
        |(parts, damages)| {
            let mut tar = Tar::default();
            parts.iter().for_each(|part| add(&mut tar, part));
            let bytes = damages.iter().fold(tar.ended(), spoil);
            let is_in = compare(&bytes, with_bsdtar).map_err(TestCaseError::fail)?;
            accepted.set(accepted.get() + u32::from(is_in));
            Ok(())
        },
    );
    if let Err(TestError::Fail(why, case)) = result {
        panic!("{why}\n{case:#?}");
    }
    println!("{} of {cases} archives were let in", accepted.get());
    assert!(accepted.get() >= least, "only {} of {cases} were let in: nothing is compared", accepted.get());
}

#[test]
fn what_is_let_in_is_the_same_to_everybody() {
    explore(1, 250, 0..1, 120);
}

#[test]
fn what_is_let_in_although_it_is_damaged_is_the_same_to_everybody() {
    explore(2, 800, 1..4, 40);
}

#[test]
fn what_is_compressed_is_the_same_to_everybody() {
    if !has_tar() {
        return;
    }
    let zipped = gzip(&Tar::good().ended());
    for bytes in [Tar::good().ended(), zipped.clone(), [&zipped[..], &[0; 5000]].concat()] {
        assert!(compare(&bytes, has_bsdtar()).unwrap());
    }
}
