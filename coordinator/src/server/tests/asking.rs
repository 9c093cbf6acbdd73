//! Asking agents: how long it takes, and that it does not matter whose channels are kept.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use proto::wire::{Execute, Observe, UNREACHABLE};
use proto::{Authority, Clock, Epoch, Failure, StepProgress, StepSpec};
use tokio::time::Instant;

use super::agent::FakeAgent;
use super::stage::{name, noon};
use crate::agents::{Agents, Dialer};
use crate::observe::observe;

#[tokio::test(start_paused = true)]
async fn a_look_takes_as_long_as_the_slowest_node_and_not_the_sum() {
    let agents: Vec<FakeAgent> = (1..=35).map(|uid| FakeAgent::new(uid, Default::default())).collect();
    for (agent, second) in agents.iter().zip(1..) {
        agent.with(|state| state.looks_for = Duration::from_secs(second));
    }
    let channels: Vec<_> = agents.iter().map(FakeAgent::serve).collect();
    let dialer = Dialer::through(Arc::new(move |address: &str| {
        let channel = address.parse().ok().and_then(|index: usize| channels.get(index));
        channel.cloned().ok_or_else(|| Failure::retry(UNREACHABLE, "there is no such agent"))
    }));
    let addresses: Vec<String> = (0..35).map(|index: usize| index.to_string()).collect();
    let asked = Observe { run_rlcheck: true, ..Observe::default() };
    let (agents, begun) = (Agents::new(dialer), Instant::now());
    let snapshot =
        observe(&agents, &name("large"), &addresses, &asked, &Clock::from_fn(Arc::new(noon))).await;
    assert_eq!(snapshot.answered().count(), 35);
    let took = begun.elapsed();
    assert!((35..40).contains(&took.as_secs()), "35 s is the slowest, 630 s is the sum: {took:?}");
}

/// Each dialling makes a new connection to one of these agents, which nobody else holds.
fn dialling(agents: &[FakeAgent]) -> Dialer {
    let agents = agents.to_vec();
    Dialer::through(Arc::new(move |address: &str| {
        let agent = address.parse().ok().and_then(|index: usize| agents.get(index));
        agent.map(FakeAgent::serve).ok_or_else(|| Failure::retry(UNREACHABLE, "there is no such agent"))
    }))
}

#[tokio::test(start_paused = true)]
async fn whoever_is_at_work_goes_on_when_his_channel_is_not_kept_any_more() {
    let agents: Vec<FakeAgent> = (1..=3).map(|uid| FakeAgent::new(uid, Default::default())).collect();
    let door = Arc::new(Agents::keeping(dialling(&agents), 1));
    agents[0].let_steps_end(false);
    let order = Execute {
        authority: Authority { run: "r".parse().unwrap(), epoch: Epoch(1) },
        step: "s".parse().unwrap(),
        spec: StepSpec::Check,
        from_seq: 1,
        only_join: false,
    };
    let mut step = door.execute("0", &order).await.unwrap();
    agents[1].with(|state| state.looks_for = Duration::from_secs(20));
    let slow = {
        let door = Arc::clone(&door);
        tokio::spawn(async move { door.observe("1", &Observe::default()).await })
    };
    for _ in 0..10 {
        door.observe("2", &Observe::default()).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        door.observe("0", &Observe::default()).await.unwrap();
    }
    slow.await.unwrap().unwrap();
    agents[0].let_steps_end(true);
    let end = step.next().await.unwrap().unwrap();
    assert!(matches!(end.what, StepProgress::Finished(_)), "{end:?}");
    assert!(step.next().await.is_none());
}
