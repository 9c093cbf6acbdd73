//! The documents that every verb answers with: what `-o json` prints and what the coordinator's gRPC carries.
//!
//! Each has a `schema` with a version. Fields are only ever added within a version; a changed meaning is a new one.

mod agreement;
mod archive;
mod assigned;
mod catalogue;
mod expiring;
mod halt;
mod inventory;
mod journals;
mod leader;
mod packages;
mod pki;
mod report;
mod rollout;
mod rollout_check;
mod rollout_view;
mod run;
mod status;
mod takeover;
mod tell;
mod tell_rollout;
mod verification;
mod view;
mod why;

use serde::{Deserialize, Serialize};

pub use agreement::JournaledSteps;
pub use archive::{ExportDocument, ExportedEvent, KeptRow, PruneDocument, PrunedRow};
pub use assigned::AssignedDocument;
pub use catalogue::{CatalogueDocument, CatalogueKeyDocument, CatalogueRow};
pub use expiring::expiring;
pub use halt::{FleetHaltRow, HaltDocument, HaltedRunRow, UntoldRow};
pub use inventory::{InventoryClusterRow, InventoryDocument, UnassignedRow};
pub use journals::{AgentJournalRow, StepEventRow, StepJournalRow, agent_journal};
pub use leader::{CoordinatorRow, LeaderDocument};
pub use packages::{PackageDocument, PackageRow, PackagesDocument, RemovedDocument};
pub use pki::{
    AuthorityDocument, CertificateRow, CertificatesDocument, EnrolTokenDocument, EnrollingRow,
    EnrollingState, EnrolmentDocument, EnrolmentsDocument, IssuedDocument, IssuedRow, RevokedDocument,
    TokenRow,
};
pub use report::ReportDocument;
pub use rollout::{
    RolloutClusterRow, RolloutClusterState, RolloutDocument, RolloutEventRow, RolloutHaltRow, RolloutRow,
    RolloutState, RolloutWatchDocument, RolloutsDocument, WaveRow, WaveState, WindowRow,
};
pub use rollout_check::{
    CheckedClusterRow, CheckedWaveRow, OpeningRow, PartnersRow, RolloutCheckDocument, RolloutFindingRow,
};
pub use rollout_view::{RolloutView, rollout_exit_code, window_row};
pub use run::{
    AskedRow, EventDocument, HaltRow, HopRow, NodeState, NotAdmittedRow, RetryRow, RunDocument, RunNodeRow,
    RunRow, RunState, RunsDocument, SettingRow, StepRow, WatchDocument,
};
pub use status::{CheckDocument, ClusterRow, NodeRow, StatusDocument};
pub use takeover::{
    TakeoverClaimRow, TakeoverDocument, TakeoverDriverRow, TakeoverNodeRow, TakeoverOutcome, TakeoverStepRow,
};
pub use tell_rollout::rollout_event;
pub use verification::{
    AgreementRow, HeadRow, MisfitRow, VerificationDocument, VerificationOutcome, head_of,
};
pub use view::{RunView, asked_rows, event_document, exit_code, next_commands};
pub use why::{ExplainedRow, WhyDocument};

use crate::plan::Plan;

/// A document with its schema, as it travels.
pub trait Document: Serialize + for<'de> Deserialize<'de> {
    /// The schema's name and version, for instance `ratchet.status/1`.
    const SCHEMA: &'static str;
}

/// What `plan` answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanDocument {
    /// `ratchet.plan-answer/1`.
    pub schema: String,
    /// The cluster that was asked about.
    pub cluster: String,
    /// What came out.
    pub outcome: PlanOutcome,
    /// The plan, if there is one to carry out.
    pub plan: Option<Plan>,
    /// The plan's digest: SHA-256 over its JSON.
    pub digest: Option<String>,
    /// Everything the checks found, best and worst.
    pub findings: Vec<crate::checks::Finding>,
    /// One sentence that says what came out.
    pub summary: String,
    /// How long it will take, going by earlier runs; `None` where there are none.
    #[serde(default)]
    pub expected: Option<ExpectedRow>,
}

/// How long a plan will take, going by turns that were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedRow {
    /// The median of the turns that were measured, in seconds.
    pub turn_seconds: u64,
    /// The longest of them, in seconds.
    pub longest_turn_seconds: u64,
    /// All turns of the plan together, at the median, in seconds. Fetching comes before it.
    pub all_seconds: u64,
    /// How many turns were measured.
    pub measured: usize,
    /// Whether they were turns of this cluster; else of others of the fleet.
    pub of_this_cluster: bool,
}

/// What came out of planning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanOutcome {
    /// There is a plan.
    Ready,
    /// Every node is at the target already.
    NothingToDo,
    /// A check stands in the way.
    Blocked,
}

impl Document for PlanDocument {
    const SCHEMA: &'static str = "ratchet.plan-answer/1";
}

/// What every failure prints under `-o json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorDocument {
    /// What went wrong.
    pub error: ErrorRow,
}

/// What went wrong, for programs and people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRow {
    /// A stable word.
    pub id: String,
    /// What failed.
    pub message: String,
    /// Why.
    pub cause: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl From<&proto::Failure> for ErrorDocument {
    fn from(failure: &proto::Failure) -> Self {
        Self {
            error: ErrorRow {
                id: failure.id.clone(),
                message: failure.message.clone(),
                cause: failure.cause.clone(),
                remedy: failure.remedy.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
