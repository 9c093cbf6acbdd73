//! What an agent answers when it is asked to look at its node.

use jiff::Timestamp;
use proto::wire::Observe;
use proto::{Checked, InstalledVersion, NodeFacts, NodeUid, Probe, Rlcheck, SourceFacts, sample};

use crate::cluster::{SimCluster, host_name};
use crate::details::details;
use crate::spec;

/// How large every archive is said to be, in bytes.
pub(crate) const ARCHIVE: u64 = 1 << 20;

/// The facts of a node, but for what its agent has in its own books.
pub(crate) fn of_node(cluster: &SimCluster, node: NodeUid, asked: &Observe, now: Timestamp) -> NodeFacts {
    NodeFacts {
        hostname: host_name(cluster.number, node),
        cluster_name: Probe::Known(spec::domain(cluster.number)),
        installed: installed(cluster, node),
        view: Probe::Known(cluster.view(node)),
        rlcheck: asked.run_rlcheck.then(|| Probe::Known(rlcheck(cluster))),
        sources: asked.sources.iter().map(|url| source(url)).collect(),
        details: details(cluster, node, &asked.facts, now),
        // Whose view is of one node only: it is replaced anyway.
        ..sample::healthy_facts(node, 1, now)
    }
}

fn installed(cluster: &SimCluster, node: NodeUid) -> Probe<InstalledVersion> {
    match cluster.version(node) {
        Some(version) => {
            Probe::Known(InstalledVersion { version, read_from: vec!["rladmin status".to_owned()] })
        }
        None => Probe::Unknown("there is no such node".to_owned()),
    }
}

fn source(url: &str) -> SourceFacts {
    SourceFacts { url: url.to_owned(), size: Probe::Known(Some(ARCHIVE)) }
}

/// What the vendor's checks say.
pub(crate) fn rlcheck(cluster: &SimCluster) -> Rlcheck {
    let ill = cluster.is_ill();
    let failures = if ill { vec!["verify_shards: a shard is down".to_owned()] } else { Vec::new() };
    Rlcheck { passed: !ill, tests: vec!["verify_shards".to_owned()], failures }
}

/// What a check on a node finds.
pub(crate) fn checked(cluster: &SimCluster, node: NodeUid) -> Checked {
    Checked { rlcheck: rlcheck(cluster), view: cluster.view(node) }
}
