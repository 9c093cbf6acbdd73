//! An agent that keeps its claim as a real one does, and does with steps what a test wants.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{Stream, StreamExt};
use proto::pb::agent_server::Agent;
use proto::transport::{Hello, OfferError, Security, Timeouts};
use proto::wire::{Execute, HaltsNow, RunHooks, SetHalt, TakeClaim, TakeOver};
use proto::{
    AgentMemory, Authority, Claim, Clock, Epoch, Fact, Failure, Halt, HookOutcome, HookPoint, HookSide,
    HookVerdict, NodeFacts, NodeHalt, NodeUid, StepEvent, StepHistory, StepInFlight, StepKind, StepOutcome,
    StepProgress, pb, wire,
};
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};

use super::stage::noon;
use super::working::Versions;

/// What the agent knows and does.
#[derive(Debug)]
pub(super) struct State {
    pub(super) claim: Option<Claim>,
    pub(super) highest: Epoch,
    pub(super) step: Option<StepInFlight>,
    /// How long it looks at its node before it answers.
    pub(super) looks_for: Duration,
    /// Whether it answers at all.
    pub(super) answers: bool,
    /// What happens at the next take-overs; then they are done as they should.
    pub(super) take_overs: VecDeque<OnTakeOver>,
    pub(super) histories: Vec<StepHistory>,
    /// Take-overs that were done, in order.
    pub(super) taken: Vec<TakeOver>,
    /// How a step ends, unless it works.
    pub(super) outcome: Result<StepOutcome, Failure>,
    /// Whether steps do what they should.
    pub(super) works: bool,
    /// The node's hooks: one at each of these points, with its word.
    pub(super) hooks: Vec<(HookPoint, HookVerdict)>,
    /// At which point the node's hooks are not run, and why.
    pub(super) hooks_refused: Option<(HookPoint, Failure)>,
    /// Whether a step is found at work after hooks were run.
    pub(super) busy_after_hooks: bool,
    /// Which hooks were asked for, in order.
    pub(super) asked: Vec<RunHooks>,
    /// What each source asked last about its halt.
    pub(super) halts: BTreeMap<String, (u64, Option<Halt>)>,
    /// The numbers of the halts and lifts that it was told, in order.
    pub(super) halt_numbers: Vec<u64>,
    /// How long each step takes.
    pub(super) steps_take: Duration,
    /// Facts that it does not tell.
    pub(super) untold: Vec<Fact>,
    /// Catalogues that it was given, each with how many steps it had been ordered to do by then.
    pub(super) catalogues: Vec<(u32, proto::SignedCatalogue)>,
    /// Why it takes no catalogue.
    pub(super) catalogue_refused: Option<Failure>,
}

/// What happens at a take-over.
#[derive(Debug)]
pub(super) enum OnTakeOver {
    /// The agent is gone, and did nothing.
    Gone,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// Somebody else was faster.
    ChangedHands(Claim),
}

/// An agent of a node.
#[derive(Clone, Debug)]
pub(super) struct FakeAgent {
    uid: NodeUid,
    clock: Clock,
    versions: Versions,
    pub(super) state: Arc<Mutex<State>>,
    /// Counts steps that were ordered.
    ordered: Arc<watch::Sender<u32>>,
    /// Whether steps may end.
    open: Arc<watch::Sender<bool>>,
}

impl FakeAgent {
    pub(super) fn new(uid: u32, versions: Versions) -> Self {
        let outcome = Ok(StepOutcome::Failed(Failure::operator("no-room", "there is no room", "make room")));
        let state = State {
            claim: None,
            highest: Epoch(0),
            step: None,
            looks_for: Duration::ZERO,
            answers: true,
            take_overs: VecDeque::new(),
            histories: Vec::new(),
            taken: Vec::new(),
            outcome,
            works: false,
            hooks: Vec::new(),
            hooks_refused: None,
            busy_after_hooks: false,
            asked: Vec::new(),
            halts: BTreeMap::new(),
            halt_numbers: Vec::new(),
            steps_take: Duration::ZERO,
            untold: Vec::new(),
            catalogues: Vec::new(),
            catalogue_refused: None,
        };
        Self {
            uid: NodeUid(uid),
            clock: Clock::from_fn(Arc::new(noon)),
            versions,
            state: Arc::new(Mutex::new(state)),
            ordered: Arc::new(watch::channel(0).0),
            open: Arc::new(watch::channel(true).0),
        }
    }

    /// One whose node has this clock.
    pub(super) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// How many steps it was ordered to do.
    pub(super) fn orders(&self) -> u32 {
        *self.ordered.borrow()
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap())
    }

    /// Steps are accepted and do not end until this is set again.
    pub(super) fn let_steps_end(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// Waits until a step was ordered.
    pub(super) async fn until_ordered(&self) {
        self.ordered.subscribe().wait_for(|ordered| *ordered > 0).await.unwrap();
    }

    pub(super) fn serve(&self) -> Channel {
        let (channel, incoming) = proto::transport::in_process();
        let server = tonic::transport::Server::builder()
            .add_service(proto::transport::agent_server(Served(self.clone())))
            .serve_with_incoming(incoming);
        tokio::spawn(async move { server.await.unwrap() });
        channel
    }

    fn answering(&self) -> Result<(), Status> {
        if self.with(|state| state.answers) { Ok(()) } else { Err(Status::unavailable("nobody is there")) }
    }

    fn stale(&self, epoch: Epoch, highest: Epoch) -> Result<(), Status> {
        if epoch >= highest {
            return Ok(());
        }
        let message = format!("epoch {epoch} is over: this agent obeys {highest}");
        Err(refuse(&Failure::operator("stale-epoch", message, "another coordinator has taken over")))
    }

    fn memory(&self) -> AgentMemory {
        proto::sample::memory(self.uid)
    }

    fn facts(&self) -> NodeFacts {
        let now = self.clock.now();
        let facts = self.with(|state| {
            let mut healthy = proto::sample::healthy_facts(self.uid, 3, now);
            healthy.details.0.retain(|fact, _| !state.untold.contains(fact));
            NodeFacts {
                claim: state.claim.clone(),
                highest_epoch: state.highest,
                current_step: state.step.clone(),
                halts: in_force(state),
                ..healthy
            }
        });
        self.versions.applied(facts)
    }

    /// As a real agent does: what was asked before the latest comes too late.
    fn set_halt(&self, asked: SetHalt) -> Result<HaltsNow, Status> {
        self.with(|state| {
            if state.halts.get(&asked.source).is_some_and(|(number, _)| asked.number < *number) {
                return Err(refuse(&Failure::operator("stale-halt", "it comes too late", "ask again")));
            }
            state.halts.insert(asked.source, (asked.number, asked.halt));
            Ok(HaltsNow { halts: in_force(state) })
        })
    }

    /// Dials a coordinator, and serves there until the connection is gone.
    pub(super) async fn connect(&self, address: &str, hello: &Hello) -> Result<(), OfferError> {
        let patience = Duration::from_secs(60);
        let mut connection =
            proto::transport::offer(address, &Security::InsecureLoopback, hello, patience).await?;
        let gone = connection.gone();
        let only =
            futures::stream::iter([Ok::<_, std::io::Error>(connection)]).chain(futures::stream::pending());
        let server = proto::transport::plain_server_builder(Timeouts::default())
            .add_service(proto::transport::agent_server(Served(self.clone())));
        server.serve_with_incoming_shutdown(only, gone.wait()).await.unwrap();
        Ok(())
    }

    fn take_over(&self, asked: TakeOver) -> Result<wire::TakenOver, Status> {
        let mut answer_is_lost = false;
        match self.with(|state| state.take_overs.pop_front()) {
            None => {}
            Some(OnTakeOver::Gone) => return Err(Status::unavailable("nobody is there")),
            Some(OnTakeOver::AnswerLost) => answer_is_lost = true,
            Some(OnTakeOver::ChangedHands(claim)) => self.with(|state| state.claim = Some(claim)),
        }
        let before = self.with(|state| state.claim.clone());
        self.stale(asked.epoch, Epoch(self.with(|state| state.highest).0 + 1))?;
        if before.as_ref().map(|claim| &claim.run) != asked.expected.as_ref() {
            return Err(refuse(&Failure::operator("claimed-by-other", "held by another run", "look again")));
        }
        let installing =
            self.with(|state| state.step.as_ref().is_some_and(|step| step.kind == StepKind::Install));
        if installing && !asked.despite_install {
            return Err(refuse(&Failure::retry("install-in-flight", "an install is at work")));
        }
        self.with(|state| {
            state.highest = asked.epoch;
            state.claim = asked.run.clone().map(|run| Claim {
                run,
                cluster: asked.cluster.clone(),
                epoch: asked.epoch,
                holder: asked.holder.clone(),
                since: "2026-06-01T11:00:00Z".parse().unwrap(),
            });
            state.taken.push(asked);
        });
        if answer_is_lost {
            return Err(Status::unavailable("the connection broke"));
        }
        Ok(wire::TakenOver { before, memory: self.memory() })
    }
}

pub(super) fn in_force(state: &State) -> Vec<NodeHalt> {
    let in_force = |(source, (_, halt)): (&String, &(u64, Option<Halt>))| {
        halt.clone().map(|halt| NodeHalt { source: source.clone(), halt })
    };
    state.halts.iter().filter_map(in_force).collect()
}

fn refuse(failure: &Failure) -> Status {
    wire::status_of(failure, Code::FailedPrecondition)
}

struct Served(FakeAgent);

type Events = Pin<Box<dyn Stream<Item = Result<pb::StepEvent, Status>> + Send>>;

#[tonic::async_trait]
impl Agent for Served {
    async fn set_halt(
        &self,
        request: Request<pb::SetHaltRequest>,
    ) -> Result<Response<pb::SetHaltReply>, Status> {
        self.0.answering()?;
        let asked: SetHalt = request.into_inner().try_into().unwrap();
        self.0.with(|state| state.halt_numbers.push(asked.number));
        let now = self.0.set_halt(asked)?;
        Ok(Response::new(pb::SetHaltReply::from(&now)))
    }

    async fn observe(&self, _: Request<pb::ObserveRequest>) -> Result<Response<pb::NodeFacts>, Status> {
        self.0.answering()?;
        tokio::time::sleep(self.0.with(|state| state.looks_for)).await;
        Ok(Response::new(pb::NodeFacts::from(&self.0.facts())))
    }

    async fn claim(&self, request: Request<pb::ClaimRequest>) -> Result<Response<pb::ClaimReply>, Status> {
        self.0.answering()?;
        let TakeClaim { run, cluster, epoch, holder, .. } = request.into_inner().try_into().unwrap();
        self.0.stale(epoch, self.0.with(|state| state.highest))?;
        let since = "2026-06-01T11:00:00Z".parse().unwrap();
        let claim = Claim { run, cluster, epoch, holder, since };
        self.0.with(|state| {
            if state.claim.as_ref().is_some_and(|held| held.run != claim.run) {
                return Err(refuse(&Failure::operator("claimed-by-other", "held by another run", "wait")));
            }
            state.highest = epoch;
            state.claim = Some(claim.clone());
            Ok(())
        })?;
        Ok(Response::new(pb::ClaimReply::from(&wire::Claimed { claim, memory: self.0.memory() })))
    }

    async fn take_over(
        &self,
        request: Request<pb::TakeOverRequest>,
    ) -> Result<Response<pb::TakeOverReply>, Status> {
        self.0.answering()?;
        let taken = self.0.take_over(request.into_inner().try_into().unwrap())?;
        Ok(Response::new(pb::TakeOverReply::from(&taken)))
    }

    async fn release(
        &self,
        request: Request<pb::ReleaseRequest>,
    ) -> Result<Response<pb::ReleaseReply>, Status> {
        self.0.answering()?;
        let authority: Authority = request.into_inner().try_into().unwrap();
        self.0.stale(authority.epoch, self.0.with(|state| state.highest))?;
        self.0.with(|state| state.claim = None);
        Ok(Response::new(pb::ReleaseReply::default()))
    }

    type ExecuteStream = Events;

    async fn execute(&self, request: Request<pb::ExecuteRequest>) -> Result<Response<Events>, Status> {
        self.0.answering()?;
        let Execute { authority, step, spec, .. } = request.into_inner().try_into().unwrap();
        self.0.ordered.send_modify(|ordered| *ordered += 1);
        let agent = self.0.clone();
        let events = futures::stream::once(async move {
            agent.open.subscribe().wait_for(|open| *open).await.unwrap();
            tokio::time::sleep(agent.with(|state| state.steps_take)).await;
            agent.stale(authority.epoch, agent.with(|state| state.highest))?;
            let outcome = match agent.with(|state| state.works) {
                true => agent.versions.done(agent.uid, &spec),
                false => agent.with(|state| state.outcome.clone()).map_err(|failure| refuse(&failure))?,
            };
            let at = "2026-06-01T12:00:00Z".parse().unwrap();
            let what = StepProgress::Finished(Box::new(outcome));
            Ok(pb::StepEvent::from(&StepEvent { step, seq: 1, at, what }))
        });
        Ok(Response::new(events.boxed()))
    }

    async fn cancel(&self, _: Request<pb::CancelRequest>) -> Result<Response<pb::CancelReply>, Status> {
        self.0.answering()?;
        Ok(Response::new(pb::CancelReply::default()))
    }

    async fn run_hooks(
        &self,
        request: Request<pb::RunHooksRequest>,
    ) -> Result<Response<pb::RunHooksReply>, Status> {
        self.0.answering()?;
        let asked: RunHooks = request.into_inner().try_into().unwrap();
        if let Some(authority) = &asked.authority {
            self.0.stale(authority.epoch, self.0.with(|state| state.highest))?;
        }
        let refused = self.0.with(|state| state.hooks_refused.clone());
        if let Some((_, refusal)) = refused.filter(|(point, _)| *point == asked.call.point) {
            return Err(refuse(&refusal));
        }
        let hooks = self.0.with(|state| state.hooks.clone()).into_iter();
        let outcome = |(_, verdict)| HookOutcome {
            verdict,
            ..asked.call.cannot_tell(
                HookSide::Node,
                "10-of-node",
                "so it is".to_owned(),
                "see to it".to_owned(),
            )
        };
        let outcomes: Vec<HookOutcome> =
            hooks.filter(|(point, _)| *point == asked.call.point).map(outcome).collect();
        self.0.with(|state| {
            let (step, since) = ("elsewhere".parse().unwrap(), "2026-06-01T11:00:00Z".parse().unwrap());
            let busy = StepInFlight { step, kind: StepKind::Fetch, since };
            state.step = state.busy_after_hooks.then_some(busy).or(state.step.take());
            state.asked.push(asked);
        });
        Ok(Response::new(pb::RunHooksReply::from(outcomes.as_slice())))
    }

    async fn set_catalogue(
        &self,
        request: Request<pb::SetCatalogueRequest>,
    ) -> Result<Response<pb::SetCatalogueReply>, Status> {
        self.0.answering()?;
        let signed = proto::SignedCatalogue::try_from(request.into_inner()).unwrap();
        let orders = self.0.orders();
        let refused = self.0.with(|state| {
            state.catalogues.push((orders, signed));
            state.catalogue_refused.clone()
        });
        match refused {
            Some(failure) => Err(wire::status_of(&failure, Code::PermissionDenied)),
            None => Ok(Response::new(pb::SetCatalogueReply { serial: Some(1) })),
        }
    }

    async fn histories(
        &self,
        _: Request<pb::HistoriesRequest>,
    ) -> Result<Response<pb::HistoriesReply>, Status> {
        self.0.answering()?;
        let histories = self.0.with(|state| state.histories.clone());
        Ok(Response::new(pb::HistoriesReply::from(histories.as_slice())))
    }
}
