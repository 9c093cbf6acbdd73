//! Everything this agent knows of its node at one moment: what it sees, and what it remembers.

use proto::NodeFacts;
use proto::wire::Observe;

use crate::executor::Executor;
use crate::refusal::Refusal;

/// The node's facts, live.
///
/// # Errors
/// [`Refusal::State`], when the agent cannot read its own directory. What the product does not answer is no error.
pub async fn of(executor: &Executor, asked: &Observe) -> Result<NodeFacts, Refusal> {
    let door = executor.door();
    let seen = door.node.observe(asked).await;
    let record = executor.claim_record();
    Ok(NodeFacts {
        observed_at: door.clock.now(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        boot_id: seen.boot_id,
        hostname: seen.hostname,
        node_uid: seen.node_uid,
        cluster_name: seen.cluster_name,
        installed: seen.installed,
        installation: seen.installation,
        os: seen.os,
        arch: seen.arch,
        view: seen.view,
        running_actions: seen.running_actions,
        snapshots: seen.snapshots,
        upgrade_mode: seen.upgrade_mode,
        rlcheck: seen.rlcheck,
        disks: seen.disks,
        system: seen.system,
        install_args: door.config.install_args.clone(),
        runner: door.config.runner(),
        packages: door.packages.held()?,
        sources: seen.sources,
        claim: record.claim,
        highest_epoch: record.highest_epoch,
        current_step: executor.current_step(),
        memory: executor.memory().clone(),
        settings: seen.settings,
        details: seen.details,
        halts: executor.halts().in_force(door.clock.now()),
    })
}
