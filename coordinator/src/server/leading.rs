//! Leading and standing by: of all coordinators that serve from one store, one leads. It alone drives runs and does what
//! must be done once for the whole fleet; the others answer reads and pass everything else on to it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proto::{Epoch, Failure};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Core, inventory, notices, rollouts, taking_up};
use crate::documents::{Document, LeaderDocument};
use crate::failures::chain;
use crate::readiness;
use crate::store::{Acquire, Lead, Leader, StoreError};

/// How often a coordinator that stands by tries to lead, and one that leads looks whether it still does.
const TRY: Duration = Duration::from_secs(1);

/// How long the store may take to say who leads.
const ANSWER: Duration = Duration::from_secs(3);

/// How long the store may be out of reach before a coordinator must take it that somebody else leads: no lease of a store
/// lasts longer than this without being renewed.
const LEASE: Duration = Duration::from_secs(6);

/// How long duties may take to end once leading is over; what goes on after that is cut off.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Whether this coordinator leads, and since when.
#[derive(Debug)]
pub(super) struct Leadership {
    /// How it answers others; `None` if it answers nobody but its own process: then it neither leads nor stands by.
    served: Option<Served>,
    turn: watch::Sender<Option<Turn>>,
    /// Whom it stands by for, and since when it has seen that.
    follows: watch::Sender<Option<(Epoch, Timestamp)>>,
}

#[derive(Debug)]
struct Served {
    /// Where others reach it; `None` if nobody can be told.
    address: Option<String>,
}

/// A turn at leading.
#[derive(Clone, Debug)]
struct Turn {
    lead: Arc<Lead>,
    since: Timestamp,
}

impl Leadership {
    /// Of a coordinator inside a command.
    pub(super) fn alone() -> Self {
        Self { served: None, turn: watch::Sender::new(None), follows: watch::Sender::new(None) }
    }

    /// Of a coordinator that answers others, at this address.
    pub(super) fn served(address: Option<String>) -> Self {
        Self { served: Some(Served { address }), ..Self::alone() }
    }

    /// Where others reach this coordinator, if anybody does.
    pub(super) fn address(&self) -> Option<&str> {
        self.served.as_ref().and_then(|served| served.address.as_deref())
    }

    /// Waits until it leads, and says at which epoch.
    #[cfg(test)]
    pub(super) async fn until_it_leads(&self) -> Epoch {
        let mut turns = self.turn.subscribe();
        let turn = turns.wait_for(Option::is_some).await.unwrap();
        turn.as_ref().unwrap().lead.epoch
    }

    /// Waits until it leads no more.
    #[cfg(test)]
    pub(super) async fn until_over(&self) {
        self.turn.subscribe().wait_for(Option::is_none).await.unwrap();
    }
}

impl Core {
    /// The lead, while this coordinator has it.
    pub(in crate::server) fn leading(&self) -> Option<Arc<Lead>> {
        self.leadership.turn.borrow().as_ref().map(|turn| Arc::clone(&turn.lead))
    }

    /// Whether it answers others: then only whoever leads drives runs.
    pub(in crate::server) fn serves(&self) -> bool {
        self.leadership.served.is_some()
    }

    /// Leads whenever nobody else does, until it is told to stop.
    pub(super) async fn lead_in_turn(self: Arc<Self>, stop: CancellationToken) {
        let mut told = String::new();
        while !stop.is_cancelled() {
            let stands = self.try_to_lead(&stop).await;
            if stands != told && !stop.is_cancelled() {
                tracing::info!("{stands}");
                readiness::status(&stands);
                told = stands;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(TRY) => {}
            }
        }
    }

    /// Leads for as long as it can, or says why it does not.
    async fn try_to_lead(self: &Arc<Self>, stop: &CancellationToken) -> String {
        let address = self.leadership.address();
        let holder = crate::identity::holder();
        let lead = self.store().lead(&holder, address, Acquire::IfFree);
        match timeout(ANSWER, lead).await {
            Ok(Ok(lead)) => self.lead_on(Arc::new(lead), stop).await,
            Ok(Err(StoreError::Led { holder })) => {
                self.follow().await;
                format!("standing by for {holder}")
            }
            Ok(Err(error)) => format!("standing by: the store cannot be used: {}", chain(&error)),
            Err(_) => "standing by: the store does not answer".to_owned(),
        }
    }

    async fn lead_on(self: &Arc<Self>, lead: Arc<Lead>, stop: &CancellationToken) -> String {
        let epoch = lead.epoch;
        tracing::info!(%epoch, "leading");
        readiness::status(&format!("leading at epoch {epoch}"));
        let over = CancellationToken::new();
        self.leadership.turn.send_replace(Some(Turn { lead: Arc::clone(&lead), since: self.now() }));
        self.metrics.leads(Some(epoch));
        let mut duties = self.duties(&lead, &over);
        let why = tokio::select! {
            () = stop.cancelled() => "it is being stopped".to_owned(),
            why = self.deposed(epoch) => why,
            _ended = duties.join_next() => "one of its duties ended".to_owned(),
        };
        self.leadership.turn.send_replace(None);
        self.metrics.leads(None);
        over.cancel();
        self.drivers.stand_down();
        if timeout(LAST_WORDS, async { while duties.join_next().await.is_some() {} }).await.is_err() {
            duties.shutdown().await;
        }
        tracing::warn!(%epoch, why, "leading no more");
        format!("leading no more: {why}")
    }

    /// What only the leader does. Each ends soon after `over` is cancelled.
    fn duties(self: &Arc<Self>, lead: &Arc<Lead>, over: &CancellationToken) -> JoinSet<()> {
        let mut duties = JoinSet::new();
        duties.spawn(taking_up::duty(Arc::clone(self), Arc::clone(lead), over.clone()));
        duties.spawn(inventory::duty(Arc::clone(self), Arc::clone(lead), over.clone()));
        duties.spawn(rollouts::duty(Arc::clone(self), Arc::clone(lead), over.clone()));
        duties.spawn(notices::duty(Arc::clone(self), Arc::clone(lead), over.clone()));
        duties
    }

    /// Waits until this turn at leading is over, and says why. A store that does not answer says nothing, until the lease
    /// must have run out.
    async fn deposed(&self, epoch: Epoch) -> String {
        let mut seen = Instant::now();
        loop {
            sleep(TRY).await;
            let left = LEASE.saturating_sub(seen.elapsed());
            match timeout(left.min(ANSWER), self.store().leader()).await {
                Ok(Ok(Some(leader))) if leader.epoch == epoch => seen = Instant::now(),
                Ok(Ok(Some(leader))) => return format!("{} leads at epoch {}", leader.holder, leader.epoch),
                Ok(Ok(None)) => return "its lease has run out".to_owned(),
                Ok(Err(_)) | Err(_) if seen.elapsed() >= LEASE => {
                    return "the store is out of reach".to_owned();
                }
                Ok(Err(error)) => tracing::warn!(error = chain(&error), "who leads cannot be told"),
                Err(_) => tracing::warn!("the store does not say who leads"),
            }
        }
    }

    /// Notes when somebody else was first seen to lead.
    async fn follow(&self) {
        let leader = timeout(ANSWER, self.store().leader()).await;
        let epoch = leader.ok().and_then(Result::ok).flatten().map(|leader| leader.epoch);
        let now = self.now();
        self.leadership.follows.send_if_modified(|follows| {
            let news = follows.map(|(epoch, _)| epoch) != epoch;
            if news {
                *follows = epoch.map(|epoch| (epoch, now));
            }
            news
        });
    }

    /// Who leads, as this coordinator knows it.
    pub(super) async fn leader_document(&self) -> Result<LeaderDocument, Failure> {
        let leader = self.store().leader().await?;
        let turn = self.leadership.turn.borrow().clone();
        let leads = leader
            .as_ref()
            .is_some_and(|leader| turn.as_ref().is_some_and(|turn| turn.lead.epoch == leader.epoch));
        let since = leader.as_ref().and_then(|leader| self.led_since(leader, turn.as_ref()));
        Ok(LeaderDocument {
            schema: LeaderDocument::SCHEMA.to_owned(),
            leads,
            answered_by: crate::identity::holder(),
            epoch: leader.as_ref().map(|leader| leader.epoch.0),
            since,
            address: leader.as_ref().and_then(|leader| leader.address.clone()),
            holder: leader.map(|leader| leader.holder),
            coordinators: Vec::new(),
        })
    }

    fn led_since(&self, leader: &Leader, turn: Option<&Turn>) -> Option<Timestamp> {
        let own = turn.filter(|turn| turn.lead.epoch == leader.epoch).map(|turn| turn.since);
        let seen = *self.leadership.follows.borrow();
        own.or(seen.filter(|(epoch, _)| *epoch == leader.epoch).map(|(_, since)| since))
    }
}
