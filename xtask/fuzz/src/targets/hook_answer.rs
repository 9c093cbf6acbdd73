//! What a hook prints.

use proto::{HookVerdict, judge_answer};

use super::JSON;
use crate::{Target, seeds};

pub(super) const TARGET: Target = Target::new(run, seeds).words(JSON).short_runs(5000);

fn seeds() -> Vec<Vec<u8>> {
    seeds::texts(&[
        r#"{"verdict":"pass"}"#,
        r#"{"verdict":"warn","message":"late","remedy":"wait"}"#,
        r#"{"verdict":"block","message":"no\u001b[31m backup","remedy":null}"#,
        r#"{"verdict":"cannot-tell"}"#,
        "plain text\n",
    ])
}

fn run(stdout: &[u8]) {
    let (verdict, message, remedy) = judge_answer(0, stdout);
    let silent = stdout.trim_ascii().is_empty();
    let says_so = || serde_json::from_slice::<serde_json::Value>(stdout).is_ok_and(|said| said["verdict"] == "pass");
    assert!(verdict != HookVerdict::Pass || silent || says_so(), "nobody said that it passes");
    for text in [Some(message), remedy].into_iter().flatten() {
        assert!(!text.contains(char::is_control) && text.chars().count() <= 1200, "{text}");
    }
    assert!(judge_answer(1, stdout).0.blocks(), "it failed, and lets the upgrade go on");
}
