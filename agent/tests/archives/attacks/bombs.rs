//! Little that becomes much.

use super::Attack;
use crate::forge::{Head, Tar, gzip, record};

const MIB: u64 = 1 << 20;

pub fn attacks() -> Vec<Attack> {
    vec![
        ratio(),
        bytes(),
        compressed_bytes(),
        claimed(),
        file_bytes(),
        entries(),
        nested(),
        headers(),
        long_names(),
    ]
}

fn zeros(count: u64) -> Tar {
    let mut tar = Tar::good();
    tar.file("zeros", &vec![0; usize::try_from(count).unwrap()]);
    tar
}

fn ratio() -> Attack {
    let bomb = gzip(&zeros(4 * MIB).ended());
    let attack = Attack::whole("ratio", "zeros", "is compressed more than 20 times", bomb);
    attack.limited(|limits| (limits.ratio, limits.unjudged) = (20, MIB))
}

fn bytes() -> Attack {
    let attack =
        Attack::whole("bytes", "zeros", "exceeds the 1000000 bytes allowed in all", zeros(MIB).ended());
    attack.limited(|limits| limits.bytes = 1_000_000)
}

fn compressed_bytes() -> Attack {
    let bomb = gzip(&zeros(MIB).ended());
    let attack = Attack::whole("compressed-bytes", "zeros", "exceeds the 1000000 bytes allowed in all", bomb);
    attack.limited(|limits| limits.bytes = 1_000_000)
}

/// Refused for what it says, before there is any of it.
fn claimed() -> Attack {
    let says = "exceeds the 8589934592 bytes allowed for one file";
    let size = [&[0x80, 0, 0, 0][..], &(1_u64 << 40).to_be_bytes()].concat();
    Attack::head("claimed-bytes", "zeros", says, Head::file("zeros", b"").put(124, &size))
}

fn file_bytes() -> Attack {
    let says = "exceeds the 1000 bytes allowed for one file";
    let attack = Attack::whole("file-bytes", "zeros", says, zeros(1001).ended());
    attack.limited(|limits| limits.file_bytes = 1000)
}

fn entries() -> Attack {
    let mut tar = Tar::good();
    for number in 0..1000 {
        tar.file(&format!("many/{number}"), b"");
    }
    let says = "is one more than the 500 entries allowed";
    Attack::whole("entries", "many/495", says, tar.ended()).limited(|limits| limits.entries = 500)
}

/// Each name brings thirty directories.
fn nested() -> Attack {
    let mut tar = Tar::good();
    for number in 0..40 {
        tar.file(&format!("{number}/{}f", "d/".repeat(30)), b"");
    }
    let says = "is one more than the 500 entries allowed";
    Attack::whole("directories", "15/d/", says, tar.ended()).limited(|limits| limits.entries = 500)
}

/// Headers that are no entries count, too.
fn headers() -> Attack {
    let mut tar = Tar::good();
    for _ in 0..1000 {
        tar.pax_raw(b'g', &record("comment", b"x"));
    }
    let says = "is one more than the 500 entries allowed";
    let attack = Attack::whole("global-headers", "././@PaxHeader", says, tar.ended());
    attack.limited(|limits| limits.entries = 500)
}

fn long_names() -> Attack {
    let mut tar = Tar::good();
    for number in 0..1000 {
        tar.long_name(format!("many/{number}\0").as_bytes()).file("x", b"");
    }
    let says = "is one more than the 500 entries allowed";
    let attack = Attack::whole("long-names", "././@LongLink", says, tar.ended());
    attack.limited(|limits| limits.entries = 500)
}
