//! Headers that programs read differently, or that cannot be believed.

use super::Attack;
use crate::forge::Head;

pub fn attacks() -> Vec<Attack> {
    let mut all = numbers();
    all.extend(sums());
    all.extend(rests());
    all
}

fn with(name: &'static str, says: &'static str, at: usize, bytes: &[u8]) -> Attack {
    Attack::head(name, "evil", says, Head::file("evil", b"").put(at, bytes))
}

fn numbers() -> Vec<Attack> {
    let size = "has a size in its header that is not a plain number";
    let mode = "has a mode in its header that is not a plain number";
    let time = "has a time in its header that is not a plain number";
    let binary = |mark: u8, low: u64| [&[mark, 0, 0, 0][..], &low.to_be_bytes()].concat();
    vec![
        with("size-of-letters", size, 124, b"0000000000x\0"),
        with("size-decimal", size, 124, b"00000000009\0"),
        with("size-minus", size, 124, b"-0000000001\0"),
        with("size-plus", size, 124, b"+0000000001\0"),
        with("size-hex", size, 124, b"0x000000001\0"),
        with("size-base64", size, 124, b"+AAAAAAAAAE\0"),
        with("size-empty", size, 124, &[0; 12]),
        with("size-blank", size, 124, b"            "),
        with("size-twice", size, 124, b"0000\x000000200"),
        with("size-behind-nul", size, 124, b"\x0000000001000"),
        with("size-negative", size, 124, &[0xff; 12]),
        with("size-of-all-bits", size, 124, &binary(0x80, u64::MAX)),
        with("size-of-more-bits", size, 124, &[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        with("size-largest", "exceeds the 8589934592 bytes allowed", 124, &binary(0x80, i64::MAX as u64)),
        with("mode-of-letters", mode, 100, b"rwxr-xr\0"),
        with("mode-empty", mode, 100, &[0; 8]),
        with("user-of-letters", "has a user in its header that is", 108, b"root\0\0\0\0"),
        with("group-negative", "has a group in its header that is", 116, &[0xff; 8]),
        with("device-of-letters", "has a device in its header that is", 329, b"sda\0\0\0\0\0"),
        with("time-of-letters", time, 136, b"yesterday\0\0\0"),
        Attack::head(
            "directory-with-content",
            "d/",
            "is a directory with 512 bytes of content",
            Head::dir("d/").put(124, b"00000001000\0"),
        ),
    ]
}

fn sums() -> Vec<Attack> {
    let raw = |name, entry, says, bytes: [u8; 512]| {
        Attack::more(name, entry, says, |tar| {
            tar.raw(&bytes);
        })
    };
    let (mut one_off, mut none) = (Head::file("evil", b"").sealed(), Head::file("evil", b"").sealed());
    one_off[0] += 1;
    none[148..156].fill(0);
    vec![
        raw("sum-wrong", "fvil", "has a header with a wrong checksum", one_off),
        raw("sum-missing", "evil", "does not begin with the header of a tar archive", none),
        raw("noise", "\\xaa\\xaa", "does not begin with the header of a tar archive", [0xaa; 512]),
        raw(
            "sum-signed",
            "évil",
            "only programs with signed bytes accept",
            Head::file("évil", b"").sealed_signed(),
        ),
    ]
}

fn rests() -> Vec<Attack> {
    let none = "bytes in its header where there must be none";
    let posix = |at, bytes| {
        let mut head = Head::file("evil", b"");
        head.posix().put(at, bytes);
        head
    };
    let mut old = Head::file("evil", b"");
    old.v7().put(345, b"../..");
    vec![
        with("magic-unknown", "does not begin with the header of a tar archive", 257, b"USTAR\x0000"),
        with("magic-halved", "does not begin with the header of a tar archive", 257, b"ustar\0\0\0"),
        with("sparse-leftover", none, 386, b"00000000000\x0000000001000\0"),
        with("extended-sparse-leftover", none, 482, b"1"),
        with("real-size-leftover", none, 483, b"50000000000\0"),
        with("volume-leftover", none, 369, b"00000001000\0"),
        Attack::head("star-tail", "evil", none, &posix(508, b"tar\0")),
        Attack::head("old-with-prefix", "evil", none, &old),
    ]
}
