//! `agent.toml`.

use std::path::Path;

use agent::config::Config;

use super::TOML;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(TOML);

fn seeds() -> Vec<Vec<u8>> {
    let shipped = seeds::file("systemd/agent.toml");
    // Without the signs in front of what is only shown, every key has its say.
    let uncommented = expect::text(&shipped).replace("\n#", "\n").into_bytes();
    let mut seeds = vec![shipped, uncommented];
    seeds.extend(seeds::texts(MORE));
    seeds
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    match Config::parse(&text, Path::new("/etc/ratchet/x.toml")) {
        Ok(config) => expect::in_proportion(&config, text.len(), 64),
        // Every mistake is told with its key, and a key with the table it is in.
        Err(error) => expect::in_proportion(&error.to_string(), text.len(), 256),
    }
}

const MORE: &[&str] = &[
    "insecure_loopback = true\nlisten = \"127.0.0.1:7443\"\n[redis_enterprise]\nroot = \"/srv/n1\"\nrunner = \"process\"\n",
    "connect = [\"ops1:7444\"]\nname = \"db-1\"\n[tls]\nca = \"/a\"\ncert = \"/b\"\nkey = \"/c\"\n[metrics]\nlisten = \"127.0.0.1:9465\"\n",
    "[hooks]\ndirectory = \"/etc/ratchet/hooks\"\ndeadline = \"30s\"\n[rest]\nurl = \"https://127.0.0.1:9443\"\nuser = \"x\"\npassword_file = \"/x\"\n",
];
