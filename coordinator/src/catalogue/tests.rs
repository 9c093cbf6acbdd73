use super::*;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn os(text: &str) -> OsToken {
    OsToken(text.to_owned())
}

fn sha(text: &str) -> Sha256 {
    Sha256::of(text.as_bytes())
}

#[test]
fn the_vendors_own_examples_are_read() {
    let cases = [
        ("redislabs-6.2.18-70-rhel8-x86_64.tar", "6.2.18-70", "rhel8", Arch::Amd64),
        ("redislabs-5.4.6-18-xenial-amd64.tar", "5.4.6-18", "xenial", Arch::Amd64),
        ("redislabs-8.0.16-33-jammy-arm64.tar", "8.0.16-33", "jammy", Arch::Arm64),
        ("/srv/a b/redislabs-7.4.6-22-focal-amd64.tar", "7.4.6-22", "focal", Arch::Amd64),
        (
            "https://m.example/x/redislabs-7.4.6-22-jammy-amd64.tar?sig=a/b#c",
            "7.4.6-22",
            "jammy",
            Arch::Amd64,
        ),
        ("file:///srv/redislabs-7.8.2-60-rhel9-x86_64.tar.gz", "7.8.2-60", "rhel9", Arch::Amd64),
        ("redislabs-8.2.0-46-rhel9-fips-x86_64.tar", "8.2.0-46", "rhel9-fips", Arch::Amd64),
    ];
    for (text, expected, token, arch) in cases {
        let name = parse_file_name(text).unwrap();
        assert_eq!(name, PackageName { version: version(expected), os: os(token), arch }, "{text}");
    }
}

#[test]
fn other_names_are_refused() {
    for text in [
        "",
        "redislabs.tar",
        "redis-7.4.6-22-jammy-amd64.tar",
        "redislabs-7.4.6-22-jammy-amd64.zip",
        "redislabs-7.4.6-22-jammy-amd64.tar.gz.part",
        "redislabs-7.4.6-22-amd64.tar",
        "redislabs-7.4.6-22--amd64.tar",
        "redislabs-7.4.6-22-jam my-amd64.tar",
        "redislabs-7.4.6-22-JAMMY-amd64.tar",
        "redislabs-7.4.6-22-jammy-sparc.tar",
        "redislabs-7.4-22-jammy-amd64.tar",
        "redislabs-7.4.6-x-jammy-amd64.tar",
        "https://m.example/get?file=redislabs-7.4.6-22-jammy-amd64.tar",
        "redislabs-7.4.6-22-jammy-amd64.tar/",
        "redislabs-7.4.6-22-..-amd64.tar",
    ] {
        assert!(parse_file_name(text).is_err(), "{text}");
    }
}

const LIST: &str = r#"
schema = 1
defective = []
[[package]]
version = "7.4.6-22"
os = "jammy"
arch = "amd64"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
label = "Ubuntu 22"
source = "note"
[[package]]
version = "7.4.6-102"
os = "jammy"
arch = "amd64"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
ambiguous_with = "7.4.6-188"
label = "Ubuntu 22"
source = "note"
[[package]]
version = "6.2.10"
os = "bionic"
arch = "amd64"
md5 = "ec9ac6e0111dc85605d3b98e83f50150"
label = "Ubuntu 18"
source = "note"
"#;

#[test]
fn a_checksum_is_worth_what_the_fact_sheet_says() {
    let list = VendorChecksums::parse(LIST).unwrap();
    let verdict =
        |text: &str, token: &str, sha, md5| list.verdict(version(text), &os(token), Arch::Amd64, sha, md5);
    assert!(matches!(verdict("7.4.6-22", "jammy", sha("abc"), None), VendorVerdict::Matches { .. }));
    assert!(matches!(verdict("7.4.6-22", "jammy", sha("abd"), None), VendorVerdict::Differs { .. }));
    for bytes in ["abc", "abd"] {
        let ambiguous = verdict("7.4.6-102", "jammy", sha(bytes), None);
        assert!(
            matches!(ambiguous, VendorVerdict::Ambiguous { .. }),
            "never evidence, whichever way: {ambiguous:?}"
        );
    }
    let agrees = |md5| match verdict("6.2.10-129", "bionic", sha("abc"), md5) {
        VendorVerdict::OnlyMd5 { agrees, .. } => agrees,
        other => panic!("{other:?}"),
    };
    assert_eq!(agrees(None), None);
    assert_eq!(agrees(Some("EC9AC6E0111DC85605D3B98E83F50150")), Some(true));
    assert_eq!(agrees(Some("00")), Some(false));
    assert_eq!(verdict("7.4.6-23", "jammy", sha("abc"), None), VendorVerdict::NotPublished);
    assert_eq!(verdict("7.4.6-22", "focal", sha("abc"), None), VendorVerdict::NotPublished);
}

#[test]
fn the_shipped_list_is_whole() {
    let list = VendorChecksums::published().unwrap();
    let verdict =
        |text: &str, token: &str| list.verdict(version(text), &os(token), Arch::Amd64, sha("abc"), None);
    assert!(matches!(verdict("7.4.6-22", "jammy"), VendorVerdict::NotPublished), "22.04 came with 7.8");
    assert!(matches!(verdict("7.4.6-22", "rhel9"), VendorVerdict::Differs { .. }));
    assert!(matches!(verdict("6.2.10-90", "bionic"), VendorVerdict::OnlyMd5 { .. }));
    assert_eq!(verdict("7.4.2-126", "focal"), VendorVerdict::NotPublished, "misprinted by the vendor");
    let pairs = [
        ("bionic", "6.2.18-49", "6.2.18-65"),
        ("xenial", "6.4.2-69", "6.4.2-81"),
        ("focal", "6.4.2-94", "6.4.2-103"),
        ("amzn2", "6.4.2-94", "6.4.2-103"),
        ("rhel8", "7.2.4-105", "7.2.4-109"),
        ("rhel9", "7.4.6-102", "7.4.6-188"),
        ("amzn2", "7.8.4-95", "7.8.6-13"),
    ];
    for (token, one, other) in pairs {
        for build in [one, other] {
            assert!(matches!(verdict(build, token), VendorVerdict::Ambiguous { .. }), "{build} for {token}");
        }
    }
}

#[test]
fn a_damaged_list_is_refused() {
    for (what, with) in [
        ("schema = 1", "schema = 2"),
        ("ba7816bf8f", "ba7816bf8"),
        ("ec9ac6e0", "ec9ac6e"),
        ("version = \"7.4.6-102\"", "version = \"7.4.6-22\""),
        ("version = \"6.2.10\"", "version = \"6.2\""),
        ("label = \"Ubuntu 18\"", "lable = \"Ubuntu 18\""),
        ("md5 = \"ec9ac6e0111dc85605d3b98e83f50150\"\n", ""),
    ] {
        assert!(LIST.contains(what), "{what}");
        assert!(VendorChecksums::parse(&LIST.replacen(what, with, 1)).is_err(), "{what} → {with}");
    }
}

fn entry(version_text: &str, token: &str, arch: Arch, bytes: &str) -> CatalogueEntry {
    let package = Package {
        sha256: sha(bytes),
        version: version(version_text),
        os: os(token),
        arch,
        size: None,
        sources: Vec::new(),
    };
    CatalogueEntry {
        package,
        added_at: None,
        added_by: None,
        verdict: VendorVerdict::NotPublished,
        origin: Origin::Store,
    }
}

#[test]
fn only_the_one_package_for_the_platform_fits() {
    let catalogue = [
        entry("7.4.6-22", "jammy", Arch::Amd64, "a"),
        entry("7.4.6-22", "jammy", Arch::Arm64, "b"),
        entry("7.4.6-77", "jammy", Arch::Amd64, "c"),
        entry("7.8.2-60", "focal", Arch::Amd64, "d"),
        entry("7.8.2-60", "focal", Arch::Amd64, "e"),
        entry("7.8.4-66", "focal", Arch::Amd64, "f"),
        entry("7.8.4-66", "focal", Arch::Amd64, "f"),
    ];
    let fit = |text: &str, token: &str, arch| fitting(&catalogue, version(text), &os(token), arch);
    assert_eq!(fit("7.4.6-22", "jammy", Arch::Amd64).unwrap().package.sha256, sha("a"));
    assert_eq!(fit("7.4.6-22", "jammy", Arch::Arm64).unwrap().package.sha256, sha("b"));
    assert_eq!(fit("7.8.4-66", "focal", Arch::Amd64).unwrap().package.sha256, sha("f"), "named twice is one");
    assert!(matches!(fit("7.8.2-60", "focal", Arch::Amd64), Err(NotFitting::Several { .. })));
    let none = fit("7.4.6-22", "rhel9", Arch::Amd64).unwrap_err();
    assert!(none.to_string().contains("jammy/amd64"), "{none}");
    assert!(none.remedy().contains("ratchet package add"), "{none}");
    assert!(fit("7.4.6-23", "jammy", Arch::Amd64).is_err());
}
