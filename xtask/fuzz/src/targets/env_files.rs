//! `redislabs_env_config.sh` and `/etc/os-release`.

use agent::parse::{env_config, os_release, version};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "export installdir=", "installdir", "export ", "osuser", "osgroup", "/opt/redislabs", "/..", "\"", "'", "=", "#", "ID=",
    "VERSION_ID=", "PRETTY_NAME=", "ubuntu", "rhel", "22.04", "7.4.2-54",
];
const ENV: &str = "#!/bin/bash\nexport installdir=/opt/redislabs\nexport confdir=\"/etc/opt/redislabs\"\nexport osuser='redislabs'\n";
const OS: &str = "PRETTY_NAME=\"Ubuntu 22.04.4 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nID=ubuntu\nID_LIKE=debian\n";

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS);

fn seeds() -> Vec<Vec<u8>> {
    seeds::texts(&[ENV, OS, "7.4.2-54\n", "7.4.2-54jammy", "ID=rhel\nVERSION_ID=\"9.3\"\n"])
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    let config = env_config::parse(&text);
    expect::in_proportion(&config, text.len(), 16);
    for name in ["installdir", "confdir", "osuser", ""] {
        if let Ok(Some(path)) = config.path(name) {
            assert!(path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path}");
        }
    }
    if let Ok(system) = os_release::parse(&text) {
        expect::in_proportion(&system, text.len(), 16);
        assert!(text.contains("ID="));
    }
    if let Ok(version) = version::parse(&text) {
        assert_eq!(version::parse(&version.to_string()), Ok(version));
    }
}
