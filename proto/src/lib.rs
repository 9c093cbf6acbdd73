//! The contract between the agent and the coordinator: the vocabulary both sides share, the `.proto` files, and the
//! conversions between the two. Nothing in here reads or changes the world, but for [`transport`], which listens and
//! dials, for [`process`] and [`HookRunner`], which run programs, and for [`ours`], which looks whose a file is.

pub mod access;
mod authenticity;
mod catalogue;
mod claim;
mod clock;
mod cluster;
mod digest;
mod event;
mod fact;
mod facts;
mod failure;
mod health;
mod hook;
mod identity;
mod ids;
pub mod ours;
mod package;
pub mod pb;
pub mod process;
pub mod sample;
mod setting;
mod step;
mod token;
pub mod transport;
mod version;
pub mod wire;

pub use authenticity::{Authenticity, Layer, LayerVerdict};
pub use catalogue::{
    CatalogueError, KeyError, MAX_CATALOGUE, NotListed, OwnedCatalogue, OwnedPackage, OwnerKey,
    SignedCatalogue, Untimely,
};
pub use claim::{Authority, Claim, Halt, NodeHalt};
pub use clock::Clock;
pub use cluster::{ClusterView, DatabaseRow, EndpointRow, Health, NodeRole, NodeRow, ShardRole, ShardRow};
pub use digest::{InvalidDigest, Sha256};
pub use event::{Checked, Exit, Installed, StepEvent, StepHistory, StepOutcome, StepProgress, StepReport};
pub use fact::{Details, Fact, FactKind, FactValue, InvalidFact, Row};
pub use facts::{
    Disk, DiskUse, HeldPackage, Installation, InstalledVersion, NodeFacts, OperatingSystem, Probe, Rlcheck,
    Room, RunnerKind, SourceFacts, StepInFlight, System,
};
pub use failure::{Failure, FailureKind, ProgramFailure};
pub use health::Problem;
pub use hook::{
    HOOK_SCHEMA, HookCall, HookHalt, HookHop, HookNode, HookOutcome, HookPoint, HookRunner, HookSide,
    HookVerdict, judge_answer,
};
pub use identity::{Caller, Identity, InvalidIdentity, InvalidRole, Role, SCHEME as IDENTITY_SCHEME};
pub use ids::{
    AgentMemory, AgentName, ClusterName, Epoch, FleetName, InvalidName, NodeUid, PeerName, RolloutName,
    RunId, StepId,
};
pub use package::{Arch, InvalidArch, OsToken, Package};
pub use setting::Setting;
pub use step::{InstallSpec, RestartableService, StepKind, StepSpec};
pub use token::{EnrolToken, InvalidToken};
pub use version::{InvalidVersion, Line, Release, ReleaseRange, Version};
