//! `ratchet.toml`.

use std::path::Path;

use coordinator::config::Config;

use super::TOML;
use crate::{Target, expect, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(TOML);

fn seeds() -> Vec<Vec<u8>> {
    let shipped = seeds::file("systemd/ratchet.toml");
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
    "insecure_loopback = true\n[[cluster]]\nname = \"orders\"\nagents = [\"127.0.0.1:7443\", \"[::1]:7443\"]\nlabels = { env = \"prod\" }\n",
    "store = \"postgres://u@h/d\"\nlisten = \"127.0.0.1:7444\"\nadvertise = \"ops1:7444\"\n[tls]\nca = \"/a\"\ncert = \"/b\"\nkey = \"/c\"\n",
    "[[package]]\nurl = \"https://m/redislabs-7.4.6-22-jammy-amd64.tar\"\nsha256 = \"b53774466f87daac20b112d0d11b57e7224c135ef10df06f40a014bdb7d4f911\"\n",
    "[deadlines]\ngate = \"10m\"\n[[notify]]\nurl = \"https://x/y\"\nkinds = [\"run-halted\"]\n[watch]\nevery = \"10s\"\n",
];
