//! Archives that end too early, too late, or more than once; and what is around a compressed one.

use super::Attack;
use crate::forge::{Head, Tar, gzip};

const LAST: &str = "rlec_upgrade_tmpdir/checks.py";

pub fn attacks() -> Vec<Attack> {
    let mut all = early();
    all.extend(late());
    all.extend(compressed());
    all
}

fn early() -> Vec<Attack> {
    let good = Tar::good().bytes();
    let cut = |name, entry, says, add: &[u8]| Attack::whole(name, entry, says, [&good[..], add].concat());
    let head = Head::new(b"cut", b'0', 1000).sealed();
    let no_end = "no whole end mark of two blocks of zeros follows it";
    vec![
        cut("header-cut", "cut", "is cut off: 212 bytes are missing", &head[..300]),
        cut("content-missing", "cut", "is cut off: 1000 bytes are missing", &head),
        cut("content-cut", "cut", "is cut off: 999 bytes are missing", &[&head[..], b"x"].concat()),
        cut("padding-cut", "cut", "is cut off: 14 bytes are missing", &[&head[..], &[b'x'; 1010]].concat()),
        cut("no-end-mark", LAST, no_end, b""),
        cut("half-an-end-mark", LAST, no_end, &[0; 512]),
        cut("most-of-an-end-mark", LAST, no_end, &[0; 1023]),
        Attack::whole("pax-cut", "././@PaxHeader", "is cut off: 413 bytes are missing", {
            let mut pax = Tar::good();
            pax.pax(&[("comment", &"x".repeat(500))]);
            pax.bytes()[..good.len() + 612].to_vec()
        }),
        Attack::whole("empty", "number 1", "no whole end mark", Vec::new()),
    ]
}

fn late() -> Vec<Attack> {
    let after = "is the last one before the end mark, and more follows behind that";
    let late =
        |name, says, add: &[u8]| Attack::whole(name, LAST, says, [&Tar::good().ended()[..], add].concat());
    let mut between = Tar::good();
    between.raw(&[0; 512]).file("evil", b"evil");
    vec![
        late("noise-behind", after, b"appended"),
        late("one-byte-behind", after, &[&[0; 5000][..], b"x"].concat()),
        late("concatenated", after, &Tar::default().file("install.sh", b"evil").ended()),
        late("padding-without-end", "more than 1048576 bytes of padding follow", &vec![0; (1 << 20) + 600]),
        Attack::whole("single-zero-block", LAST, after, between.ended()),
    ]
}

fn compressed() -> Vec<Attack> {
    let good = gzip(&Tar::good().ended());
    let behind = "something follows behind the compressed archive";
    let with = |name, says, add: &[u8]| Attack::whole(name, LAST, says, [&good[..], add].concat());
    let mut wrong_sum = good.clone();
    let at = wrong_sum.len() - 8;
    wrong_sum[at] ^= 1;
    let unreadable = "the archive cannot be read further than to entry";
    vec![
        with("two-gzip-members", behind, &gzip(&Tar::default().file("install.sh", b"evil").ended())),
        with("empty-gzip-member", behind, &gzip(b"")),
        with("noise-behind-gzip", behind, b"x"),
        with("late-noise-behind-gzip", behind, &[&[0; 9000][..], b"x"].concat()),
        with("zeros-behind-gzip", "more than 1048576 bytes of padding", &vec![0; (1 << 20) + 600]),
        Attack::whole("gzip-in-gzip", "number 1", "is compressed once more", gzip(&good)),
        Attack::whole("gzip-cut", LAST, unreadable, good[..good.len() - 4].to_vec()),
        Attack::whole("gzip-sum", LAST, unreadable, wrong_sum),
        Attack::whole("gzip-end-before-tar", LAST, "no whole end mark", gzip(&Tar::good().bytes())),
        Attack::whole("gzip-header-only", "number 1", unreadable, good[..5].to_vec()),
    ]
}
