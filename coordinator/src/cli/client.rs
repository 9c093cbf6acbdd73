//! The coordinator as the command line sees it: one method a call, documents out. The only place of `cli`
//! that knows how they travel.

use proto::wire::failure_of;
use proto::{Failure, pb};
pub use tonic::transport::Channel;
use tonic::{Response, Status, Streaming};

use crate::documents::{
    AssignedDocument, CheckDocument, Document, ExportDocument, PackageDocument, PackagesDocument,
    PlanDocument, PruneDocument, RemovedDocument, ReportDocument, RunDocument, RunsDocument, StatusDocument,
    TakeoverDocument, WatchDocument, WhyDocument,
};
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

/// A connection to a coordinator, embedded or served.
#[derive(Clone, Debug)]
pub struct Client {
    rpc: pb::coordinator_client::CoordinatorClient<Channel>,
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($request:ident { $($field:ident: $type:ty),* }) -> $document:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// What the coordinator answers, or that it cannot be reached.
        pub async fn $name(&self, $($field: $type),*) -> Result<Answer<$document>, Failure> {
            // The generated client wants to be exclusive; a clone shares the connection.
            let request = pb::$request { $($field),* };
            read(self.rpc.clone().$name(request).await)
        }
    )*};
}

impl Client {
    /// Speaks to the coordinator at the other end of a channel.
    pub fn new(channel: Channel) -> Self {
        Self { rpc: proto::transport::coordinator_client(channel) }
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
        /// A run for the record.
        report(ReportRequest { run: String }) -> ReportDocument;
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
        /// What a cluster or a run waits for.
        why(WhyRequest { subject: String }) -> WhyDocument;
    }

    /// A run's events from a number on, as they happen.
    ///
    /// # Errors
    /// What the coordinator answers, or that it cannot be reached.
    pub async fn watch(&self, run: &str, from_seq: u64) -> Result<WatchStream, Failure> {
        let request = pb::WatchRequest { run: run.to_owned(), from_seq };
        let stream = self.rpc.clone().watch(request).await.map_err(failure_of)?;
        Ok(WatchStream { stream: stream.into_inner() })
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
