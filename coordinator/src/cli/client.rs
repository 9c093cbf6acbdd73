//! The coordinator as the command line sees it: one method a call, documents out. The only place of `cli`
//! that knows how they travel.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use proto::wire::{UNREACHABLE, failure_of};
use proto::{Failure, FailureKind, pb};
use tokio::time::{Instant, sleep, timeout};
pub use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use super::wait::RolloutStands;
use crate::documents::{
    AssignedDocument, CheckDocument, Document, EnrolTokenDocument, EnrolmentDocument, EnrolmentsDocument,
    ExportDocument, HaltDocument, InventoryDocument, LeaderDocument, PackageDocument, PackagesDocument,
    PlanDocument, PruneDocument, RemovedDocument, ReportDocument, RolloutCheckDocument, RolloutDocument,
    RolloutWatchDocument, RolloutsDocument, RunDocument, RunsDocument, StatusDocument, TakeoverDocument,
    VerificationDocument, WatchDocument, WhyDocument,
};
use crate::failures::STORE_UNREACHABLE;
use crate::paths::PathsDocument;

/// A document, and the very text it came as: `-o json` prints that, so a field this build does not know
/// survives.
#[derive(Clone, Debug)]
pub struct Answer<D> {
    /// The JSON, in one line.
    pub json: String,
    /// What it says.
    pub document: D,
}

/// A connection to a coordinator, embedded or served, or to whichever of several leads.
#[derive(Clone, Debug)]
pub struct Client {
    way: Arc<Way>,
}

type Rpc = pb::coordinator_client::CoordinatorClient<Channel>;

#[derive(Debug)]
struct Way {
    /// The one that is asked now.
    now: Mutex<Rpc>,
    /// All that may be asked, if there are several.
    peers: Vec<(String, Rpc)>,
    /// Where the only one is, if it is not in this process.
    only: Option<String>,
}

/// How long each of several coordinators may take to say who leads.
const LEADER: Duration = Duration::from_secs(3);

/// For how long several coordinators are asked again when none answers or none leads: a leader's lease must run out before
/// another takes over.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two rounds of asking.
const PAUSE: Duration = Duration::from_millis(500);

/// The id of the failure of a coordinator that stands by while nobody leads.
const NO_LEADER: &str = "no-leader";

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($request:ident { $($field:ident: $type:ty),* }) -> $document:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// What the coordinator answers, or that it cannot be reached.
        pub async fn $name(&self, $($field: $type),*) -> Result<Answer<$document>, Failure> {
            let request = pb::$request { $($field),* };
            let ask = |mut rpc: Rpc| {
                let request = request.clone();
                async move { self.read(rpc.$name(request).await) }
            };
            self.patiently(ask).await
        }
    )*};
}

impl Client {
    /// Speaks to the coordinator at the other end of a channel.
    pub fn new(channel: Channel) -> Self {
        let now = Mutex::new(proto::transport::coordinator_client(channel));
        Self { way: Arc::new(Way { now, peers: Vec::new(), only: None }) }
    }

    /// Speaks to the one that leads, of several, or to one that answers. A single one is not asked whether it leads.
    ///
    /// # Errors
    /// None of them answers, or there is none.
    pub async fn among(mut peers: Vec<(String, Channel)>) -> Result<Self, Failure> {
        let Some((address, channel)) = peers.first().cloned() else {
            let remedy = "write --coordinator HOST:PORT, or several, separated by commas";
            return Err(Failure::operator("usage", "no coordinator is named", remedy));
        };
        if peers.len() == 1 {
            let now = Mutex::new(proto::transport::coordinator_client(channel));
            return Ok(Self { way: Arc::new(Way { now, peers: Vec::new(), only: Some(address) }) });
        }
        let rpc = proto::transport::coordinator_client;
        let peers = peers.drain(..).map(|(address, channel)| (address, rpc(channel))).collect();
        let client = Self { way: Arc::new(Way { now: Mutex::new(rpc(channel)), peers, only: None }) };
        client.find().await?;
        Ok(client)
    }

    /// Whether another coordinator can be asked when this one is lost.
    pub fn has_others(&self) -> bool {
        !self.way.peers.is_empty()
    }

    /// Turns to the coordinator that leads, or, if none says so, to one that answers. Does nothing where there is only one.
    ///
    /// # Errors
    /// None of them answers.
    pub async fn find(&self) -> Result<(), Failure> {
        if self.way.peers.is_empty() {
            return Ok(());
        }
        let mut asked: FuturesUnordered<_> = self.way.peers.iter().map(ask).collect();
        let (mut standby, mut lost) = (None, Vec::new());
        while let Some((address, rpc, answer)) = asked.next().await {
            match answer {
                Ok(answer) if answer.document.leads => {
                    self.turn_to(rpc);
                    return Ok(());
                }
                Ok(_) => standby = standby.or(Some(rpc)),
                Err(failure) => lost.push(format!("{address}: {failure}")),
            }
        }
        match standby {
            Some(rpc) => self.turn_to(rpc),
            None => return Err(nobody_answers(&lost)),
        }
        Ok(())
    }

    /// What each of several coordinators says about who leads, in the order in which they were named.
    pub async fn leaders(&self) -> Vec<(String, Result<Answer<LeaderDocument>, Failure>)> {
        let asked = self.way.peers.iter().map(ask);
        join_all(asked).await.into_iter().map(|(address, _, answer)| (address, answer)).collect()
    }

    /// The generated client wants to be exclusive; a clone shares the connection.
    fn rpc(&self) -> Rpc {
        self.way.now.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn turn_to(&self, rpc: Rpc) {
        *self.way.now.lock().unwrap_or_else(PoisonError::into_inner) = rpc;
    }

    /// What was answered. That nothing was is told with the address: what was typed may not be what was meant.
    fn read<D: Document>(
        &self,
        answer: Result<Response<pb::Document>, Status>,
    ) -> Result<Answer<D>, Failure> {
        let carried = answer.as_ref().is_err_and(|status| !status.details().is_empty());
        read(answer).map_err(|failure| match &self.way.only {
            Some(address) if !carried && failure.id == UNREACHABLE => {
                Failure { message: format!("the coordinator at {address} does not answer"), ..failure }
            }
            _ => failure,
        })
    }

    /// One that is cut off from its store answers, but knows nothing.
    fn is_worth_another(&self, failure: &Failure) -> bool {
        let passes = [UNREACHABLE, NO_LEADER, STORE_UNREACHABLE].contains(&failure.id.as_str());
        self.has_others() && failure.kind == FailureKind::Retry && passes
    }

    /// Asks, and asks again, wherever somebody leads by then, as long as it is worth it. The same request twice is done
    /// once, so it may be repeated whatever became of the first.
    async fn patiently<T, F>(&self, ask: impl Fn(Rpc) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        // Patience begins with the first loss: that a coordinator is stopped, and not slow, shows after a long silence only.
        let mut until = None;
        loop {
            match ask(self.rpc()).await {
                Err(failure) if self.is_worth_another(&failure) => {
                    if *until.get_or_insert_with(|| Instant::now() + PATIENCE) <= Instant::now() {
                        return Err(failure);
                    }
                }
                answer => return answer,
            }
            sleep(PAUSE).await;
            if let Err(lost) = self.find().await {
                tracing::debug!(%lost, "asking again");
            }
        }
    }

    calls! {
        /// Nodes, roles, versions, health; of all clusters if none is named.
        status(StatusRequest { clusters: Vec<String> }) -> StatusDocument;
        /// The supported table, or the path between two versions.
        paths(PathsRequest { from: Option<String>, to: Option<String> }) -> PathsDocument;
        /// Adds a package to the catalogue.
        add_package(AddPackageRequest {
            location: String, sha256: Option<String>, version: Option<String>, os: Option<String>, arch: Option<String>
        }) -> PackageDocument;
        /// The catalogue.
        list_packages(ListPackagesRequest {}) -> PackagesDocument;
        /// One package.
        show_package(ShowPackageRequest { key: String }) -> PackageDocument;
        /// Removes a package from the catalogue.
        remove_package(RemovePackageRequest { key: String }) -> RemovedDocument;
        /// Preflight checks.
        check(CheckRequest { cluster: String, to: Option<String>, accepted: Vec<pb::Acceptance> }) -> CheckDocument;
        /// A plan, or why there is none.
        plan(PlanRequest { cluster: String, to: String, accepted: Vec<pb::Acceptance> }) -> PlanDocument;
        /// Starts a run.
        start(StartRequest { plan_json: String, prepare_only: bool }) -> RunDocument;
        /// All runs.
        runs(RunsRequest {}) -> RunsDocument;
        /// One run.
        show(ShowRequest { run: String, events: bool, agents: bool }) -> RunDocument;
        /// Pauses a run between turns.
        pause(PauseRequest { run: String }) -> RunDocument;
        /// Goes on with a run.
        resume(ResumeRequest { run: String, acknowledge: bool }) -> RunDocument;
        /// Ends a run before its next install.
        abort(AbortRequest { run: String }) -> RunDocument;
        /// Allows another attempt.
        retry(RetryRequest { run: String, node: Option<u32> }) -> RunDocument;
        /// Shows who holds a cluster; with consent, takes it over.
        take_over_cluster(TakeOverClusterRequest { cluster: String, consent: bool, despite_install: bool })
            -> TakeoverDocument;
        /// A run with everything that is kept of it.
        export_run(ExportRunRequest { run: String }) -> ExportDocument;
        /// Shows which runs were over before a moment; with consent, removes them.
        prune_runs(PruneRunsRequest { before: String, consent: bool }) -> PruneDocument;
        /// Puts an agent that connects by itself in a cluster, or takes it out.
        assign_agent(AssignAgentRequest { agent: String, cluster: Option<String> }) -> AssignedDocument;
        /// Halts the fleet, or lifts the halt.
        halt_fleet(HaltFleetRequest { lift: bool, why: String }) -> HaltDocument;
        /// Every cluster as it was seen last.
        inventory(InventoryRequest {}) -> InventoryDocument;
        /// Who leads.
        leader(LeaderRequest {}) -> LeaderDocument;
        /// What a rollout's file would do, and when.
        check_rollout(RolloutFileRequest { text: String }) -> RolloutCheckDocument;
        /// Begins a rollout, or goes on with it.
        apply_rollout(RolloutFileRequest { text: String }) -> RolloutDocument;
        /// All rollouts in brief.
        rollouts(RolloutsRequest {}) -> RolloutsDocument;
        /// One rollout.
        show_rollout(RolloutRequest { rollout: String }) -> RolloutDocument;
        /// Asks something of a rollout.
        ask_rollout(AskRolloutRequest {
            rollout: String, what: String, wave: Option<String>, cluster: Option<String>
        }) -> RolloutDocument;
        /// Makes a token with which one node can enrol.
        create_token(CreateTokenRequest { pattern: String, valid_seconds: u64, confirm: bool }) -> EnrolTokenDocument;
        /// Tokens and nodes that enrol.
        enrolments(EnrolmentsRequest {}) -> EnrolmentsDocument;
        /// Lets a node in or refuses it, or takes a token back.
        decide_enrolment(DecideEnrolmentRequest { subject: String, accept: bool, certificate: Option<String> })
            -> EnrolmentDocument;
        /// What a cluster or a run waits for.
        why(WhyRequest { subject: String }) -> WhyDocument;
    }

    /// A run's events from a number on, as they happen.
    ///
    /// # Errors
    /// What the coordinator answers, or that it cannot be reached.
    pub async fn watch(&self, run: &str, from_seq: u64) -> Result<WatchStream, Failure> {
        let request = pb::WatchRequest { run: run.to_owned(), from_seq };
        let stream = self.rpc().watch(request).await.map_err(failure_of)?;
        Ok(WatchStream { stream: stream.into_inner() })
    }

    /// A run for the record.
    ///
    /// # Errors
    /// What the coordinator answers, or that it cannot be reached.
    pub async fn report(&self, run: String) -> Result<Answer<ReportDocument>, Failure> {
        self.asked_to_report(pb::ReportRequest { run, verify: false, head: None }).await
    }

    /// Whether a journal is what was written, and leads through a digest.
    ///
    /// # Errors
    /// What the coordinator answers, or that it cannot be reached.
    pub async fn verify(
        &self,
        run: String,
        head: Option<String>,
    ) -> Result<Answer<VerificationDocument>, Failure> {
        self.asked_to_report(pb::ReportRequest { run, verify: true, head }).await
    }

    async fn asked_to_report<D: Document>(&self, request: pb::ReportRequest) -> Result<Answer<D>, Failure> {
        let ask = |mut rpc: Rpc| {
            let request = request.clone();
            async move { self.read(rpc.report(request).await) }
        };
        self.patiently(ask).await
    }

    /// One rollout, as far as somebody who waits for it cares: it may be of a later version than this command.
    ///
    /// # Errors
    /// What the coordinator answers, or that it cannot be reached.
    pub async fn rollout_stands(&self, rollout: String) -> Result<Answer<RolloutStands>, Failure> {
        let ask = |mut rpc: Rpc| {
            let request = pb::RolloutRequest { rollout: rollout.clone() };
            async move { self.read(rpc.show_rollout(request).await) }
        };
        self.patiently(ask).await
    }

    /// A rollout's events from a number on, as they happen.
    ///
    /// # Errors
    /// What the coordinator answers, or that it cannot be reached.
    pub async fn watch_rollout(&self, rollout: &str, from_seq: u64) -> Result<RolloutStream, Failure> {
        let request = pb::WatchRolloutRequest { rollout: rollout.to_owned(), from_seq };
        let stream = self.rpc().watch_rollout(request).await.map_err(failure_of)?;
        Ok(RolloutStream { stream: stream.into_inner() })
    }
}

/// A rollout's events as they happen.
#[derive(Debug)]
pub struct RolloutStream {
    stream: Streaming<pb::Document>,
}

impl RolloutStream {
    /// The next object; `None` when the coordinator has no more to tell.
    ///
    /// # Errors
    /// The stream broke.
    pub async fn next(&mut self) -> Result<Option<Answer<RolloutWatchDocument>>, Failure> {
        match self.stream.message().await {
            Ok(Some(document)) => decode(document).map(Some),
            Ok(None) => Ok(None),
            Err(status) => Err(failure_of(status)),
        }
    }
}

/// A run's events as they happen.
#[derive(Debug)]
pub struct WatchStream {
    stream: Streaming<pb::Document>,
}

impl WatchStream {
    /// The next object; `None` when the coordinator has no more to tell.
    ///
    /// # Errors
    /// The stream broke.
    pub async fn next(&mut self) -> Result<Option<Answer<WatchDocument>>, Failure> {
        match self.stream.message().await {
            Ok(Some(document)) => decode(document).map(Some),
            Ok(None) => Ok(None),
            Err(status) => Err(failure_of(status)),
        }
    }
}

async fn ask((address, rpc): &(String, Rpc)) -> (String, Rpc, Result<Answer<LeaderDocument>, Failure>) {
    let mut asked = rpc.clone();
    let answer = match timeout(LEADER, asked.leader(pb::LeaderRequest {})).await {
        Ok(answer) => read(answer),
        Err(_) => {
            Err(Failure::retry(UNREACHABLE, format!("it did not answer within {} s", LEADER.as_secs())))
        }
    };
    (address.clone(), rpc.clone(), answer)
}

fn nobody_answers(lost: &[String]) -> Failure {
    let failure = Failure::retry(UNREACHABLE, "no coordinator answers").because(lost.join("; "));
    let remedy = "see that one of them runs: systemctl status ratchet; and that --coordinator names them";
    Failure { remedy: Some(remedy.to_owned()), ..failure }
}

fn read<D: Document>(answer: Result<Response<pb::Document>, Status>) -> Result<Answer<D>, Failure> {
    decode(answer.map_err(failure_of)?.into_inner())
}

fn decode<D: Document>(answer: pb::Document) -> Result<Answer<D>, Failure> {
    if answer.schema != D::SCHEMA {
        let message = format!("the coordinator answered `{}` instead of `{}`", answer.schema, D::SCHEMA);
        return Err(other_version(message));
    }
    let document = serde_json::from_str(&answer.json).map_err(|error| {
        other_version(format!("the coordinator's `{}` cannot be read", D::SCHEMA)).because(error.to_string())
    })?;
    // A raw line break never occurs inside a JSON text, so this changes nothing but the layout.
    Ok(Answer { json: answer.json.replace(['\n', '\r'], " "), document })
}

fn other_version(message: String) -> Failure {
    Failure::operator("wrong-document", message, "use the same version of `ratchet` as the coordinator's")
}

impl Document for PathsDocument {
    const SCHEMA: &'static str = "ratchet.paths/1";
}
