//! What must hold whatever went wrong.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::{Campaign, PATIENCE, Step, TO};

/// After a power cut: every step of the node that the coordinator was told to have ended has ended on its disk, too, and so
/// has the claim been taken.
pub(super) fn nothing_that_was_told_is_lost(campaign: &Campaign, uid: u32) {
    let state = campaign.lab.agent_state(uid).unwrap();
    // Of an earlier run that was refused nothing is known here.
    let run = campaign.told.iter().rposition(|told| told.kind == "created").unwrap_or_default();
    let told = campaign.told[run..].iter().filter(|told| told.is("step_ended", uid)).count();
    let mut ended = ended_steps(campaign, uid);
    ended.retain(|step| step.starts_with(campaign.run.as_deref().unwrap()));
    assert!(ended.len() >= told, "node {uid}: told {told} ends, on the disk are {ended:?}");
    if campaign.told.iter().any(|told| told.is("claimed", uid)) {
        let claim = fs::read_to_string(state.join("claim.json")).unwrap();
        assert!(claim.contains(campaign.run.as_deref().unwrap()), "{claim}");
    }
}

/// The steps that have ended, as the node's agent has it on its disk.
fn ended_steps(campaign: &Campaign, uid: u32) -> Vec<String> {
    let steps = fs::read_dir(campaign.lab.agent_state(uid).unwrap().join("steps"));
    let ended = |dir: &fs::DirEntry| {
        fs::read_to_string(dir.path().join("events")).is_ok_and(|events| events.contains("finished"))
    };
    let dirs = steps.into_iter().flatten().map(Result::unwrap).filter(ended);
    dirs.map(|dir| dir.file_name().to_string_lossy().into_owned()).collect()
}

/// Waits until a node that the coordinator cannot see has done its part of a step.
pub(super) async fn until_done_unseen(campaign: &Campaign, step: Step, uid: u32) {
    let part = format!(".n{uid}.{}.", step.word());
    let done = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while !ended_steps(campaign, uid).iter().any(|step| step.contains(&part)) {
            looks.tick().await;
        }
    };
    match step {
        // No steps of an agent: there is nothing to wait for.
        Step::Claim | Step::Gate | Step::Witness | Step::Release => {}
        _ => tokio::time::timeout(PATIENCE, done).await.expect("the node does not end its step"),
    }
}

impl Campaign {
    /// The run is done, and nothing happened twice or at the same time.
    pub(super) fn all_is_well(&self) {
        let lab = &self.lab;
        let run = lab.ratchet(&["show", self.run.as_deref().unwrap(), "--events"]).unwrap().json().unwrap();
        assert_eq!(run["state"], "done", "{run:#}");
        assert_eq!(lab.cluster.overlaps(), [], "two nodes at once");
        for uid in lab.uids() {
            assert_eq!(lab.cluster.version(uid).unwrap().to_string(), TO);
            let mut starts: BTreeMap<String, usize> = BTreeMap::new();
            for install in lab.cluster.installs(uid) {
                *starts.entry(install.target.to_string()).or_default() += 1;
            }
            // Only a person may start another: by `retry`, or by hand.
            let ordered = self.given.iter().filter(|given| given.orders_install(uid)).count();
            let twice = starts.values().map(|count| count - 1).sum::<usize>();
            assert!(twice <= ordered, "node {uid}: {starts:?}, and {ordered} ordered by a person");
        }
        one_at_a_time(run["events"].as_array().unwrap());
        if self.told.iter().any(|told| told.kind == "released" && told.text.contains("keeps its claim")) {
            // What that sentence asks for, once the trouble is mended.
            let given_back = lab.ratchet(&["abort", self.run.as_deref().unwrap()]).unwrap();
            assert_eq!(given_back.code, 0, "{given_back:?}");
        }
        let status = lab.ratchet(&["status"]).unwrap().json().unwrap();
        for node in status["clusters"][0]["nodes"].as_array().unwrap() {
            assert!(node["claim"].is_null(), "claims are given back: {node}");
        }
    }
}

/// From the intent to install a node until others confirm it, no other node is installed. A person's `retry` takes the turn
/// back to the gate, which passes only while the whole cluster is healthy, and may then be another's.
fn one_at_a_time(events: &[Value]) {
    let mut at_work: Option<u64> = None;
    for event in events {
        let node = event["node"].as_u64();
        let text = event["text"].as_str().unwrap_or_default();
        match event["kind"].as_str().unwrap_or_default() {
            "step_intended" if text.starts_with("install") => {
                assert!(at_work.is_none() || at_work == node, "{at_work:?} is not through: {event}");
                at_work = node;
            }
            "requested" if text.contains("another attempt") => at_work = None,
            "witnessed" | "seen_at_target" if at_work == node => at_work = None,
            _ => {}
        }
    }
}
