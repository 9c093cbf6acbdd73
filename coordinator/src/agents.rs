//! The door to the agents: the only place of the coordinator that dials.

mod channels;
mod connected;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt};
use proto::pb::agent_client::AgentClient;
use proto::transport::{Security, Timeouts, agent_client, dial, is_gates};
use proto::wire::{
    CancelStep, CatalogueKept, Claimed, Execute, HaltsNow, Histories, Observe, RunHooks, SetHalt, TakeClaim,
    TakeOver, TakenOver, UNREACHABLE, failure_of,
};
use proto::{
    Authority, Failure, HookOutcome, NodeFacts, Role, RunId, SignedCatalogue, StepEvent, StepHistory,
};
use tonic::transport::Channel;

use channels::Channels;
pub use connected::{Connected, ConnectedAgent};

/// How long an agent may take to look at its node; with `rlcheck`, which walks through every service, much longer.
const OBSERVE: Duration = Duration::from_secs(45);
const OBSERVE_WITH_RLCHECK: Duration = Duration::from_secs(300);
/// How long an agent may take to answer anything else.
const ANSWER: Duration = Duration::from_secs(30);
/// Agents that are dialled and whose channels are kept: each costs 40 to 50 KiB for as long as it is kept.
const KEPT: usize = 4096;

/// How an agent's address becomes a channel to it. Nothing is sent by dialling: a channel connects when it is used.
#[derive(Clone)]
pub struct Dialer(Arc<Dial>);

type Dial = dyn Fn(&str) -> Result<Channel, Failure> + Send + Sync;

impl Dialer {
    /// Over the network, with the given security.
    pub fn network(security: Security) -> Self {
        Self::through(Arc::new(move |address| {
            dial(address, Role::Agent, &security, Timeouts::default()).map_err(|error| {
                let remedy = "correct the agent's address or the [tls] files in ratchet.toml";
                Failure::operator("undialable", format!("agent {address} cannot be dialled"), remedy)
                    .because(crate::failures::chain(&error))
            })
        }))
    }

    /// Over whatever the caller has: a network in memory, in a simulation.
    pub fn through(dial: Arc<Dial>) -> Self {
        Self(dial)
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialer")
    }
}

/// What the address of an agent begins with that connects by itself; its name follows.
pub const BY_NAME: char = '@';

/// Connections to agents, by address: `HOST:PORT` of one that is dialled, `@name` of one that connects by itself.
#[derive(Debug)]
pub struct Agents {
    dialer: Dialer,
    channels: Mutex<Channels<Channel>>,
    connected: Connected,
}

impl Agents {
    /// A door that dials like this.
    pub fn new(dialer: Dialer) -> Self {
        Self::keeping(dialer, KEPT)
    }

    /// The same, keeping at most so many channels to agents that are dialled.
    pub(crate) fn keeping(dialer: Dialer, most: usize) -> Self {
        Self { dialer, channels: Mutex::new(Channels::keeping(most)), connected: Connected::default() }
    }

    /// Agents that have connected by themselves.
    pub fn connected(&self) -> &Connected {
        &self.connected
    }

    /// A node's facts, live.
    pub async fn observe(&self, address: &str, request: &Observe) -> Result<NodeFacts, Failure> {
        let limit = if request.run_rlcheck { OBSERVE_WITH_RLCHECK } else { OBSERVE };
        let mut client = self.client(address)?;
        let answer = within(limit, address, client.observe(proto::pb::ObserveRequest::from(request))).await?;
        answer.try_into().map_err(|error: proto::wire::WireError| garbled(address, &error))
    }

    /// Takes a node for a run.
    pub async fn claim(&self, address: &str, request: &TakeClaim) -> Result<Claimed, Failure> {
        let mut client = self.client(address)?;
        let answer = within(ANSWER, address, client.claim(proto::pb::ClaimRequest::from(request))).await?;
        answer.try_into().map_err(|error: proto::wire::WireError| garbled(address, &error))
    }

    /// Sets or lifts a halt on a node.
    pub async fn set_halt(&self, address: &str, request: &SetHalt) -> Result<HaltsNow, Failure> {
        let mut client = self.client(address)?;
        let answer =
            within(ANSWER, address, client.set_halt(proto::pb::SetHaltRequest::from(request))).await?;
        answer.try_into().map_err(|error: proto::wire::WireError| garbled(address, &error))
    }

    /// Gives a node the fleet owner's signed catalogue; which one it keeps now.
    pub async fn set_catalogue(
        &self,
        address: &str,
        signed: &SignedCatalogue,
    ) -> Result<CatalogueKept, Failure> {
        let mut client = self.client(address)?;
        let request = proto::pb::SetCatalogueRequest::from(signed);
        let answer = within(ANSWER, address, client.set_catalogue(request)).await?;
        answer.try_into().map_err(|error: proto::wire::WireError| garbled(address, &error))
    }

    /// Takes a node away from whoever holds it, if it is who the request says.
    pub async fn take_over(&self, address: &str, request: &TakeOver) -> Result<TakenOver, Failure> {
        let mut client = self.client(address)?;
        let answer =
            within(ANSWER, address, client.take_over(proto::pb::TakeOverRequest::from(request))).await?;
        answer.try_into().map_err(|error: proto::wire::WireError| garbled(address, &error))
    }

    /// An agent's own journals of a run's steps.
    pub async fn histories(&self, address: &str, run: &RunId) -> Result<Vec<StepHistory>, Failure> {
        let mut client = self.client(address)?;
        let request = proto::pb::HistoriesRequest::from(&Histories { run: run.clone() });
        let answer = within(OBSERVE, address, client.histories(request)).await?;
        answer.try_into().map_err(|error: proto::wire::WireError| garbled(address, &error))
    }

    /// Gives a node back.
    pub async fn release(&self, address: &str, authority: &Authority) -> Result<(), Failure> {
        let mut client = self.client(address)?;
        within(ANSWER, address, client.release(proto::pb::ReleaseRequest::from(authority))).await.map(|_| ())
    }

    /// Stops a step that can be stopped.
    pub async fn cancel(&self, address: &str, request: &CancelStep) -> Result<(), Failure> {
        let mut client = self.client(address)?;
        within(ANSWER, address, client.cancel(proto::pb::CancelRequest::from(request))).await.map(|_| ())
    }

    /// Runs a node's own hooks of a point to their ends, all within the request's deadline.
    pub async fn run_hooks(&self, address: &str, request: &RunHooks) -> Result<Vec<HookOutcome>, Failure> {
        let mut client = self.client(address)?;
        let limit = request.deadline.saturating_add(ANSWER);
        let answer =
            within(limit, address, client.run_hooks(proto::pb::RunHooksRequest::from(request))).await?;
        answer.try_into().map_err(|error: proto::wire::WireError| garbled(address, &error))
    }

    /// Does a step or joins it. The stream ends after the step's last event; an error in it means that the connection
    /// was lost, not that the step failed.
    pub async fn execute(
        &self,
        address: &str,
        request: &Execute,
    ) -> Result<impl Stream<Item = Result<StepEvent, Failure>> + Send + use<>, Failure> {
        let mut client = self.client(address)?;
        let stream =
            within(ANSWER, address, client.execute(proto::pb::ExecuteRequest::from(request))).await?;
        let address = address.to_owned();
        Ok(stream.map(move |event| match event {
            Ok(event) => event.try_into().map_err(|error: proto::wire::WireError| garbled(&address, &error)),
            Err(status) => Err(named(&address, failure_of(status))),
        }))
    }

    fn client(&self, address: &str) -> Result<AgentClient<Channel>, Failure> {
        if let Some(name) = address.strip_prefix(BY_NAME) {
            return Ok(agent_client(self.connected.channel(name)?));
        }
        if let Some(channel) = self.channels().get(address) {
            return Ok(agent_client(channel));
        }
        // Not under the lock: certificates are read.
        let channel = (self.dialer.0)(address)?;
        Ok(agent_client(self.channels().put(address, channel)))
    }

    /// What is behind the lock is whole between any two statements.
    fn channels(&self) -> MutexGuard<'_, Channels<Channel>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a failure means that nobody knows what the agent made of the request.
pub fn is_unreachable(failure: &Failure) -> bool {
    failure.id == UNREACHABLE
}

async fn within<T>(
    limit: Duration,
    address: &str,
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(named(address, failure_of(status))),
        Err(_) => {
            let silence = format!("it did not answer within {} s", limit.as_secs());
            Err(named(address, Failure::retry(UNREACHABLE, silence)))
        }
    }
}

/// Says which agent it was, and what a person can look at.
fn named(address: &str, failure: Failure) -> Failure {
    if is_gates(&failure) {
        // The agent has not seen the request, and tells nothing of earlier ones: it is as good as out of reach.
        let again = Failure::retry(UNREACHABLE, format!("agent {address} does not obey this coordinator"));
        return Failure { remedy: failure.remedy.clone(), ..again.because(failure.to_string()) };
    }
    if !is_unreachable(&failure) {
        return failure;
    }
    let cause = failure.to_string();
    let remedy = match address.strip_prefix(BY_NAME) {
        Some(name) => connected::look_there(name),
        None => format!(
            "on that node: systemctl status ratchet-agent; from here: nc -zv {}",
            address.replace(':', " ")
        ),
    };
    Failure {
        message: format!("agent {address} cannot be reached"),
        cause: Some(cause),
        remedy: Some(remedy),
        ..failure
    }
}

fn garbled(address: &str, error: &proto::wire::WireError) -> Failure {
    Failure::operator(
        "garbled",
        format!("agent {address} sent something that cannot be understood"),
        "install the same version of ratchet and ratchet-agent",
    )
    .because(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing may be concluded about a step from an agent's gate: behind it, it may be running.
    #[test]
    fn an_agent_that_does_not_obey_is_as_good_as_out_of_reach() {
        for id in
            ["not-allowed", "other-fleet", "certificate-expired", "certificate-revoked", "too-many-requests"]
        {
            let told =
                named("db-1:7443", Failure::operator(id, "the certificate is not accepted", "renew it"));
            assert!(is_unreachable(&told), "{id}");
            assert_eq!(told.remedy.as_deref(), Some("renew it"));
            assert!(told.to_string().contains("db-1:7443") && told.to_string().contains("not accepted"));
        }
        let own = Failure::operator("held", "another run has it", "wait");
        assert_eq!(named("db-1:7443", own.clone()), own);
    }
}
