//! Extended headers: other names, other sizes, other targets than the header says.

use super::Attack;
use crate::forge::{Head, Tar, record};

pub fn attacks(outside: &str) -> Vec<Attack> {
    let mut all = overrides(outside);
    all.extend(keys());
    all.extend(records());
    all.extend(order());
    all.extend(long_names());
    all
}

/// A file that an extended header says something about.
fn pax(name: &'static str, entry: &str, says: &'static str, records: &[(&str, &str)]) -> Attack {
    Attack::more(name, entry, says, |tar| {
        tar.pax(records).posix_file("harmless", b"12345");
    })
}

fn overrides(outside: &str) -> Vec<Attack> {
    let out = "leads out of the directory";
    let evil = format!("{outside}/evil");
    let sizes = "has 5 bytes by its header and";
    vec![
        pax("pax-path-absolute", &evil, out, &[("path", &evil)]),
        pax("pax-path-up", "../evil", out, &[("path", "../evil")]),
        pax("pax-path-nul", "a\\0/../b", out, &[("path", "a\0/../b")]),
        pax("pax-path-control", "a\\0b", "has control characters", &[("path", "a\0b")]),
        pax("pax-path-like-directory", "x/", "is a file with the name of a directory", &[("path", "x/")]),
        pax("pax-size-larger", "harmless", sizes, &[("size", "1024")]),
        pax("pax-size-smaller", "harmless", sizes, &[("size", "0")]),
        pax("pax-size-huge", "harmless", sizes, &[("size", "9223372036854775807")]),
        Attack::more("hidden-name-leads-out", &evil, out, |tar| {
            tar.pax(&[("path", "harmless")]).posix_file(&evil, b"");
        }),
        Attack::more("hidden-long-name-leads-out", "../evil", out, |tar| {
            tar.long_name(b"harmless\0").file("../evil", b"");
        }),
    ]
}

fn keys() -> Vec<Attack> {
    let header = "././@PaxHeader";
    let key = |name, record: (&str, &str), says| pax(name, header, says, &[record]);
    let global = |name, key: &str, says| {
        Attack::more(name, header, says, |tar| {
            tar.pax_raw(b'g', &record(key, b"1")).posix_file("harmless", b"12345");
        })
    };
    vec![
        key("pax-linkpath", ("linkpath", "/etc/shadow"), "has the key `linkpath`"),
        key("pax-sparse-major", ("GNU.sparse.major", "1"), "has the key `GNU.sparse.major`"),
        key("pax-sparse-name", ("GNU.sparse.name", "evil"), "has the key `GNU.sparse.name`"),
        key("pax-sparse-map", ("GNU.sparse.map", "0,1"), "has the key `GNU.sparse.map`"),
        key("pax-real-size", ("SCHILY.realsize", "1"), "has the key `SCHILY.realsize`"),
        key("pax-file-type", ("SCHILY.filetype", "dir"), "has the key `SCHILY.filetype`"),
        key("pax-unknown", ("VENDOR.evil", "1"), "has the key `VENDOR.evil`"),
        key("pax-unprintable", ("e\x1b[2J", "1"), "has the key `e\\u{1b}[2J`"),
        key("pax-charset", ("hdrcharset", "UTF-7"), "a value is not one of its key"),
        global("global-path", "path", "has the key `path`"),
        global("global-size", "size", "has the key `size`"),
        global("global-linkpath", "linkpath", "has the key `linkpath`"),
        global("global-charset", "hdrcharset", "has the key `hdrcharset`"),
    ]
}

fn records() -> Vec<Attack> {
    let raw = |name, says, records: &[u8]| {
        Attack::more(name, "././@PaxHeader", says, |tar| {
            tar.pax_raw(b'x', records).posix_file("harmless", b"");
        })
    };
    let huge = record("comment", &vec![b'x'; 70_000]);
    vec![
        raw("pax-twice", "a key occurs twice", b"10 path=a\n10 path=b\n"),
        raw("pax-length-long", "no length, or a wrong one", b"99 path=a\n"),
        raw("pax-length-short", "does not end where its line does", b"9 path=ab\n"),
        raw("pax-length-huge", "no length, or a wrong one", b"99999999999999999999999 path=a\n"),
        raw("pax-length-zero", "no length, or a wrong one", b"0 path=a\n"),
        raw("pax-no-line", "does not end where its line does", b"10 path=abc"),
        raw("pax-no-value", "has no value", b"7 path\n"),
        raw("pax-no-blank", "no blank follows", b"10\tpath=a\n"),
        raw("pax-not-utf8", "a key is not UTF-8", b"9 \xffath=a\n"),
        raw("pax-time", "a value is not one of its key", b"12 mtime=x\n\n"),
        raw("pax-padding", "no length, or a wrong one", b"11 path=ab\n\0\0\0\0"),
        raw("pax-huge", "has an extended header of 7", &huge),
    ]
}

fn order() -> Vec<Attack> {
    let stray = "does not belong to what follows it";
    let mut all = vec![
        Attack::more("pax-before-the-end", "././@PaxHeader", stray, |tar| {
            tar.pax(&[("path", "evil")]);
        }),
        Attack::more("pax-before-pax", "././@PaxHeader", stray, |tar| {
            tar.pax(&[("path", "a")]).pax(&[("path", "b")]).posix_file("harmless", b"");
        }),
        Attack::more("pax-before-global", "././@PaxHeader", stray, |tar| {
            tar.pax(&[("path", "a")]).pax_raw(b'g', b"").posix_file("harmless", b"");
        }),
        Attack::more("pax-before-gnu", "harmless", stray, |tar| {
            tar.pax(&[("path", "a")]).file("harmless", b"");
        }),
        Attack::more("pax-before-long-name", "././@LongLink", stray, |tar| {
            tar.pax(&[("path", "a")]).long_name(b"b\0").file("harmless", b"");
        }),
        Attack::more("long-name-before-pax", "././@PaxHeader", stray, |tar| {
            tar.long_name(b"b\0").pax(&[("path", "a")]).posix_file("harmless", b"");
        }),
    ];
    all.push(Attack::more("long-name-twice", "././@LongLink", stray, |tar| {
        tar.long_name(b"a\0").long_name(b"b\0").file("harmless", b"");
    }));
    all.push(Attack::more("long-name-before-old-directory", "harmless/", stray, |tar| {
        let mut old = Head::new(b"harmless/", 0, 0);
        tar.long_name(b"install.sh\0").add(old.v7(), b"");
    }));
    all
}

fn long_names() -> Vec<Attack> {
    let ends = "none: behind its long name";
    let long = |name, entry, says, bytes: &'static [u8]| {
        Attack::more(name, entry, says, |tar: &mut Tar| {
            tar.long_name(bytes).file("harmless", b"");
        })
    };
    let foreign = "but an extended header of another format";
    let huge = Head::new(b"././@LongLink", b'L', 4 << 30);
    let mut posix = Head::new(b"long", b'L', 0);
    let mut gnu = Head::new(b"pax", b'x', 0);
    vec![
        long("long-name-up", "../evil", "leads out of the directory", b"../evil\0"),
        long("long-name-empty", "number 6", "has no name of its own", b"\0"),
        long("long-name-open", "././@LongLink", ends, b"evil"),
        long("long-name-nul", "././@LongLink", ends, b"good\0evil\0"),
        long("long-name-nothing", "././@LongLink", ends, b""),
        Attack::head("long-name-huge", "././@LongLink", "has an extended header of 4294967296 bytes", &huge),
        Attack::head("long-name-in-posix", "long", foreign, posix.posix()),
        Attack::head("pax-in-gnu", "pax", foreign, gnu.mode(0o644)),
    ]
}
