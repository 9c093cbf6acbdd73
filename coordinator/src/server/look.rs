//! `status` and `check`: looking, and changing nothing.

use futures::StreamExt;
use jiff::Timestamp;
use proto::wire::Observe;
use proto::{Fact, Failure, NodeFacts, Probe, RunnerKind, Version};

use super::Core;
use crate::checks::{Acceptance, Context, Finding, Stage, blocked, check_all};
use crate::config::ClusterConfig;
use crate::documents::{CheckDocument, ClusterRow, Document, NodeRow, StatusDocument};
use crate::observe::observe;
use crate::snapshot::{AgentReport, Snapshot};

/// Clusters that are looked at at a time: what all agents of a large fleet say at once is more than fits in memory.
const AT_ONCE: usize = 256;

impl Core {
    pub(super) async fn status(&self, names: &[String]) -> Result<StatusDocument, Failure> {
        let clusters: Vec<&ClusterConfig> = match names {
            [] => self.config.clusters.iter().collect(),
            names => names.iter().map(|name| self.cluster(name)).collect::<Result<_, _>>()?,
        };
        let rows: Vec<_> = clusters.into_iter().map(|cluster| self.cluster_row(cluster)).collect();
        let rows: Vec<_> = futures::stream::iter(rows).buffered(AT_ONCE).collect().await;
        Ok(StatusDocument {
            schema: StatusDocument::SCHEMA.to_owned(),
            at: self.now(),
            fleet_halt: self.fleet_halt().await?.row(),
            warnings: self.expiring().await,
            clusters: rows.into_iter().collect::<Result<_, _>>()?,
        })
    }

    async fn cluster_row(&self, cluster: &ClusterConfig) -> Result<ClusterRow, Failure> {
        let snapshot = self.observe(cluster, Observe::default()).await;
        let run = self.open_run(&cluster.name).await?.map(|run| run.id.to_string());
        Ok(row(&snapshot, run))
    }

    pub(super) async fn observe(&self, cluster: &ClusterConfig, request: Observe) -> Snapshot {
        let members = self.current_members(cluster).await;
        observe(&self.world.agents, &cluster.name, &members, &request, &self.world.clock).await
    }

    /// Preflight: with a target, everything a plan would be checked for; without one, how the cluster is.
    pub(super) async fn check(
        &self,
        cluster: &str,
        to: Option<Version>,
        accepted: &[Acceptance],
    ) -> Result<CheckDocument, Failure> {
        let (at, findings) = match to {
            Some(to) => {
                let planned = self.planned(cluster, to, accepted).await?;
                (planned.at, planned.findings().to_vec())
            }
            None => self.survey(cluster, accepted).await?,
        };
        Ok(CheckDocument {
            schema: CheckDocument::SCHEMA.to_owned(),
            cluster: cluster.to_owned(),
            at,
            target: to.map(|to| to.to_string()),
            passed: !blocked(&findings),
            findings,
        })
    }

    async fn survey(
        &self,
        cluster: &str,
        accepted: &[Acceptance],
    ) -> Result<(Timestamp, Vec<Finding>), Failure> {
        self.acceptable(accepted)?;
        let request = Observe { run_rlcheck: true, sources: Vec::new(), facts: Fact::ALL.to_vec() };
        let snapshot = self.observe(self.cluster(cluster)?, request).await;
        let catalogue = self.catalogue().await?;
        let context = Context {
            snapshot: &snapshot,
            table: &self.world.table,
            catalogue: &catalogue,
            signed: None,
            stage: Stage::Survey,
            accepted,
            run: None,
            now: snapshot.at,
        };
        Ok((snapshot.at, check_all(&context)))
    }
}

pub(super) fn row(snapshot: &Snapshot, run: Option<String>) -> ClusterRow {
    let problems = problems(snapshot);
    let installed = snapshot.installed();
    let mut versions = installed.values();
    let first = versions.next().copied().flatten();
    let version = first.filter(|first| versions.all(|version| *version == Some(*first)));
    let mut nodes: Vec<NodeRow> = snapshot.agents.iter().map(|report| node_row(report, snapshot)).collect();
    nodes.sort_by_key(|node| (node.uid.is_none(), node.uid));
    ClusterRow {
        name: snapshot.cluster.to_string(),
        healthy: problems.is_empty(),
        version: version.map(|version| version.to_string()),
        master: snapshot.agreed_master().map(|master| master.0),
        problems,
        nodes,
        run,
        remarks: remarks(snapshot),
    }
}

/// Everything that is not known to be well, each thing once, whoever sees it.
pub(super) fn problems(snapshot: &Snapshot) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |problem: String| {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    for report in &snapshot.agents {
        match report.answer.as_ref().map(|facts| facts.view.as_result()) {
            Ok(Ok(view)) => {
                view.faults()
                    .into_iter()
                    .for_each(|problem| note(format!("{}: {}", problem.subject, problem.saw)));
                view.idle_nodes().filter(|uid| snapshot.is_free_of_maintenance(*uid) != Some(true)).for_each(
                    |uid| {
                        note(format!("{uid}: takes no shards, and may be in maintenance mode"));
                    },
                );
            }
            Ok(Err(reason)) => note(format!("{} cannot see its cluster: {reason}", report.address)),
            Err(failure) => note(failure.to_string()),
        }
    }
    for uid in snapshot.listed() {
        if snapshot.node(uid).is_none() {
            note(format!("{uid} is listed by the cluster and has no agent of its own"));
        }
    }
    if snapshot.agents.is_empty() {
        note("no agent is configured".to_owned());
    }
    problems
}

fn node_row(report: &AgentReport, snapshot: &Snapshot) -> NodeRow {
    let empty = NodeRow {
        agent: report.address.clone(),
        reachable: false,
        trouble: None,
        uid: None,
        role: None,
        address: None,
        hostname: None,
        version: None,
        status: None,
        claim: None,
        packages: Vec::new(),
        step: None,
        agent_version: None,
    };
    match &report.answer {
        Ok(facts) => reachable_row(facts, snapshot, empty),
        Err(failure) => NodeRow { trouble: Some(failure.to_string()), ..empty },
    }
}

fn reachable_row(facts: &NodeFacts, snapshot: &Snapshot, empty: NodeRow) -> NodeRow {
    let uid = facts.node_uid.known().copied();
    // A node that cannot see its cluster is still seen by the others.
    let views = snapshot.views().map(|(_, view)| view);
    let mut views = facts.view.known().into_iter().chain(views);
    let row = uid.and_then(|uid| views.find_map(|view| view.node(uid)));
    NodeRow {
        reachable: true,
        trouble: trouble(facts),
        uid: uid.map(|uid| uid.0),
        role: row.and_then(|row| row.role).map(|role| role.to_string()),
        address: row.map(|row| row.address.clone()),
        hostname: Some(facts.hostname.clone()),
        version: facts.installed.known().map(|installed| installed.version.to_string()),
        status: row.map(|row| row.status.to_string()),
        claim: facts.claim.as_ref().map(|claim| claim.run.to_string()),
        packages: facts.packages.iter().map(|package| package.version.to_string()).collect(),
        step: facts.current_step.as_ref().map(|step| step.kind.to_string()),
        agent_version: Some(facts.agent_version.clone()),
        ..empty
    }
}

fn trouble(facts: &NodeFacts) -> Option<String> {
    fn reason<T>(what: &str, probe: &Probe<T>) -> Option<String> {
        probe.as_result().err().map(|reason| format!("{what}: {reason}"))
    }
    reason("cluster", &facts.view)
        .or_else(|| reason("node", &facts.node_uid))
        .or_else(|| reason("version", &facts.installed))
}

fn remarks(snapshot: &Snapshot) -> Vec<String> {
    let mut remarks: Vec<String> = snapshot.views().flat_map(|(_, view)| view.remarks.clone()).collect();
    remarks.sort();
    remarks.dedup();
    let detached = snapshot.answered().filter(|(_, facts)| facts.runner == RunnerKind::Process).count();
    if detached > 0 {
        remarks.push(format!(
            "{detached} agents run installers as detached processes: they survive the agent, but not a container's end"
        ));
    }
    remarks
}
