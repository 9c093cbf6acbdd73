//! Names that lead out, that cannot be shown, or that programs read in more than one way.

use super::Attack;
use crate::forge::{Head, Tar};

pub fn attacks(outside: &str) -> Vec<Attack> {
    let mut all = leading_out(outside);
    all.extend(unreadable());
    all.extend(large());
    all
}

fn file(name: &'static str, path: &[u8], entry: &str, says: &'static str) -> Attack {
    Attack::head(name, entry, says, &Head::new(path, b'0', 0))
}

fn leading_out(outside: &str) -> Vec<Attack> {
    let out = "leads out of the directory";
    let (evil, secret) = (format!("{outside}/evil"), format!("{outside}/secret"));
    let mut below_prefix = Head::file("evil", b"");
    below_prefix.posix().put(345, outside.as_bytes());
    let mut up_prefix = Head::file("evil", b"");
    up_prefix.posix().put(345, b"a/../..");
    vec![
        file("absolute", evil.as_bytes(), &evil, out),
        file("absolute-existing", secret.as_bytes(), &secret, out),
        file("slashes", b"//etc/evil", "//etc/evil", out),
        file("up", b"../evil", "../evil", out),
        file("up-later", b"a/../../evil", "a/../../evil", out),
        file("up-and-back", b"A/../a", "A/../a", out),
        file("up-at-the-end", b"a/..", "a/..", out),
        file("only-up", b"..", "..", out),
        Attack::head("up-as-directory", "../dir/", out, &Head::dir("../dir/")),
        Attack::head("absolute-by-prefix", &evil, out, &below_prefix),
        Attack::head("up-by-prefix", "a/../../evil", out, &up_prefix),
    ]
}

fn unreadable() -> Vec<Attack> {
    let control = "has control characters in its name";
    let behind = "bytes in its header where there must be none";
    let mut hidden_prefix = Head::file("f", b"");
    hidden_prefix.posix().put(345, b"a\0b");
    vec![
        file("not-utf8", b"bad\xff\xfename", "bad\\xff\\xfename", "has a name that is not UTF-8"),
        file("cut-utf8", b"bad\xc3", "bad\\xc3", "has a name that is not UTF-8"),
        file("line-break", b"a\nrefused-nothing", "a\\nrefused-nothing", control),
        file("escape", b"\x1b]0;root\x07x", "\\u{1b}]0;root\\u{7}x", control),
        file("c1-control", "a\u{9b}2Jb".as_bytes(), "a\\u{9b}2Jb", control),
        file("delete", b"a\x7fb", "a\\u{7f}b", control),
        file("backslash", b"a\\..\\evil", "a\\\\..\\\\evil", "has a backslash in its name"),
        file("nul", b"good.txt\0../evil", "good.txt", behind),
        Attack::head("nul-in-prefix", "a/f", behind, &hidden_prefix),
        Attack::head("no-name", "number 5", "has no name of its own", &Head::file("", b"")),
        file("tree-as-file", b"./", "./", "has no name of its own"),
        file("dot-as-file", b".", ".", "has no name of its own"),
        file("file-like-directory", b"x/", "x/", "is a file with the name of a directory"),
        file("file-like-dot", b"x/.", "x/.", "is a file with the name of a directory"),
    ]
}

fn large() -> Vec<Attack> {
    let long = "n/".repeat(700) + "f";
    let part = "p".repeat(256);
    let deep = "d/".repeat(33) + "f";
    let by_gnu = |path: &str| {
        let path = path.to_owned();
        move |tar: &mut Tar| {
            tar.long_name(format!("{path}\0").as_bytes()).file("f", b"");
        }
    };
    vec![
        Attack::more("long-path", "n/n/n/", "has a name longer than 1024 bytes", by_gnu(&long)),
        Attack::more("long-part", "pppp", "has a part longer than 255 bytes", by_gnu(&part)),
        file("deep", deep.as_bytes(), "d/d/d/", "lies more than 32 directories deep"),
    ]
}
