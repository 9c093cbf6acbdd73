//! Real packages, signed with keys made for the occasion, looked at by the system's own programs.

mod making;

use std::fs;

use proto::Version;

use super::*;
use crate::config::Fingerprint;
use making::{Signer, deb, put_together, rpm, run, signed_deb, signed_list, taken_apart, tools};

fn version() -> Version {
    "7.4.6-22".parse().unwrap()
}

/// What an unpack step has made.
struct Unpacked {
    dir: tempfile::TempDir,
    manifest: Manifest,
    config: Config,
    programs: Programs,
}

const DEB: &str = "redislabs_7.4.6-22~jammy_amd64.deb";
/// The members of a package: names and contents.
type Members = Vec<(String, Vec<u8>)>;

const RPM: &str = "redislabs-7.4.6-22.rhel9.x86_64.rpm";
const KEY: &str = "rlec_install_utils_tmpdir/GPG-KEY-redislabs-packages";

impl Unpacked {
    /// On a stand-in that pins a signer's key, with that key in the archive.
    fn new(files: &[(&str, &[u8])], pinned: &Fingerprint) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "insecure_loopback = true\nlisten = '127.0.0.1:0'\n[redis_enterprise]\nroot = '/stand/in'\n[trust]\n\
             vendor_fingerprint = '{pinned}'\n"
        );
        let config = Config::parse(&text, Path::new("agent.toml")).unwrap();
        let mut entries = std::collections::BTreeMap::new();
        let tree = Manifest::tree(dir.path());
        for (name, bytes) in files {
            fs::create_dir_all(tree.join(name).parent().unwrap()).unwrap();
            fs::write(tree.join(name), bytes).unwrap();
            let entry =
                Entry::File { size: bytes.len() as u64, mode: 0o644, sha256: proto::Sha256::of(bytes) };
            entries.insert((*name).to_owned(), entry);
        }
        let main = files.iter().map(|(name, _)| *name).find(|name| *name == DEB || *name == RPM);
        let manifest = Manifest {
            package: proto::Sha256::of(b"archive"),
            version: version(),
            main_package: main.map(str::to_owned),
            warnings: Vec::new(),
            authenticity: Vec::new(),
            entries,
        };
        Self { dir, manifest, config, programs: Programs::of_the_system() }
    }

    fn real(mut self) -> Self {
        self.config.root = PathBuf::from("/");
        self
    }

    fn policy(mut self, policy: VendorPolicy) -> Self {
        self.config.trust.vendor_signature = policy;
        self
    }

    async fn look(&self) -> Result<Vec<Authenticity>, Box<Failure>> {
        let (dir, manifest, config) = (self.dir.path(), &self.manifest, &self.config);
        let inspection = Inspection { dir, manifest, config, programs: &self.programs, disk: &Disk::real() };
        let looked = inspection.look().await;
        assert!(!dir.join("scratch").exists(), "nothing is left behind");
        looked
    }

    /// What each layer says.
    async fn verdicts(&self) -> Vec<(Layer, LayerVerdict)> {
        self.look().await.unwrap().iter().map(|told| (told.layer, told.verdict)).collect()
    }

    async fn refused(&self) -> (String, String) {
        let failure = self.look().await.unwrap_err();
        (failure.id, failure.cause.unwrap())
    }
}

const GOOD: [(Layer, LayerVerdict); 2] =
    [(Layer::Vendor, LayerVerdict::Verified), (Layer::Version, LayerVerdict::Verified)];

#[tokio::test]
async fn a_package_that_the_vendor_signed_is_verified_however_it_is_packed() {
    if !tools() {
        return;
    }
    let vendor = Signer::new("vendor");
    for packed in ["gzip", "none", "xz"] {
        let package = signed_deb(&deb(packed, "7.4.6-22~jammy"), &vendor);
        let key = vendor.public();
        let utils = signed_deb(&deb("gzip", "1.0"), &vendor);
        let files = [(DEB, &package[..]), (KEY, key.as_bytes()), ("redislabs-utils_1.0_amd64.deb", &utils)];
        let unpacked = Unpacked::new(&files, &vendor.fingerprint).real();
        let told = unpacked.look().await.unwrap();
        assert!(told.iter().all(|told| told.verdict == LayerVerdict::Verified), "{packed}: {told:?}");
        assert_eq!(
            told.iter().filter(|told| told.layer == Layer::Vendor).count(),
            2,
            "each package by itself"
        );
        // The operator's own copy of the key does as well, and dpkg still reads what was checked.
        let mut own = Unpacked::new(&files[..1], &vendor.fingerprint).policy(VendorPolicy::Required);
        let file = vendor.home.path().join("vendor.asc");
        fs::write(&file, &key).unwrap();
        own.config.trust.vendor_key = Some(file);
        assert_eq!(own.verdicts().await, GOOD);
        let tree = Manifest::tree(own.dir.path());
        assert!(run("dpkg-deb", ["--info", DEB], &tree).contains("7.4.6-22~jammy"));
    }
}

#[tokio::test]
async fn whoever_changes_a_member_adds_one_or_signs_otherwise_is_refused_everywhere() {
    if !tools() {
        return;
    }
    let (vendor, other, old) = (Signer::new("vendor"), Signer::new("vendor"), Signer::expired("vendor"));
    let plain = deb("gzip", "7.4.6-22~jammy");
    let good = taken_apart(&signed_deb(&plain, &vendor));
    let with = |change: &dyn Fn(&mut Members)| {
        let mut members = good.clone();
        change(&mut members);
        put_together(&members)
    };
    let list = signed_list(&taken_apart(&plain));
    let cases: Vec<(&str, Vec<u8>, &Signer)> = vec![
        ("changed member", with(&|members| members[2].1[0] ^= 1), &vendor),
        ("extra member", with(&|members| members.push(("_extra".to_owned(), b"x".to_vec()))), &vendor),
        ("missing member", with(&|members| drop(members.remove(2))), &vendor),
        (
            "changed list",
            with(&|members| {
                let at = members[3].1.windows(5).position(|part| part == b"Role:").unwrap();
                members[3].1[at] = b'X';
            }),
            &vendor,
        ),
        ("somebody else's signature", with(&|members| members[3].1 = other.clearsigned(&list)), &vendor),
        (
            "a signed text that is no list",
            with(&|members| members[3].1 = vendor.clearsigned("hello\n")),
            &vendor,
        ),
        (
            "a text before the signed one",
            with(&|members| {
                members[3].1 = [list.as_bytes(), &vendor.clearsigned("hello\n")].concat();
            }),
            &vendor,
        ),
        (
            "an expired key",
            {
                let mut members = taken_apart(&plain);
                let early = ["--faked-system-time", "20200603T000010!"];
                members.push(("_gpgbuilder".to_owned(), old.clearsigned_at(&list, &early)));
                put_together(&members)
            },
            &old,
        ),
    ];
    for (what, package, pinned) in cases {
        let key = pinned.public();
        for policy in [VendorPolicy::Auto, VendorPolicy::Required, VendorPolicy::Reported] {
            let files = [(DEB, &package[..]), (KEY, key.as_bytes())];
            let unpacked = Unpacked::new(&files, &pinned.fingerprint).policy(policy);
            let (id, cause) = unpacked.refused().await;
            assert_eq!(id, "vendor-signature", "{what}");
            assert!(cause.contains(DEB), "{what}: {cause}");
        }
    }
}

#[tokio::test]
async fn a_key_is_believed_by_its_fingerprint_and_not_by_its_place() {
    if !tools() {
        return;
    }
    let (vendor, other) = (Signer::new("vendor"), Signer::new("vendor"));
    let package = signed_deb(&deb("gzip", "7.4.6-22"), &other);
    let (own, foreign) = (vendor.public(), other.public());
    for key in [foreign.clone(), format!("{foreign}{own}")] {
        let files = [(DEB, &package[..]), (KEY, key.as_bytes())];
        let (id, cause) = Unpacked::new(&files, &vendor.fingerprint).refused().await;
        assert_eq!(id, "vendor-signature");
        assert!(cause.contains(other.fingerprint.as_str()), "{cause}");
    }
    // Both keys in one keyring: the one that is not pinned does not come along.
    let both = [other.gpg(&["--export", "--armor"]), own].concat();
    let files = [(DEB, &package[..]), (KEY, both.as_bytes())];
    Unpacked::new(&files, &vendor.fingerprint).refused().await;
    let mut named = Unpacked::new(&files, &vendor.fingerprint);
    let file = vendor.home.path().join("wrong.asc");
    fs::write(&file, foreign).unwrap();
    named.config.trust.vendor_key = Some(file);
    assert_eq!(named.look().await.unwrap_err().id, "vendor-key");
    named.config.trust.vendor_key = Some(PathBuf::from("/no/such/key"));
    assert_eq!(named.look().await.unwrap_err().id, "vendor-key");
}

#[tokio::test]
async fn what_is_not_signed_is_told_on_a_stand_in_and_refused_on_a_node() {
    if !tools() {
        return;
    }
    let vendor = Signer::new("vendor");
    let plain = deb("xz", "7.4.6-22~jammy");
    let mut origin = taken_apart(&plain);
    origin.push(("_gpgorigin".to_owned(), b"x".to_vec()));
    for package in [plain.clone(), put_together(&origin)] {
        let stand_in = || Unpacked::new(&[(DEB, &package)], &vendor.fingerprint);
        let told = [(Layer::Vendor, LayerVerdict::Failed), (Layer::Version, LayerVerdict::Verified)];
        assert_eq!(stand_in().verdicts().await, told);
        assert_eq!(stand_in().real().policy(VendorPolicy::Reported).verdicts().await, told);
        assert_eq!(stand_in().real().refused().await.0, "vendor-signature");
        assert_eq!(stand_in().policy(VendorPolicy::Required).refused().await.0, "vendor-signature");
    }
    // Without the program a node that leaves it to us goes on, and says so; one that asks for it does not.
    let signed = signed_deb(&plain, &vendor);
    let mut bare = Unpacked::new(&[(DEB, &signed)], &vendor.fingerprint).real();
    bare.programs.gpgv = PathBuf::from("/no/such/gpgv");
    bare.programs.dpkg_deb = PathBuf::from("/no/such/dpkg-deb");
    let told = [(Layer::Vendor, LayerVerdict::NotChecked), (Layer::Version, LayerVerdict::NotChecked)];
    assert_eq!(bare.verdicts().await, told);
    bare.policy(VendorPolicy::Required).refused().await;
}

#[tokio::test]
async fn junk_does_not_trouble_a_stand_in_and_is_not_enough_for_a_node() {
    let pinned = Trust::default().vendor_fingerprint;
    for junk in [&b""[..], b"deb", b"!<arch>\njunk", b"\xed\xab\xee\xdbjunk"] {
        let files = [(DEB, junk), (KEY, b"junk")];
        let unpacked = Unpacked::new(&files, &pinned);
        let told = unpacked.verdicts().await;
        assert_eq!(
            told,
            [(Layer::Vendor, LayerVerdict::NotChecked), (Layer::Version, LayerVerdict::NotChecked)]
        );
        if !junk.starts_with(rpm::MAGIC) || unpacked.programs.rpmkeys.exists() {
            assert_eq!(unpacked.real().refused().await.0, "vendor-signature");
        }
    }
    let none = Unpacked::new(&[("install.sh", b"x")], &pinned);
    assert_eq!(none.verdicts().await, [(Layer::Vendor, LayerVerdict::NotChecked)]);
    assert!(none.real().refused().await.1.contains("holds no package"));
}

#[tokio::test]
async fn another_version_inside_than_the_plan_s_is_refused_everywhere() {
    if !tools() {
        return;
    }
    let vendor = Signer::new("vendor");
    for packed in ["gzip", "xz"] {
        let package = signed_deb(&deb(packed, "7.4.6-21~jammy"), &vendor);
        let key = vendor.public();
        let files = [(DEB, &package[..]), (KEY, key.as_bytes())];
        let (id, cause) = Unpacked::new(&files, &vendor.fingerprint).refused().await;
        assert_eq!(id, "package-contents");
        assert!(cause.contains("7.4.6-21") && cause.contains("7.4.6-22"), "{cause}");
    }
}

#[tokio::test]
async fn an_rpm_package_is_verified_with_the_pinned_key_and_no_other() {
    if !tools() {
        return;
    }
    let (vendor, other) = (Signer::new("vendor"), Signer::new("vendor"));
    let package = rpm("22.rhel9", Some(&vendor));
    let (key, foreign) = (vendor.public(), other.public());
    let looked = |package: &[u8], key: &str, pinned: &Signer| {
        Unpacked::new(&[(RPM, package), (KEY, key.as_bytes())], &pinned.fingerprint)
    };
    assert_eq!(looked(&package, &key, &vendor).real().verdicts().await, GOOD);
    // Signed by another, whose key the archive brings along.
    assert_eq!(looked(&package, &foreign, &other).refused().await.0, "vendor-signature");
    assert_eq!(looked(&package, &key, &other).refused().await.0, "vendor-signature");
    let (mut changed, last) = (package.clone(), package.len() - 1);
    changed[last] ^= 1;
    assert_eq!(looked(&changed, &key, &vendor).refused().await.0, "vendor-signature");
    let unsigned = rpm("22.rhel9", None);
    let told = [(Layer::Vendor, LayerVerdict::Failed), (Layer::Version, LayerVerdict::Verified)];
    assert_eq!(looked(&unsigned, &key, &vendor).verdicts().await, told);
    looked(&unsigned, &key, &vendor).real().refused().await;
    let older = rpm("21.rhel9", Some(&vendor));
    assert_eq!(looked(&older, &key, &vendor).refused().await.0, "package-contents");
}

#[test]
fn what_an_earlier_look_found_must_be_enough_today() {
    let pinned = Trust::default().vendor_fingerprint;
    let told = |verdict| vec![Authenticity::new(Layer::Vendor, verdict, "x")];
    let proven = |unpacked: Unpacked, verdict: Option<LayerVerdict>| {
        let authenticity = verdict.map(told).unwrap_or_default();
        refuse_unproven(&unpacked.config, &Manifest { authenticity, ..unpacked.manifest.clone() }).is_ok()
    };
    use LayerVerdict::{Failed, NotChecked, Verified};
    for (verdict, stand_in, node, required) in [
        (Some(Verified), true, true, true),
        (Some(NotChecked), true, true, false),
        (Some(Failed), true, false, false),
        (None, true, false, false),
    ] {
        let new = || Unpacked::new(&[], &pinned);
        assert_eq!(proven(new(), verdict), stand_in, "{verdict:?}");
        assert_eq!(proven(new().real(), verdict), node, "{verdict:?}");
        assert_eq!(proven(new().policy(VendorPolicy::Required), verdict), required, "{verdict:?}");
    }
}
