//! What a fleet in a process of its own is told: one word a line, one answer in JSON each.

use serde_json::{Value, json};

use crate::fleet::Fleet;

/// The words, for people.
pub const WORDS: &str = "fail CLUSTER · unhealthy CLUSTER · silence CLUSTER · heal CLUSTER · version CLUSTER · \
                         hold-installs · let-installs-go · ledger · violations";

/// Does what a line says, and answers.
pub fn obey(fleet: &Fleet, line: &str) -> Value {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["ledger"] => json!(fleet.ledger().entries()),
        ["violations"] => json!(fleet.ledger().violations()),
        ["hold-installs"] => done(|| fleet.hold_installs(true)),
        ["let-installs-go"] => done(|| fleet.hold_installs(false)),
        [word, name] => of_cluster(fleet, word, name),
        _ => unknown(line),
    }
}

fn of_cluster(fleet: &Fleet, word: &str, name: &str) -> Value {
    let Some(cluster) = fleet.cluster(name) else {
        return json!({ "error": format!("there is no cluster `{name}` in this process") });
    };
    match word {
        "fail" => done(|| cluster.fail()),
        "unhealthy" => done(|| cluster.make_ill()),
        "silence" => done(|| cluster.silence()),
        "heal" => done(|| cluster.heal()),
        "version" => json!(cluster.versions()),
        _ => unknown(word),
    }
}

fn done(work: impl FnOnce()) -> Value {
    work();
    json!("done")
}

fn unknown(what: &str) -> Value {
    json!({ "error": format!("`{what}` is none of these: {WORDS}") })
}
