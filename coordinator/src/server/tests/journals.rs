//! `show --events`: the coordinator's journal and the agents' own.

use proto::{StepEvent, StepHistory, StepKind, StepOutcome, StepProgress};

use super::stage::{Stage, begun, id, noon};

fn history(step: &str, kind: StepKind) -> StepHistory {
    let step: proto::StepId = step.parse().unwrap();
    let event = |seq, what| StepEvent { step: step.clone(), seq, at: noon(), what };
    let events = vec![
        event(1, StepProgress::Started { resumed: false }),
        event(2, StepProgress::Output("Starting services".to_owned())),
        event(3, StepProgress::Finished(Box::new(StepOutcome::Interrupted("a reboot".to_owned())))),
    ];
    StepHistory { step, kind, accepted_at: noon(), ended: true, cut_bytes: Some(17), events }
}

#[tokio::test]
async fn agents_tell_their_side_and_one_that_does_not_is_named() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    let later = StepHistory { accepted_at: noon(), ..history("r1.h0.n2.check.a2", StepKind::Check) };
    let earlier = StepHistory {
        accepted_at: "2026-06-01T11:00:00Z".parse().unwrap(),
        ..history("r1.h0.n2.install.a1", StepKind::Install)
    };
    stage.agents[1].with(|state| state.histories = vec![later, earlier]);
    stage.agents[2].with(|state| state.answers = false);
    let core = stage.core().await;
    let run = core.show("r1", true, true).await.unwrap();
    assert_eq!(run.events.unwrap().len(), 2);
    let agents = run.agents.unwrap();
    let places: Vec<_> = agents.iter().map(|agent| (agent.node, agent.address.as_str())).collect();
    assert_eq!(places, [(1, "n1:1"), (2, "n2:1"), (3, "n3:1")]);
    assert!(agents[0].steps.as_ref().is_some_and(Vec::is_empty) && agents[0].error.is_none());
    assert_eq!(agents[1].steps.as_ref().unwrap().len(), 2);
    let step = &agents[1].steps.as_ref().unwrap()[0];
    assert_eq!((step.kind.as_str(), step.ended, step.cut_bytes), ("install", true, Some(17)));
    let texts: Vec<&str> = step.events.iter().map(|event| event.text.as_str()).collect();
    assert_eq!(texts, ["install begun", "| Starting services", "install was cut off: a reboot"]);
    assert!(agents[2].steps.is_none());
    assert_eq!(agents[2].error.as_ref().unwrap().id, "unreachable");
}

#[tokio::test]
async fn without_being_asked_no_agent_is() {
    let stage = Stage::new();
    let store = stage.store("ratchet.db").await;
    drop(begun(&store, "orders", "r1").await);
    let core = stage.core().await;
    assert!(core.show("r1", true, false).await.unwrap().agents.is_none());
    assert!(core.show(id("r1").as_str(), false, false).await.unwrap().events.is_none());
}
