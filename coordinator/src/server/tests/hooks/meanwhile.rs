//! What happens while hooks run, and agents that do not run them.

use super::*;

/// Waits until a hook has made a file.
async fn until_made(file: &std::path::Path) {
    while !file.exists() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_run_that_has_halted_can_be_told_to_go_on_or_to_end_while_its_hooks_run() {
    for request in ["resume", "retry", "abort"] {
        let stage = stage("30s");
        let (begun_file, go) = (stage.path("begun"), stage.path("go"));
        hook(&stage, HookPoint::BeforeTurn, "10-window", "exit 1");
        let slow = format!("echo > {begun_file:?}; while [ ! -e {go:?} ]; do sleep 0.05; done");
        hook(&stage, HookPoint::OnHalt, "10-slow", &slow);
        begun(&stage, &[]).await;
        let core = stage.core().await;
        core.go_on_with_interrupted().await;
        until_made(&begun_file).await;
        hook(&stage, HookPoint::BeforeTurn, "10-window", "exit 0");
        let answer = match request {
            "resume" => core.resume("r1", false, "ann").await,
            "retry" => core.retry("r1", None, "ann").await,
            _ => core.abort("r1", "ann").await,
        };
        assert_eq!(answer.unwrap().state, RunState::Running, "{request}");
        fs::write(&go, "").unwrap();
        let (news, run) = followed(&core).await;
        let expected = if request == "abort" { RunState::Aborted } else { RunState::Done };
        assert_eq!(run.state, expected, "{request}: {}", run.doing);
        let kinds = kinds(&news);
        assert_eq!(kinds.iter().filter(|kind| *kind == "halted").count(), 1, "{request}: {kinds:?}");
    }
}

#[tokio::test]
async fn an_agent_that_will_not_run_its_hooks_halts_the_turn() {
    let stage = stage("30s");
    let refusal =
        proto::Failure::operator("other-version", "it does not know this call", "install the same version");
    stage.agents[0].with(|state| state.hooks_refused = Some((HookPoint::BeforeTurn, refusal)));
    begun(&stage, &[]).await;
    let (_, run) = driven(&stage.core().await).await;
    let failure = run.halt.unwrap().error;
    assert_eq!(
        failure.message,
        "asking for hooks (before-turn, on node:1) does not let the turn of node:1 begin"
    );
    let cause = "the hooks of agent n1:1 were not run: it does not know this call";
    assert_eq!(failure.cause.as_deref(), Some(cause));
    assert_eq!(failure.remedy.as_deref(), Some("install the same version, then: ratchet resume r1"));
    assert_eq!(installs(&journal(&stage).await), Vec::<u32>::new());
}

#[tokio::test]
async fn a_driver_whose_agent_obeys_a_later_one_stops_at_the_hooks() {
    let stage = stage("30s");
    let refusal = proto::Failure::operator("stale-epoch", "epoch 2 is over", "somebody else drives");
    stage.agents[0].with(|state| state.hooks_refused = Some((HookPoint::BeforeTurn, refusal)));
    begun(&stage, &[]).await;
    let core = stage.core().await;
    core.go_on_with_interrupted().await;
    let (_, failure) = told(&core, &mut core.watching(id("r1"), 1)).await;
    assert_eq!(failure.expect("it must stop").id, "superseded");
    assert_eq!(of_kind(&journal(&stage).await, "halted"), 0, "nothing is concluded for the later driver");
}

#[tokio::test]
async fn a_run_that_has_given_its_nodes_back_ends_whoever_holds_them_by_now() {
    let stage = stage("30s");
    let refusal = proto::Failure::operator("stale-epoch", "epoch 2 is over", "somebody else drives");
    stage.agents[0].with(|state| state.hooks_refused = Some((HookPoint::AfterRun, refusal)));
    begun(&stage, &[]).await;
    let (news, run) = driven(&stage.core().await).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    let events = news.iter().flat_map(|news| &news.events);
    let text = &events.clone().find(|event| event.kind == "hooked").unwrap().text;
    assert!(text.contains("after-run on node:1 cannot tell") && text.contains("epoch 2 is over"), "{text}");
}

#[tokio::test]
async fn hooks_take_time_so_the_cluster_is_looked_at_again_before_the_turn() {
    let stage = stage("30s");
    stage.agents[0].with(|state| {
        state.hooks = vec![(HookPoint::BeforeTurn, HookVerdict::Pass)];
        state.busy_after_hooks = true;
    });
    begun(&stage, &[]).await;
    let core = stage.core().await;
    core.go_on_with_interrupted().await;
    let mut watching = core.watching(id("r1"), 1);
    let mut seen = Vec::new();
    while !seen.contains(&"gate_held".to_owned()) {
        let news = core.news(&mut watching).await.unwrap().expect("the gate must hold back");
        seen.extend(kinds(&[news]));
    }
    let place = |kind: &str| seen.iter().position(|seen| seen == kind);
    assert!(
        place("hooked").unwrap() < place("gate_held").unwrap() && place("gate_passed").is_none(),
        "{seen:?}"
    );
    stage.agents[0].with(|state| (state.busy_after_hooks, state.step) = (false, None));
    let (_, run) = followed(&core).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
    let asked = points(&stage.agents[0].with(|state| state.asked.clone()));
    assert_eq!(asked, ["before-turn", "after-turn", "after-run"], "each is asked once");
}

#[tokio::test]
async fn a_pause_during_the_hooks_before_a_turn_takes_effect_before_it() {
    let stage = stage("30s");
    let (begun_file, go) = (stage.path("begun"), stage.path("go"));
    let slow = format!("echo > {begun_file:?}; while [ ! -e {go:?} ]; do sleep 0.05; done");
    hook(&stage, HookPoint::BeforeTurn, "10-slow", &slow);
    begun(&stage, &[]).await;
    let core = stage.core().await;
    core.go_on_with_interrupted().await;
    until_made(&begun_file).await;
    core.pause("r1", "ann").await.unwrap();
    fs::write(&go, "").unwrap();
    let (_, run) = followed(&core).await;
    assert_eq!(run.state, RunState::Paused, "{}", run.doing);
    assert_eq!(of_kind(&journal(&stage).await, "gate_passed"), 0);
    let (_, run) = resumed(&core).await;
    assert_eq!(run.state, RunState::Done, "{}", run.doing);
}
