//! How long it takes to ask all agents of a large cluster.

use std::sync::Arc;
use std::time::Duration;

use proto::wire::{Observe, UNREACHABLE};
use proto::{Clock, Failure};
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
