//! The gRPC service: messages in, values to the executor, messages out. The only place that knows of gRPC.

mod audit;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use proto::pb::agent_server::Agent;
use proto::transport::{self, Connection, Door, Timeouts};
use proto::wire::{
    self, CancelStep, CatalogueKept, Claimed, Execute, Histories, Observe, RunHooks, SetHalt, TakeClaim,
    TakeOver, WireError,
};
use proto::{Authority, Claim, Failure, NodeUid, SignedCatalogue, StepEvent, StepProgress, pb};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Connected, Router};
use tonic::{Code, Request, Response, Status};

use crate::config::Config;
use crate::executor::{Executor, History};
use crate::facts;
use crate::hooks::Hooks;
use crate::refusal::Refusal;
use crate::serve::RunError;
use audit::Audit;

/// Events that are sent in one go.
const AT_ONCE: usize = 256;

/// Serves until the executor is stopping.
///
/// # Errors
/// [`RunError`].
pub async fn serve(listener: TcpListener, config: &Config, executor: Executor) -> Result<(), RunError> {
    let address = listener.local_addr().map_err(|error| RunError::Serve(error.into()))?;
    transport::check_listen(address, &config.security)?;
    let incoming = transport::incoming_at(listener, &config.security, Door::Agent, config.limits)?;
    // Agents that take this one for a coordinator are closed.
    drop(incoming.agents);
    let over = executor.stopping().cancelled_owned();
    serve_until(built(executor, false), incoming.clients, over).await
}

/// Serves the connections of a caller's own transport until the executor is stopping. They are plain: the transport
/// must not leave the machine.
///
/// # Errors
/// [`RunError`].
pub async fn serve_on<IO>(
    incoming: impl Stream<Item = io::Result<IO>>,
    executor: Executor,
) -> Result<(), RunError>
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let over = executor.stopping().cancelled_owned();
    serve_until(built(executor, true), incoming, over).await
}

/// How soon an agent that has dialled notices that its coordinator is gone, so that it finds the next one in time.
const NOTICED: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    keepalive_interval: Duration::from_secs(5),
    keepalive_timeout: Duration::from_secs(5),
};

/// Serves the coordinator at the other end of a connection that this agent has made, until the connection is gone or the
/// executor is stopping.
///
/// # Errors
/// [`RunError`].
pub async fn serve_connection(mut connection: Connection, executor: Executor) -> Result<(), RunError> {
    let (gone, stopping) = (connection.gone(), executor.stopping());
    let over = async move {
        tokio::select! {
            () = gone.wait() => {}
            () = stopping.cancelled_owned() => {}
        }
    };
    // Nothing comes after it, but an end of what comes in would end the serving of it.
    let incoming = futures::stream::iter([Ok::<_, io::Error>(connection)]).chain(futures::stream::pending());
    serve_until(router(NOTICED, executor, false), incoming, over).await
}

fn built(executor: Executor, for_this_machine: bool) -> Router {
    router(Timeouts::default(), executor, for_this_machine)
}

fn router(timeouts: Timeouts, executor: Executor, for_this_machine: bool) -> Router {
    let hooks = Hooks::of(&executor.door().config);
    let service = transport::agent_server(Service { executor, hooks });
    let service = if for_this_machine { service.for_this_machine() } else { service };
    transport::plain_server_builder(timeouts).add_service(service)
}

async fn serve_until<IO>(
    router: Router,
    incoming: impl Stream<Item = io::Result<IO>>,
    over: impl Future<Output = ()>,
) -> Result<(), RunError>
where
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let served = router.serve_with_incoming_shutdown(incoming, over).await;
    served.map_err(|error| RunError::Serve(error.into()))
}

#[derive(Debug)]
struct Service {
    executor: Executor,
    hooks: Hooks,
}

/// A step's events as they are sent.
type Events = Pin<Box<dyn Stream<Item = Result<pb::StepEvent, Status>> + Send>>;

/// What is asked. Calls that change something are written down in [`Audit`], whatever comes of them.
#[tonic::async_trait]
impl Agent for Service {
    async fn observe(&self, request: Request<pb::ObserveRequest>) -> Result<Response<pb::NodeFacts>, Status> {
        let asked = Observe::try_from(request.into_inner()).map_err(unreadable)?;
        let facts = facts::of(&self.executor, &asked).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::NodeFacts::from(&facts)))
    }

    async fn claim(&self, request: Request<pb::ClaimRequest>) -> Result<Response<pb::ClaimReply>, Status> {
        let audit = Audit::of("Claim", &request);
        audit.told(self.claim_asked(request.into_inner()).await)
    }

    async fn set_halt(
        &self,
        request: Request<pb::SetHaltRequest>,
    ) -> Result<Response<pb::SetHaltReply>, Status> {
        let audit = Audit::of("SetHalt", &request);
        audit.told(self.set_halt_asked(request.into_inner()).await)
    }

    async fn take_over(
        &self,
        request: Request<pb::TakeOverRequest>,
    ) -> Result<Response<pb::TakeOverReply>, Status> {
        let audit = Audit::of("TakeOver", &request);
        audit.told(self.take_over_asked(request.into_inner()).await)
    }

    async fn histories(
        &self,
        request: Request<pb::HistoriesRequest>,
    ) -> Result<Response<pb::HistoriesReply>, Status> {
        let Histories { run } = Histories::try_from(request.into_inner()).map_err(unreadable)?;
        let steps = self.executor.histories(run).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::HistoriesReply::from(steps.as_slice())))
    }

    async fn release(
        &self,
        request: Request<pb::ReleaseRequest>,
    ) -> Result<Response<pb::ReleaseReply>, Status> {
        let audit = Audit::of("Release", &request);
        audit.told(self.release_asked(request.into_inner()).await)
    }

    type ExecuteStream = Events;

    async fn execute(
        &self,
        request: Request<pb::ExecuteRequest>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let audit = Audit::of("Execute", &request);
        audit.told(self.execute_asked(request.into_inner()).await)
    }

    async fn cancel(&self, request: Request<pb::CancelRequest>) -> Result<Response<pb::CancelReply>, Status> {
        let audit = Audit::of("Cancel", &request);
        audit.told(self.cancel_asked(request.into_inner()).await)
    }

    async fn set_catalogue(
        &self,
        request: Request<pb::SetCatalogueRequest>,
    ) -> Result<Response<pb::SetCatalogueReply>, Status> {
        let audit = Audit::of("SetCatalogue", &request);
        audit.told(self.set_catalogue_asked(request.into_inner()).await)
    }

    async fn run_hooks(
        &self,
        request: Request<pb::RunHooksRequest>,
    ) -> Result<Response<pb::RunHooksReply>, Status> {
        let audit = Audit::of("RunHooks", &request);
        audit.told(self.run_hooks_asked(request.into_inner()).await)
    }
}

impl Service {
    async fn claim_asked(&self, request: pb::ClaimRequest) -> Result<Response<pb::ClaimReply>, Status> {
        let asked = TakeClaim::try_from(request).map_err(unreadable)?;
        let TakeClaim { run, cluster, epoch, holder, expected_node } = asked;
        self.refuse_other_node(expected_node).await?;
        let since = self.executor.door().clock.now();
        let claim = Claim { run, cluster, epoch, holder, since };
        let claim = self.executor.claim(claim).await.map_err(|refusal| status(&refusal))?;
        let claimed = Claimed { claim, memory: self.executor.memory().clone() };
        Ok(Response::new(pb::ClaimReply::from(&claimed)))
    }

    async fn set_halt_asked(
        &self,
        request: pb::SetHaltRequest,
    ) -> Result<Response<pb::SetHaltReply>, Status> {
        let asked = SetHalt::try_from(request).map_err(unreadable)?;
        let now = self.executor.set_halt(asked).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::SetHaltReply::from(&now)))
    }

    async fn take_over_asked(
        &self,
        request: pb::TakeOverRequest,
    ) -> Result<Response<pb::TakeOverReply>, Status> {
        let asked = TakeOver::try_from(request).map_err(unreadable)?;
        self.refuse_other_node(asked.node).await?;
        let taken = self.executor.take_over(asked).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::TakeOverReply::from(&taken)))
    }

    async fn release_asked(&self, request: pb::ReleaseRequest) -> Result<Response<pb::ReleaseReply>, Status> {
        let authority = Authority::try_from(request).map_err(unreadable)?;
        self.executor.release(authority).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::ReleaseReply::default()))
    }

    async fn execute_asked(&self, request: pb::ExecuteRequest) -> Result<Response<Events>, Status> {
        let Execute { authority, step, spec, from_seq, only_join } =
            Execute::try_from(request).map_err(unreadable)?;
        let history = self.executor.execute(authority, step, spec, only_join).await;
        let history = history.map_err(|refusal| status(&refusal))?;
        let events = events(history, from_seq, self.executor.stopping());
        Ok(Response::new(Box::pin(events)))
    }

    async fn set_catalogue_asked(
        &self,
        asked: pb::SetCatalogueRequest,
    ) -> Result<Response<pb::SetCatalogueReply>, Status> {
        let signed = SignedCatalogue::try_from(asked).map_err(unreadable)?;
        let serial = self.executor.set_catalogue(signed).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::SetCatalogueReply::from(&CatalogueKept { serial })))
    }

    async fn cancel_asked(&self, request: pb::CancelRequest) -> Result<Response<pb::CancelReply>, Status> {
        let CancelStep { authority, step } = CancelStep::try_from(request).map_err(unreadable)?;
        self.executor.cancel(authority, step).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::CancelReply::default()))
    }

    async fn run_hooks_asked(
        &self,
        request: pb::RunHooksRequest,
    ) -> Result<Response<pb::RunHooksReply>, Status> {
        let asked = RunHooks::try_from(request).map_err(unreadable)?;
        let outcomes = self.hooks.run(&self.executor, &asked).await.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(pb::RunHooksReply::from(outcomes.as_slice())))
    }

    /// A caller that means another node must not hold this one.
    async fn refuse_other_node(&self, expected: Option<NodeUid>) -> Result<(), Status> {
        let Some(expected) = expected else { return Ok(()) };
        let seen = self.executor.door().node.observe(&Observe::default()).await.node_uid;
        let cause = match seen.as_result() {
            Ok(uid) if *uid == expected => return Ok(()),
            Ok(uid) => format!("it is {uid}"),
            Err(reason) => format!("which node it is cannot be told: {reason}"),
        };
        let remedy = "correct the agents' addresses in the coordinator's configuration";
        let failure =
            Failure::operator("wrong-node", format!("this agent is not that of {expected}"), remedy);
        Err(wire::status_of(&failure.because(cause), Code::FailedPrecondition))
    }
}

/// The events of a step from a number on: those there are, then those that come, to its end or the agent's.
fn events(
    history: Arc<History>,
    from_seq: u64,
    stopping: CancellationToken,
) -> impl Stream<Item = Result<pb::StepEvent, Status>> + Send {
    let reader = Reader { news: history.subscribe(), history, next: from_seq, stopping, ended: false };
    let batches = futures::stream::unfold(reader, |mut reader| async move {
        let batch = reader.next_batch().await?;
        Some((futures::stream::iter(batch), reader))
    });
    StreamExt::flatten(batches)
}

struct Reader {
    history: Arc<History>,
    news: tokio::sync::watch::Receiver<usize>,
    next: u64,
    stopping: CancellationToken,
    ended: bool,
}

impl Reader {
    async fn next_batch(&mut self) -> Option<Vec<Result<pb::StepEvent, Status>>> {
        while !self.ended {
            self.news.mark_unchanged();
            let (events, over) = self.history.batch(self.next, AT_ONCE);
            if let Some(last) = events.last() {
                self.next = last.seq + 1;
                self.ended = is_end(last);
                return Some(events.iter().map(|event| Ok(pb::StepEvent::from(event))).collect());
            }
            if over {
                return None;
            }
            tokio::select! {
                changed = self.news.changed() => changed.ok()?,
                () = self.stopping.cancelled() => {
                    self.ended = true;
                    return Some(vec![Err(status(&Refusal::Stopping))]);
                }
            }
        }
        None
    }
}

fn is_end(event: &StepEvent) -> bool {
    matches!(event.what, StepProgress::Finished(_))
}

/// A request that does not say what it must.
fn unreadable(error: WireError) -> Status {
    let failure = Failure::bug("the request cannot be understood").because(error.to_string());
    wire::status_of(&failure, Code::InvalidArgument)
}

fn status(refusal: &Refusal) -> Status {
    let code = match refusal {
        Refusal::StaleEpoch { .. }
        | Refusal::GivenBack { .. }
        | Refusal::ClaimedByOther(_)
        | Refusal::HolderChanged { .. }
        | Refusal::NotClaimed { .. }
        | Refusal::Catalogue(_)
        | Refusal::StaleHalt { .. } => Code::PermissionDenied,
        Refusal::HooksOfWhichRun { .. } => Code::InvalidArgument,
        Refusal::InstallInFlight { .. }
        | Refusal::Busy { .. }
        | Refusal::Halted(_)
        | Refusal::NotRunning { .. }
        | Refusal::NotCancellable { .. } => Code::FailedPrecondition,
        Refusal::DifferentSpec { .. } => Code::AlreadyExists,
        Refusal::NeverOrdered { .. } => Code::NotFound,
        Refusal::Stopping => Code::Unavailable,
        Refusal::State(_) => Code::Internal,
    };
    wire::status_of(&refusal.failure(), code)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use proto::{Clock, StepOutcome, StepProgress};

    use super::*;
    use crate::durable::Disk;

    /// A step may end at any moment, also between two looks of whoever follows it.
    #[tokio::test(flavor = "multi_thread")]
    async fn no_end_is_missed_whenever_it_comes() {
        let dir = tempfile::tempdir().unwrap();
        for round in 0..200 {
            let step = format!("s{round}").parse().unwrap();
            let path = dir.path().join(format!("{round}"));
            let history = Arc::new(History::open(step, &path, &Disk::real(), Clock::system()).unwrap());
            let following = events(Arc::clone(&history), 1, CancellationToken::new()).collect::<Vec<_>>();
            let following = tokio::spawn(following);
            history.tell(vec![StepProgress::Started { resumed: false }]).unwrap();
            history.tell(vec![StepProgress::Finished(Box::new(StepOutcome::Cancelled))]).unwrap();
            assert_eq!(following.await.unwrap().len(), 2, "round {round}");
        }
    }
}
