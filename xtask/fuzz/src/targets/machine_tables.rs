//! What the machine's own files and tools say: sockets, package sources, changed files.

use std::path::Path;

use agent::observe::readers::{listening_ports, logrotate_changed, names_repository};

use crate::{Target, expect, seeds};

const WORDS: &[&str] = &[
    "0100007F:2490", "00000000:0000", "0A", "07", "[main]", "[", "]", "enabled=0", "Enabled: no", "Types: deb", "deb ", "#",
    "/etc/logrotate.d/redislabs", "??5??????", "missing", "..5......",
];
const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n   0: 0100007F:2490 00000000:0000 0A 0:0 00:00 00   990 \
    0 4711 1 0 100\n   1: 00000000000000000000000001000000:1F90 0:0 0A 0:0 00:00 00 0 0 1\n";

pub(super) const TARGET: Target = Target::new(run, seeds).words(WORDS).short_runs(5000);

fn seeds() -> Vec<Vec<u8>> {
    seeds::texts(&[
        TCP,
        "[a]\nname=a\nenabled=0\n[b]\nname=b\n",
        "Types: deb deb-src\nURIs: http://x\n\nEnabled: no\nTypes: deb\n",
        "deb [arch=amd64] http://x y z\n# deb-src http://x\n",
        "??5??????   c /etc/logrotate.d/redislabs\n",
        "S.5....T.  c /etc/logrotate.d/redislabs\nmissing     /etc/x\n",
    ])
}

fn run(bytes: &[u8]) {
    let text = expect::text(bytes);
    if let Some(ports) = listening_ports(&text) {
        assert!(ports.len() < text.lines().count().max(1), "the first line is a heading");
    }
    for file in ["a.repo", "a.sources", "sources.list", "a"] {
        let named = names_repository(Path::new(file), &text);
        assert!(!named || !text.trim().is_empty(), "{file}");
    }
    if logrotate_changed(&text) == Some(true) {
        assert!(text.contains("/etc/logrotate.d/redislabs"));
    }
}
