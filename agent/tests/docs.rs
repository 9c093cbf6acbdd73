//! The list of an agent's metrics in `docs/metrics.md` is what the program really tells.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::path::Path;

const BEGIN: &str = "<!-- the agent's list begins -->\n";
const END: &str = "<!-- the agent's list ends -->\n";

#[test]
fn every_metric_is_listed() {
    let mut list = String::from("\n| metric | kind | labels | says |\n|---|---|---|---|\n");
    for (name, kind, labels, help) in agent::metrics::ALL {
        list.push_str(&format!("| `{name}` | {kind} | {labels} | {help} |\n"));
    }
    list.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (old, tail) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{list}{END}{tail}")).unwrap();
        return;
    }
    let update = "UPDATE_DOCS=1 cargo test -p agent --test docs";
    assert!(old == list, "docs/metrics.md is not what the program tells; write it anew with: {update}");
}
