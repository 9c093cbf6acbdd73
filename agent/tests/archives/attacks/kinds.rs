//! What is neither a plain file nor a directory, and files with more rights than that.

use super::Attack;
use crate::forge::{Head, Tar};

pub fn attacks(outside: &str) -> Vec<Attack> {
    let mut all = links(outside);
    all.extend(types());
    all.extend(bits());
    all
}

fn link(path: &str, kind: u8, target: &str) -> Head {
    let mut head = Head::new(path.as_bytes(), kind, 0);
    head.put(157, target.as_bytes());
    head
}

fn links(outside: &str) -> Vec<Attack> {
    let (symbolic, hard) = ("but a symbolic link", "but a hard link");
    let secret = format!("{outside}/secret");
    let head = |name, kind, target: &str, says| Attack::head(name, "link", says, &link("link", kind, target));
    vec![
        head("symlink-out", b'2', &secret, symbolic),
        head("symlink-up", b'2', "../../outside/secret", symbolic),
        head("symlink-inside", b'2', "install.sh", symbolic),
        head("symlink-to-tree", b'2', ".", symbolic),
        head("hard-link-out", b'1', &secret, hard),
        head("hard-link-up", b'1', "../../../outside/secret", hard),
        head("hard-link-inside", b'1', "install.sh", hard),
        head("target-of-a-file", b'0', &secret, "none: the target of a link"),
        Attack::more("write-through-symlink", "d", symbolic, |tar| {
            tar.add(&link("d", b'2', outside), b"").file("d/evil", b"evil");
        }),
        Attack::whole("symlink-first", "install.sh", symbolic, {
            Tar::default().add(&link("install.sh", b'2', &secret), b"").file("install.sh", b"evil").ended()
        }),
        Attack::more("long-link-target", "././@LongLink", "but the target of a link", |tar| {
            tar.add(&Head::new(b"././@LongLink", b'K', 5), b"evil\0").add(&link("l", b'2', "evil"), b"");
        }),
    ]
}

fn types() -> Vec<Attack> {
    let of = |name, kind: u8, says| {
        let mut head = Head::new(b"dev/evil", kind, 0);
        head.put(329, b"0000001\0").put(337, b"0000003\0");
        Attack::head(name, "dev/evil", says, &head)
    };
    vec![
        of("character-device", b'3', "but a character device"),
        of("block-device", b'4', "but a block device"),
        of("fifo", b'6', "but a fifo"),
        of("contiguous", b'7', "but a contiguous file"),
        of("sparse", b'S', "but a sparse file"),
        of("volume", b'V', "but the name of a volume"),
        of("other-volume", b'M', "but the rest of a file from another volume"),
        of("list-of-names", b'D', "but a directory with a list of names"),
        of("solaris-header", b'X', "but an extended header of another format"),
        of("unknown-type", b'Z', "but of the unknown type Z"),
        of("unprintable-type", 0x9b, "but of the unknown type \\x9b"),
        sparse_bomb(),
    ]
}

/// 5 GiB of holes, one byte of content.
fn sparse_bomb() -> Attack {
    let mut head = Head::new(b"sparse", b'S', 1);
    head.put(386, b"50000000000\0").put(398, b"00000000001\0").put(483, b"50000000001\0");
    Attack::more("sparse-bomb", "sparse", "but a sparse file", |tar| {
        tar.add(&head, b"x");
    })
}

fn bits() -> Vec<Attack> {
    let special = "setuid, setgid and sticky bits are not allowed";
    let file = |name, mode, says| Attack::head(name, "tool", says, Head::file("tool", b"").mode(mode));
    vec![
        file("setuid", 0o4755, special),
        file("setgid", 0o2755, special),
        file("sticky", 0o1644, special),
        file("all-bits", 0o107_777, special),
        Attack::head("setuid-directory", "dir/", special, Head::dir("dir/").mode(0o6755)),
        file("mode-of-a-link", 0o120_777, "which is one of something else"),
        file("mode-of-a-directory", 0o040_755, "which is one of something else"),
        file("mode-of-nothing", 0o777_777, "has a mode in its header that is not a plain number"),
    ]
}
