//! A booted node with a stand-in product.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod driver;

use std::path::Path;
use std::time::Duration;

use lab::{Node, Root};
use proto::*;

use driver::Driver;

pub const OLD: &str = "7.4.2-54";
pub const NEW: &str = "7.4.6-22";
pub const AGENT: &str = "ratchet-agent.service";
/// The unit of the step that every test installs with.
pub const OP: &str = "ratchet-op@install.service";
/// Nothing in these tests takes so long unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

const STATUS: &str = include_str!("../../../../agent/tests/common/status.txt");

/// Like the real tools it keeps a log in the product's own directory, and looks at processes.
const RLADMIN: &str = r#"set -e
echo "$*" >> @VAR@/log/rladmin.log
readlink /proc/1/exe > "$(mktemp)"
case "$*" in
'status extra all') sed "s/@VERSION@/$(cat /etc/opt/redislabs/version)/" /etc/opt/redislabs/status ;;
'cluster running_actions') echo 'No active tasks' ;;
*) echo "ERROR: invalid token '$1'"; exit 1 ;;
esac"#;

/// "Saving to file: /var/opt/redislabs/log/rlcheck.log" (fact sheet §2).
const RLCHECK: &str = "set -e; echo x >> @VAR@/log/rlcheck.log; kill -0 1\n\
                       echo 'Running test: verify_services'; echo 'ALL TESTS PASSED.'";

/// Tells what it runs in, changes what only an installer may, waits until the test lets it go, and changes the version.
const INSTALL: &str = r#"#!/bin/sh
echo $$ >> /srv/starts
cat /proc/self/cgroup
grep -E '^(NoNewPrivs|CapBnd)' /proc/self/status
touch /etc/systemd/system/redis.service /root/installed /opt/changed || exit 1
echo waiting
while [ ! -e /srv/go ]; do sleep 0.1; done
echo @NEW@ > /etc/opt/redislabs/version
echo 'Installation complete.'
"#;

/// A booted node with the product and a package on its disk, and whoever drives its agent.
pub struct Lab<'a> {
    pub place: &'a Path,
    pub root: Root,
    pub node: Node,
    pub driver: Driver,
}

impl<'a> Lab<'a> {
    /// Boots a node with the product where the vendor puts it.
    pub fn boot(place: &'a Path) -> Self {
        Self::boot_with(place, "/opt/redislabs", "/var/opt/redislabs", |_| {})
    }

    /// Boots a node with the product in these directories; `prepare` may change its disk first.
    pub fn boot_with(place: &'a Path, install: &str, var: &str, prepare: impl FnOnce(&Root)) -> Self {
        let root = Root::lay_out(place).unwrap();
        for (name, script) in [("rladmin", RLADMIN), ("rlcheck", RLCHECK)] {
            root.program(&format!("{install}/bin/{name}"), &script.replace("@VAR@", var)).unwrap();
        }
        root.write(&format!("{var}/log/rladmin.log"), "").unwrap();
        let dirs = format!("export installdir={install}\nexport logdir={var}/log\n");
        root.write("etc/opt/redislabs/redislabs_env_config.sh", dirs).unwrap();
        root.write("etc/opt/redislabs/version", OLD).unwrap();
        root.write("etc/opt/redislabs/status", STATUS).unwrap();
        root.write("srv/package.tar", package()).unwrap();
        prepare(&root);
        let node = Node::boot(place, &root).unwrap();
        Self { place, root, node, driver: Driver::new() }
    }

    /// The power goes and comes back.
    pub fn crash_and_boot(self) -> Self {
        let Self { place, root, node, driver } = self;
        node.crash().unwrap();
        let node = Node::boot(place, &root).unwrap();
        Self { place, root, node, driver }
    }

    /// Fetches, unpacks and starts the installation; returns when the installer waits for [`Self::go`], with what it
    /// said.
    pub async fn start_install(&self) -> Vec<String> {
        self.driver.claim().await;
        let package = package_facts();
        let (sha256, version) = (package.sha256, package.version);
        let fetch = StepSpec::Fetch { package, rate_limit: None };
        let unpack = StepSpec::Unpack { package: sha256, version };
        for (step, spec) in [("fetch", fetch), ("unpack", unpack), ("check", StepSpec::Check)] {
            completed(self.driver.outcome(step, &spec).await);
        }
        let waiting = StepProgress::Output("waiting".to_owned());
        output(&self.driver.until("install", &install(), |what| *what == waiting).await)
    }

    /// Lets the installer end.
    pub fn go(&self) {
        self.root.write("srv/go", "").unwrap();
    }

    /// How often the installer was started.
    pub fn starts(&self) -> usize {
        std::fs::read_to_string(self.root.path("srv/starts")).unwrap_or_default().lines().count()
    }

    pub fn property(&self, unit: &str, name: &str) -> String {
        self.node.property(unit, name).unwrap()
    }

    /// Waits until a unit's property is as wanted.
    pub async fn until(&self, unit: &str, name: &str, wanted: impl Fn(&str) -> bool) {
        let looking = async {
            let mut looks = tokio::time::interval(Duration::from_millis(100));
            while !wanted(&self.property(unit, name)) {
                looks.tick().await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, looking).await;
        assert!(seen.is_ok(), "{name} of {unit} stays {}", self.property(unit, name));
    }
}

/// The order to install.
pub fn install() -> StepSpec {
    let package = package_facts();
    StepSpec::Install(InstallSpec {
        unpacked_by: "unpack".parse().unwrap(),
        package: package.sha256,
        target: package.version,
        expected_installed: OLD.parse().unwrap(),
        expected_role: Some(NodeRole::Master),
        args: vec!["-y".to_owned()],
        deadline: None,
    })
}

fn package() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let script = INSTALL.replace("@NEW@", NEW);
    let deb = format!("redislabs_{NEW}~jammy_amd64.deb");
    for (name, bytes) in [("install.sh", script.as_bytes()), (deb.as_str(), b"deb")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

fn package_facts() -> Package {
    let bytes = package();
    Package {
        sha256: Sha256::of(&bytes),
        version: NEW.parse().unwrap(),
        os: OsToken("jammy".to_owned()),
        arch: Arch::Amd64,
        size: Some(bytes.len() as u64),
        sources: vec!["file:///srv/package.tar".to_owned()],
    }
}

/// The lines that an installer printed.
pub fn output(events: &[StepProgress]) -> Vec<String> {
    let line =
        |what: &StepProgress| if let StepProgress::Output(line) = what { Some(line.clone()) } else { None };
    events.iter().filter_map(line).collect()
}

pub fn completed(outcome: StepOutcome) -> StepReport {
    match outcome {
        StepOutcome::Completed { report, .. } => report,
        other => panic!("{other:?}"),
    }
}
