//! What a program that an agent starts finds: a stand-in for each of the closed list tells it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use agent::host::allowed::{Action, Program, SYSTEM_DIRECTORIES};
use agent::host::starts::{self, OpRunner};
use agent::host::{HostError, Product};
use proto::{NodeUid, RestartableService, Setting};

/// Says what it finds. What it holds open itself is its own script, and for a moment the directory that it looks into.
const TELL: &str = r#"#!/bin/sh
echo "argv=$0 $*"
echo "cwd=$(pwd)"
echo "umask=$(umask)"
echo "stdin=$(readlink /proc/$$/fd/0)"
for fd in /proc/$$/fd/*; do [ -L "$fd" ] && ! [ "$fd" -ef "$0" ] && echo "fd=${fd##*/}"; done
env | sed 's/^/env /'
"#;

/// `O_CLOEXEC`, as `/proc` shows it.
const CLOSED_ON_EXEC: u32 = 0o2_000_000;

/// Everything that can be asked or ordered, with what must be started for it. A new one does not compile until it is here.
fn line(action: Action) -> &'static str {
    match action {
        Action::Status => "rladmin status extra all",
        Action::RunningActions => "rladmin cluster running_actions",
        Action::Master => "rladmin cluster master",
        Action::Snapshots(_) => "rladmin node 2 snapshot list",
        Action::InfoCluster => "rladmin info cluster",
        Action::InfoNode(_) => "rladmin info node 2",
        Action::InfoDatabases => "rladmin info db",
        Action::ModulesExtraAll => "rladmin status modules extra all",
        Action::Modules => "rladmin status modules",
        Action::TuneCluster(..) => "rladmin tune cluster slave_ha_grace_period 5",
        Action::Rlcheck { retries: 0 } => "rlcheck --continue-on-error",
        Action::Rlcheck { .. } => "rlcheck --continue-on-error --retry 3 --retry-delay 5",
        Action::Services => "supervisorctl status",
        Action::Restart(_) => "supervisorctl restart cnm_exec",
        Action::DpkgVersion => "dpkg-query -W -f ${Status}\t${Version}\n redislabs",
        Action::RpmVersion => "rpm -q --qf %{VERSION}-%{RELEASE}\n redislabs",
        Action::DpkgVerify => "dpkg --verify redislabs",
        Action::RpmVerify => "rpm --verify redislabs",
        Action::TimeSynchronised => "timedatectl show -p NTPSynchronized --value",
        Action::OpensslVersion => "openssl version",
    }
}

fn all() -> Vec<Action> {
    let two = NodeUid(2);
    vec![
        Action::Status,
        Action::RunningActions,
        Action::Master,
        Action::Snapshots(two),
        Action::InfoCluster,
        Action::InfoNode(two),
        Action::InfoDatabases,
        Action::ModulesExtraAll,
        Action::Modules,
        Action::TuneCluster(Setting::ReplicaHaGracePeriod, 5),
        Action::Rlcheck { retries: 0 },
        Action::Rlcheck { retries: 3 },
        Action::Services,
        Action::Restart(RestartableService::CnmExec),
        Action::DpkgVersion,
        Action::RpmVersion,
        Action::DpkgVerify,
        Action::RpmVerify,
        Action::TimeSynchronised,
        Action::OpensslVersion,
    ]
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Files that whoever started this test has left open for everything below it; under systemd there are none.
fn left_open() -> BTreeSet<String> {
    let inherited = |number: &String| {
        let told = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let flags = told.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0").trim();
        number.parse::<u32>().unwrap() > 2 && u32::from_str_radix(flags, 8).unwrap() & CLOSED_ON_EXEC == 0
    };
    let numbers = fs::read_dir("/proc/self/fd").unwrap();
    numbers.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(inherited).collect()
}

/// What a stand-in said, and that it found nothing but what it should: its `argv`.
fn found(said: &str, cwd: &str) -> String {
    let (argv, rest) = said.strip_prefix("argv=").unwrap().split_once("\ncwd=").unwrap();
    let rest = format!("cwd={rest}");
    let (env, plain): (Vec<&str>, Vec<&str>) = rest.lines().partition(|line| line.starts_with("env "));
    let (open, plain): (Vec<&str>, Vec<&str>) = plain.into_iter().partition(|line| line.starts_with("fd="));
    assert_eq!(plain, [&format!("cwd={cwd}"), "umask=0022", "stdin=/dev/null"], "{said}");
    let open = open.into_iter().filter(|line| !left_open().contains(&line["fd=".len()..]));
    assert_eq!(open.collect::<Vec<_>>(), ["fd=0", "fd=1", "fd=2"], "{said}");
    let env = env.iter().filter_map(|line| line["env ".len()..].split_once('='));
    let mut env: BTreeMap<&str, &str> = env.collect();
    let path = env.remove("PATH").unwrap();
    assert!(path.split(':').all(|directory| directory.starts_with('/')), "{path}");
    // What `sh` makes for itself.
    for own in ["PWD", "OLDPWD", "SHLVL", "_"] {
        env.remove(own);
    }
    assert_eq!(env.into_iter().collect::<Vec<_>>(), [("HOME", "/root"), ("LANG", "C"), ("TERM", "dumb")]);
    argv.to_owned()
}

#[tokio::test]
async fn each_program_of_the_list_finds_a_clean_place_and_its_arguments_alone() {
    let root = tempfile::tempdir().unwrap();
    // An open file and a umask of the agent's, and the environment of a test, none of which must be found.
    let _open = File::open("/dev/null").unwrap();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    starts::set_umask();
    for name in ["rladmin", "rlcheck", "supervisorctl"] {
        write(&root.path().join("opt/redislabs/bin").join(name), TELL);
    }
    for name in ["dpkg-query", "dpkg", "rpm", "timedatectl", "openssl"] {
        write(&root.path().join("usr/bin").join(name), TELL);
    }
    let product = Product::new(root.path().to_owned());
    for action in all() {
        let below = match action.program() {
            Program::Product(_) => "opt/redislabs/bin",
            Program::System(_) => "usr/bin",
        };
        let output = product.ask(action).await.unwrap();
        let argv = found(&output.stdout, "/");
        assert_eq!(argv, format!("{}/{}", root.path().join(below).display(), line(action)), "{action:?}");
    }
}

#[tokio::test]
async fn the_installer_is_run_from_inside_its_directory() {
    let tree = tempfile::tempdir().unwrap();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // Standard error is told apart nowhere: it is the same file.
    write(&tree.path().join("install.sh"), &format!("{TELL}echo done >&2\n"));
    let log = tree.path().join("output");
    let args = ["-c", "/etc/ratchet/answers; touch x", "$(id)"].map(str::to_owned);
    let mut command = starts::installer(tree.path(), &args, File::create(&log).unwrap()).unwrap();
    assert!(command.status().await.unwrap().success());
    let said = fs::read_to_string(log).unwrap();
    let argv = found(said.strip_suffix("done\n").unwrap(), &tree.path().display().to_string());
    assert_eq!(argv, "./install.sh -c /etc/ratchet/answers; touch x $(id)", "no shell has read it");
}

#[tokio::test]
async fn an_op_runner_is_given_its_step_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let tell = place.path().join("tell");
    starts::set_umask();
    write(&tell, TELL);
    let step = "r1.h0.n2.install.a1".parse().unwrap();
    for (how, option) in [(OpRunner::Running, ""), (OpRunner::Detaching, "--detach ")] {
        let mut command = starts::op_runner(Some(&tell), Path::new("/etc/ratchet/agent.toml"), &step, how);
        let said = String::from_utf8(command.output().await.unwrap().stdout).unwrap();
        // It is the agent itself, which needs no home and may be told how much to log.
        let said: String =
            said.split_inclusive('\n').filter(|line| !line.starts_with("env RUST_LOG=")).collect();
        let argv = found(&format!("{said}env HOME=/root\n"), "/");
        let expected = format!("{} --config /etc/ratchet/agent.toml run-op {option}{step}", tell.display());
        assert_eq!(argv, expected);
    }
}

/// `/usr/local` is on the path of tools, and is no place of theirs.
#[tokio::test]
async fn what_is_not_in_its_place_is_not_looked_for_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("opt/redislabs/bin/rladmin"), TELL);
    write(&root.path().join("usr/local/bin/openssl"), TELL);
    write(&root.path().join("usr/sbin/timedatectl"), TELL);
    let product = Product::new(root.path().to_owned());
    assert!(SYSTEM_DIRECTORIES.iter().all(|directory| directory.starts_with('/')));
    let output = product.ask(Action::TimeSynchronised).await.unwrap();
    let own = format!("argv={}/usr/sbin/timedatectl show", root.path().display());
    assert!(output.stdout.starts_with(&own), "{output:?}");
    match product.ask(Action::OpensslVersion).await {
        Ok(output) => assert!(!output.stdout.contains("argv="), "{output:?}"),
        Err(HostError::Program(failure)) => {
            assert!(failure.status.contains("/usr/bin/openssl"), "{failure:?}")
        }
        Err(other) => panic!("{other}"),
    }
    let failure = product.ask(Action::Services).await.unwrap_err();
    assert!(failure.to_string().contains("bin/supervisorctl"), "{failure}");
}
