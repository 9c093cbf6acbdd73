//! Every example in `docs/rollouts.md` is a rollout, and every key of the file is explained there.

use super::file::parse;

const DOCS: &str = include_str!("../../../../docs/rollouts.md");

#[test]
fn every_example_is_a_rollout() {
    let blocks = DOCS.split("```toml\n").skip(1);
    let examples: Vec<&str> = blocks.filter_map(|block| block.split("```").next()).collect();
    assert!(examples.len() >= 4, "{}", examples.len());
    for example in examples {
        if let Err(error) = parse(example) {
            panic!("{}\n{example}", proto::Failure::from(error).cause.unwrap_or_default());
        }
    }
}

#[test]
fn every_key_is_explained() {
    let keys = [
        "name",
        "target",
        "at_once",
        "failure_budget",
        "on_failure",
        "turn_estimate",
        "partners",
        "accept",
        "windows.zone",
        "windows.blackout",
        "windows.open",
        "wave.name",
        "wave.clusters",
        "wave.labels",
        "wave.at_once",
        "wave.failure_budget",
        "wave.soak",
        "wave.approval",
    ];
    for key in keys {
        assert!(DOCS.contains(&format!("| `{key}` |")), "{key}");
    }
}
