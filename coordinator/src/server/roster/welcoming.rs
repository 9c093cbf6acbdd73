//! Letting agents in that connect by themselves: only where the fleet is led from, and each under a name of its own.

use std::sync::Arc;
use std::time::Duration;

use proto::Failure;
use proto::transport::{Arrived, Timeouts, Unwelcome};
use tokio::sync::mpsc;

use crate::server::Core;

/// How often it is looked whether this coordinator still leads, and what others have written about agents.
const LOOK: Duration = Duration::from_secs(1);

/// Whether this coordinator leads now.
pub(in crate::server) type Leads = Arc<dyn Fn() -> bool + Send + Sync>;

/// Lets agents in as long as they come. Those that are in are let go when somebody else leads.
pub(in crate::server) async fn welcome_all(
    core: Arc<Core>,
    mut agents: mpsc::Receiver<Arrived>,
    leads: Leads,
) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            arrived = agents.recv() => {
                let Some(arrived) = arrived else { break };
                tokio::spawn(welcome(Arc::clone(&core), arrived, Arc::clone(&leads)));
            }
            _ = look.tick() => {
                if !leads() {
                    core.world.agents.connected().let_go();
                }
                if let Err(failure) = core.freshen_roster().await {
                    tracing::warn!(%failure, "what is remembered of agents cannot be read");
                }
            }
        }
    }
    core.world.agents.connected().let_go();
}

/// One agent, for as long as it is connected.
async fn welcome(core: Arc<Core>, arrived: Arrived, leads: Leads) {
    let (hello, peer) = (arrived.hello.clone(), arrived.peer());
    let connected = core.world.agents.connected();
    if let Some(why) = unwelcome(&core, &arrived, &leads).await {
        tracing::info!(agent = %hello.name, ?peer, why = %why.failure, "an agent was sent away");
        if let Err(error) = arrived.refuse(&why).await {
            tracing::debug!(agent = %hello.name, %error, "an agent was gone before it was told");
        }
        return;
    }
    let (channel, gone) = match arrived.welcome(Timeouts::default()).await {
        Ok(welcomed) => welcomed,
        Err(error) => {
            tracing::info!(agent = %hello.name, ?peer, %error, "an agent was gone before it was let in");
            return;
        }
    };
    if let Err(failure) = core.remember(&hello).await {
        tracing::error!(agent = %hello.name, %failure, "an agent cannot be remembered; it is let go");
        return;
    }
    let number = match connected.put(hello.clone(), channel, core.now()) {
        Ok(number) => number,
        // Another one was faster; this one is let go, and told when it comes again.
        Err(_) => return,
    };
    tracing::info!(agent = %hello.name, ?peer, version = %hello.version, "an agent has connected");
    gone.wait().await;
    connected.end(&hello.name, number);
    tracing::info!(agent = %hello.name, ?peer, "an agent's connection is gone");
}

/// Why an agent is not wanted here, if it is not.
async fn unwelcome(core: &Core, arrived: &Arrived, leads: &Leads) -> Option<Unwelcome> {
    // Before anything is told to it: also who leads is none of a stranger's business.
    if let Err(failure) = arrived.is_who_it_says() {
        tracing::warn!(agent = %arrived.hello.name, peer = ?arrived.peer(), %failure, "an agent is not who it says");
        return Some(Unwelcome { failure, leader: None });
    }
    if !leads() {
        // Who leads is only a hint: without it, the agent tries its other addresses.
        let leader = core.store().leader().await.ok().flatten();
        let who = leader
            .as_ref()
            .map_or_else(|| "nobody leads yet".to_owned(), |one| format!("{} does", one.holder));
        let message = "this coordinator does not lead the fleet";
        let remedy = "nothing needs to be done: the agent goes on to who leads";
        let failure = Failure { remedy: Some(remedy.to_owned()), ..Failure::retry("not-leader", message) };
        return Some(Unwelcome {
            failure: failure.because(who),
            leader: leader.and_then(|leader| leader.address),
        });
    }
    let taken = core.world.agents.connected().may_come(&arrived.hello).err();
    taken.map(|failure| Unwelcome { failure, leader: None })
}
