use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.at("etc")).unwrap();
        fs::write(place.at("etc/answers"), "ignore_swap=yes\n").unwrap();
        place.mode("etc", 0o755);
        place.mode("etc/answers", 0o644);
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.at(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn config(&self, root: &str, name: &str) -> Config {
        let text = format!(
            "insecure_loopback = true\nlisten = '127.0.0.1:7443'\n[redis_enterprise]\nroot = '{root}'\ninstall_args = ['-c', '{}']\n",
            self.at(name).display()
        );
        Config::parse(&text, Path::new("/x/agent.toml")).unwrap()
    }

    /// What is said of a file on a stand-in node.
    fn judge(&self, name: &str) -> Result<Answers, Failure> {
        checked(&self.config("/srv/node", name)).map(Option::unwrap).map_err(|failure| *failure)
    }
}

#[test]
fn what_root_alone_can_write_is_used_and_known_by_its_digest() {
    let place = Place::new();
    let answers = place.judge("etc/answers").unwrap();
    assert_eq!(answers.sha256, Sha256::of(b"ignore_swap=yes\n"));
    symlink("answers", place.at("etc/link")).unwrap();
    let linked = place.judge("etc/link").unwrap();
    assert!(linked.path.ends_with("etc/link") && linked.sha256 == answers.sha256, "as configured");
    let mut none = place.config("/srv/node", "none");
    none.install_args = vec!["-y".to_owned()];
    assert_eq!(checked(&none), Ok(None), "nobody asked for one");
}

#[test]
fn what_others_can_write_or_is_no_file_is_refused_with_a_remedy() {
    let place = Place::new();
    fs::create_dir(place.at("etc/dir")).unwrap();
    fs::write(place.at("etc/large"), vec![b'x'; (1 << 20) + 1]).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.at("etc/pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    for name in ["etc/dir", "etc/large", "etc/pipe", "etc/none"] {
        let failure = place.judge(name).unwrap_err();
        assert_eq!((failure.id.as_str(), failure.remedy.is_some()), ("answers-unsafe", true), "{name}");
    }
    place.mode("etc/answers", 0o664);
    let failure = place.judge("etc/answers").unwrap_err();
    assert!(
        failure.remedy.unwrap().starts_with("chmod go-w") && failure.cause.unwrap().contains("etc/answers")
    );
    place.mode("etc/answers", 0o644);
    place.mode("etc", 0o777);
    assert!(place.judge("etc/answers").unwrap_err().cause.unwrap().contains("etc can be written"));
}

/// Where temporary directories are is writable by everybody, as a rule; else there is nothing to see here.
#[test]
fn on_a_real_node_nothing_below_tmp_is_used() {
    let place = Place::new();
    let failure = checked(&place.config("/", "etc/answers"));
    let open = place.at("").ancestors().any(|dir| fs::metadata(dir).unwrap().mode() & 0o022 != 0);
    assert_eq!(failure.is_err(), open, "{failure:?}");
}

#[test]
fn what_changed_after_the_order_is_not_used() {
    let (place, disk) = (Place::new(), Disk::real());
    let config = place.config("/srv/node", "etc/answers");
    let dir = place.at("etc");
    let never = unchanged(&config, &dir).unwrap_err();
    assert_eq!(never.id, "answers-changed", "nobody has seen it before");
    record(&config, &disk, &dir).unwrap();
    unchanged(&config, &dir).unwrap();
    fs::write(place.at("etc/answers"), "ignore_swap=no\n").unwrap();
    assert_eq!(unchanged(&config, &dir).unwrap_err().id, "answers-changed");
    fs::write(place.at("etc/answers"), "ignore_swap=yes\n").unwrap();
    unchanged(&config, &dir).unwrap();
    place.mode("etc/answers", 0o646);
    assert_eq!(unchanged(&config, &dir).unwrap_err().id, "answers-unsafe");
}
