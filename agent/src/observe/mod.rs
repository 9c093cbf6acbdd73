//! What can be seen on this node: the facts of `Observe`, one file per group, and the vendor's checks.

mod checks;
mod details;
mod disks;
mod identity;
mod machine;
mod ports;
pub mod readers;
mod sockets;
mod sources;
mod system;
#[cfg(test)]
mod test_product;
mod version;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use details::{Look, Once};
use proto::wire::Observe;
use proto::{
    Arch, ClusterView, Details, Disk, Installation, InstalledVersion, NodeUid, OperatingSystem, Probe,
    Rlcheck, Setting, SourceFacts, System,
};

use crate::config::Rest;
use crate::host::{HostError, Product, with_causes};
use crate::parse::info::Info;
use crate::rest::Session;

pub use checks::checks;

/// The part of [`proto::NodeFacts`] that comes from the product and the machine; the fields mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "documented in `proto::NodeFacts`, field by field")]
pub struct ObservedFacts {
    pub boot_id: String,
    pub hostname: String,
    pub node_uid: Probe<NodeUid>,
    pub cluster_name: Probe<String>,
    pub installed: Probe<InstalledVersion>,
    pub installation: Probe<Installation>,
    pub os: Probe<OperatingSystem>,
    pub arch: Probe<Arch>,
    pub view: Probe<ClusterView>,
    pub running_actions: Probe<Vec<String>>,
    pub snapshots: Probe<Vec<String>>,
    pub upgrade_mode: Probe<bool>,
    pub settings: BTreeMap<Setting, Probe<u64>>,
    pub rlcheck: Option<Probe<Rlcheck>>,
    pub disks: Vec<Disk>,
    pub system: System,
    pub sources: Vec<SourceFacts>,
    pub details: Details,
}

/// Looks at the node. Nothing is kept between two looks.
#[derive(Clone, Debug)]
pub struct Observer {
    /// The product.
    pub product: Product,
    /// The agent's state directory, whose file system holds archives and unpacked trees.
    pub state_dir: PathBuf,
    /// How often `rlcheck` repeats a failing test.
    pub rlcheck_retries: u32,
    /// How the product's REST API is asked, if the operator lets the agent.
    pub rest: Option<Rest>,
}

impl Observer {
    /// An observer that gives a failing test of `rlcheck` no second chance.
    pub fn new(product: Product, state_dir: PathBuf) -> Self {
        Self { product, state_dir, rlcheck_retries: 0, rest: None }
    }

    /// The same with a credential for the product's REST API, or without.
    pub fn with_rest(self, rest: Option<Rest>) -> Self {
        Self { rest, ..self }
    }

    /// Everything at once. Each answer that cannot be had says why in its place; one that hangs ends at its own deadline.
    pub async fn observe(&self, asked: &Observe) -> ObservedFacts {
        let product = &self.product;
        let once = Once::default();
        let session = self.rest.as_ref().map(Session::new);
        let cluster = async {
            let view = product.status().await;
            let node_uid = identity::node_uid(product, &view);
            let (node, rest) = (node_uid.known().copied(), session.as_ref());
            let look = Look { product, node, view: view.as_ref().ok(), rest };
            let (snapshots, installed, details) = tokio::join!(
                snapshots(product, &node_uid, &view),
                version::installed(product, &view),
                details::details(&look, &once, &asked.facts),
            );
            (view, node_uid, snapshots, installed, details)
        };
        let (cluster, actions, info, rlcheck, disks, system, sources) = tokio::join!(
            cluster,
            product.running_actions(),
            once.info_cluster(product),
            self.rlcheck(asked.run_rlcheck),
            disks::disks(product, &self.state_dir),
            system::system(product),
            sources::sources(&asked.sources),
        );
        let (view, node_uid, snapshots, installed, details) = cluster;
        ObservedFacts {
            boot_id: machine::boot_id(product),
            hostname: machine::hostname(),
            node_uid,
            cluster_name: from_info(info, |info| info.cluster_name().map(str::to_owned)),
            installed,
            installation: probe(product.installation()),
            os: machine::operating_system(product),
            arch: machine::arch(),
            view: probe(view),
            running_actions: probe(actions),
            snapshots,
            upgrade_mode: from_info(info, Info::upgrade_mode),
            settings: settings(info),
            rlcheck,
            disks,
            system,
            sources,
            details,
        }
    }

    async fn rlcheck(&self, wanted: bool) -> Option<Probe<Rlcheck>> {
        if wanted { Some(probe(self.product.rlcheck(self.rlcheck_retries).await)) } else { None }
    }
}

async fn snapshots(
    product: &Product,
    node: &Probe<NodeUid>,
    view: &Result<ClusterView, HostError>,
) -> Probe<Vec<String>> {
    let uid = match node.as_result() {
        Ok(uid) => *uid,
        Err(reason) => return Probe::Unknown(format!("which node this is was not clear: {reason}")),
    };
    offered(product.snapshots(uid).await, view.is_ok())
}

/// An answer to a question that not every version of `rladmin` knows. One that answers `status` and turns this command down
/// at the same moment does not offer it. One that hangs, dies or answers nothing readable is something else, and stays
/// unknown.
fn offered<T>(answer: Result<T, impl Borrow<HostError>>, answers_status: bool) -> Probe<T> {
    let error = match answer {
        Ok(value) => return Probe::Known(value),
        Err(error) => error,
    };
    let error = error.borrow();
    if answers_status && error.is_refusal() { Probe::Unsupported(error.to_string()) } else { failed(error) }
}

fn settings(info: &Result<Info, HostError>) -> BTreeMap<Setting, Probe<u64>> {
    let value = |setting| from_info(info, |info| info.setting(setting));
    Setting::ALL.into_iter().map(|setting| (setting, value(setting))).collect()
}

fn from_info<T>(
    info: &Result<Info, HostError>,
    read: impl FnOnce(&Info) -> Result<T, crate::parse::Unreadable>,
) -> Probe<T> {
    match info {
        Ok(info) => read(info).map_or_else(|error| Probe::Unknown(error.to_string()), Probe::Known),
        Err(error) => failed(error),
    }
}

/// An answer of the product as a probe.
fn probe<T>(result: Result<T, HostError>) -> Probe<T> {
    result.map_or_else(|error| failed(&error), Probe::Known)
}

fn failed<T>(error: &HostError) -> Probe<T> {
    match error {
        HostError::Unsupported { answer, .. } => Probe::Unsupported(answer.clone()),
        other => Probe::Unknown(with_causes(other)),
    }
}

#[cfg(test)]
mod tests;
