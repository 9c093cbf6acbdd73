//! The agents' gRPC service: one for all, each connection leads to one of them.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use proto::pb::agent_server::Agent;
use proto::wire::{
    self, CancelStep, Execute, HaltsNow, Histories, Observe, SetHalt, TakeClaim, TakeOver, WireError,
};
use proto::{Authority, Failure, pb};
use tonic::{Code, Request, Response, Status};

use crate::agent::SimAgent;
use crate::line::Whose;

/// Messages in, values to the agent of the connection, messages out.
#[derive(Debug)]
pub(crate) struct Service;

#[tonic::async_trait]
impl Agent for Service {
    async fn observe(&self, request: Request<pb::ObserveRequest>) -> Result<Response<pb::NodeFacts>, Status> {
        let (agent, asked) = taken::<_, Observe>(request)?;
        Ok(Response::new(pb::NodeFacts::from(&agent.observe(&asked))))
    }

    async fn claim(&self, request: Request<pb::ClaimRequest>) -> Result<Response<pb::ClaimReply>, Status> {
        let (agent, asked) = taken::<_, TakeClaim>(request)?;
        let claimed = agent.claim(asked).map_err(refused)?;
        Ok(Response::new(pb::ClaimReply::from(&claimed)))
    }

    async fn take_over(
        &self,
        request: Request<pb::TakeOverRequest>,
    ) -> Result<Response<pb::TakeOverReply>, Status> {
        let (agent, asked) = taken::<_, TakeOver>(request)?;
        let taken = agent.take_over(&asked).map_err(refused)?;
        Ok(Response::new(pb::TakeOverReply::from(&taken)))
    }

    async fn release(
        &self,
        request: Request<pb::ReleaseRequest>,
    ) -> Result<Response<pb::ReleaseReply>, Status> {
        let (agent, authority) = taken::<_, Authority>(request)?;
        agent.release(&authority).map_err(refused)?;
        Ok(Response::new(pb::ReleaseReply::default()))
    }

    type ExecuteStream = Pin<Box<dyn Stream<Item = Result<pb::StepEvent, Status>> + Send>>;

    async fn execute(
        &self,
        request: Request<pb::ExecuteRequest>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let (agent, order) = taken::<_, Execute>(request)?;
        let from = order.from_seq;
        let step = agent.execute(order).map_err(refused)?;
        Ok(Response::new(step.follow(from).map(|event| Ok(pb::StepEvent::from(&event))).boxed()))
    }

    async fn cancel(&self, request: Request<pb::CancelRequest>) -> Result<Response<pb::CancelReply>, Status> {
        let (agent, CancelStep { authority, step }) = taken(request)?;
        agent.cancel(&authority, step).map_err(refused)?;
        Ok(Response::new(pb::CancelReply::default()))
    }

    async fn set_catalogue(
        &self,
        _: Request<pb::SetCatalogueRequest>,
    ) -> Result<Response<pb::SetCatalogueReply>, Status> {
        Err(Status::unimplemented("a signed catalogue"))
    }

    async fn histories(
        &self,
        request: Request<pb::HistoriesRequest>,
    ) -> Result<Response<pb::HistoriesReply>, Status> {
        let (agent, Histories { run }) = taken(request)?;
        Ok(Response::new(pb::HistoriesReply::from(agent.histories(&run).as_slice())))
    }

    async fn run_hooks(
        &self,
        request: Request<pb::RunHooksRequest>,
    ) -> Result<Response<pb::RunHooksReply>, Status> {
        // Simulated nodes have none.
        whose(&request)?;
        Ok(Response::new(pb::RunHooksReply::default()))
    }

    async fn set_halt(
        &self,
        request: Request<pb::SetHaltRequest>,
    ) -> Result<Response<pb::SetHaltReply>, Status> {
        let (agent, asked) = taken::<_, SetHalt>(request)?;
        let halts = agent.set_halt(asked).map_err(refused)?;
        Ok(Response::new(pb::SetHaltReply::from(&HaltsNow { halts })))
    }
}

/// The agent that is asked, and what it is asked.
fn taken<W, T: TryFrom<W, Error = WireError>>(request: Request<W>) -> Result<(Arc<SimAgent>, T), Status> {
    let agent = whose(&request)?;
    let unreadable = |error: WireError| {
        let failure = Failure::bug("the request cannot be understood").because(error.to_string());
        wire::status_of(&failure, Code::InvalidArgument)
    };
    Ok((agent, request.into_inner().try_into().map_err(unreadable)?))
}

fn whose<W>(request: &Request<W>) -> Result<Arc<SimAgent>, Status> {
    let Some(Whose(agent)) = request.extensions().get() else {
        return Err(Status::internal("the connection leads to nobody"));
    };
    if agent.cluster.is_silent() {
        return Err(Status::unavailable("nobody is there"));
    }
    Ok(Arc::clone(agent))
}

fn refused(failure: Failure) -> Status {
    wire::status_of(&failure, Code::FailedPrecondition)
}
