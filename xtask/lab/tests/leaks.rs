//! Whatever becomes of a test, nothing that it started stays behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fs};

use anyhow::Result;
use lab::{Failed, Node, Root, sealed};

#[test]
fn nothing_is_left_of_a_test_that_panics() -> Result<()> {
    let ended = sealed("nothing_is_left_of_a_test_that_panics", async |place| {
        let root = Root::lay_out(place)?;
        let node = Node::boot(place, &root)?;
        root.write("srv/booted", node.run(&["systemctl", "is-active", "basic.target"])?)?;
        // Not even its own cleaning up is run.
        std::mem::forget(node);
        panic!("as ordered")
    });
    let Err(error) = ended else {
        // Skipped, which said why.
        return Ok(());
    };
    let Failed { place, .. } = error.downcast::<Failed>()?;
    assert_eq!(fs::read_to_string(place.join("root/srv/booted"))?, "active", "the node was up");
    let name = place.file_name().unwrap().to_str().unwrap().to_owned();
    let lines = fs::read_dir("/proc")?
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("cmdline")).ok());
    assert_eq!(lines.filter(|line| line.contains(&name)).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(!fs::read_to_string("/proc/self/mountinfo")?.contains(&name));
    for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"] {
        assert!(!std::path::Path::new(root).join(&name).exists(), "{root}/{name}");
    }
    assert!(env::temp_dir().join(&name).exists(), "kept as evidence");
    Ok(fs::remove_dir_all(place)?)
}
