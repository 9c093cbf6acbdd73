//! Orders are taken as the real agent takes them.

use futures::StreamExt;
use proto::wire::{SetHalt, TakeClaim};
use proto::{Halt, NodeHalt, NodeUid, Sha256, Version};

use super::*;
use crate::fleet::Fleet;
use crate::spec::FleetSpec;

const TARGET: Version = Version::new(7, 22, 0, 95);

/// The master of a cluster of its own, held for the run `r` at epoch 2.
fn held() -> (Fleet, Arc<SimAgent>) {
    let fleet = Fleet::made(&FleetSpec::new(1, 3));
    let agent = Arc::clone(&fleet.agents()[0]);
    claim(&agent, 2);
    (fleet, agent)
}

fn claim(agent: &SimAgent, epoch: u64) {
    let (run, cluster) = ("r".parse().unwrap(), "c0000".parse().unwrap());
    let expected_node = Some(NodeUid(1));
    agent
        .claim(TakeClaim { run, cluster, epoch: Epoch(epoch), holder: "me".to_owned(), expected_node })
        .unwrap();
}

fn install(epoch: u64, only_join: bool) -> Execute {
    let spec = StepSpec::Install(InstallSpec {
        unpacked_by: "u".parse().unwrap(),
        package: Sha256::of(b"package"),
        target: TARGET,
        expected_installed: Version::new(7, 4, 2, 54),
        expected_role: None,
        args: Vec::new(),
        deadline: None,
    });
    let authority = Authority { run: "r".parse().unwrap(), epoch: Epoch(epoch) };
    Execute { authority, step: "r.h0.n1.install.a1".parse().unwrap(), spec, from_seq: 1, only_join }
}

fn halt(number: u64, on: bool) -> SetHalt {
    let halt = Halt { by: "me".to_owned(), why: "so".to_owned(), at: jiff::Timestamp::UNIX_EPOCH };
    SetHalt { source: NodeHalt::FLEET.to_owned(), number, halt: on.then_some(halt) }
}

fn refusal(answer: Result<Arc<Step>, Failure>) -> String {
    answer.map(|step| step.record.step.clone()).unwrap_err().id
}

#[tokio::test]
async fn an_install_that_is_ordered_twice_is_joined() {
    let (fleet, agent) = held();
    let first = agent.execute(install(2, false)).unwrap();
    let second = agent.execute(install(2, true)).unwrap();
    assert_eq!(first.follow(1).count().await, 2);
    assert_eq!(second.follow(2).count().await, 1, "told from where it was asked for");
    let ended = agent.execute(install(2, false)).unwrap();
    assert_eq!(ended.follow(1).count().await, 2);
    assert_eq!(fleet.ledger().installs(&agent.cluster.name, NodeUid(1)), 1);
    assert_eq!(agent.cluster.versions()[0], TARGET);
}

#[tokio::test]
async fn an_install_that_is_asked_for_and_unknown_can_never_begin() {
    let (fleet, agent) = held();
    assert_eq!(refusal(agent.execute(install(2, true))), "never-ordered");
    let late = agent.execute(install(2, false)).unwrap();
    assert_eq!(late.follow(1).count().await, 1, "it is told that it never began");
    assert!(fleet.ledger().entries().is_empty());
}

#[tokio::test]
async fn an_old_epoch_orders_nothing() {
    let (fleet, agent) = held();
    claim(&agent, 3);
    assert_eq!(refusal(agent.execute(install(2, false))), "stale-epoch");
    assert!(fleet.ledger().entries().is_empty());
}

#[tokio::test]
async fn a_halted_node_begins_nothing_until_the_halt_is_lifted() {
    let (fleet, agent) = held();
    assert_eq!(agent.set_halt(halt(1, true)).unwrap().len(), 1);
    assert_eq!(refusal(agent.execute(install(2, false))), "halted");
    assert!(fleet.ledger().entries().is_empty());
    agent.set_halt(halt(2, false)).unwrap();
    assert_eq!(
        agent.execute(install(2, false)).unwrap().follow(1).count().await,
        1,
        "this one came too early"
    );
    let another = Execute { step: "r.h0.n1.install.a2".parse().unwrap(), ..install(2, false) };
    assert_eq!(agent.execute(another).unwrap().follow(1).count().await, 2);
    assert_eq!(fleet.ledger().installs(&agent.cluster.name, NodeUid(1)), 1);
    assert!(fleet.ledger().violations().is_empty());
}
