//! What agents would say of the modelled cluster, as the snapshot that the real judgements judge.

use coordinator::snapshot::{AgentReport, Snapshot};
use proto::sample::healthy_facts;
use proto::{
    ClusterView, Failure, Health, InstalledVersion, NodeFacts, NodeRole, Probe, StepInFlight, StepKind,
};

use crate::case::{Case, agent, noon, past_noon, place, uid};
use crate::rules::{claim, other_run};

/// One node in a look at the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeLook {
    /// The installed version, as a place on the way.
    pub version: u8,
    /// Whether its agent answers.
    pub answers: bool,
    /// Whether the product on it is well; nothing is well while it is being installed.
    pub well: bool,
    /// Whose claim it has: 0 nobody's, 1 this run's, 2 another's.
    pub claim: u8,
    /// Whether a step is at work.
    pub busy: bool,
    /// Whether the agent is taken to be well although it does not answer: only mutations say so.
    pub believed: bool,
}

/// A look at the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// The master.
    pub master: u8,
    /// The nodes.
    pub nodes: Vec<NodeLook>,
}

impl Look {
    /// The snapshot of it.
    pub fn snapshot(&self, case: &Case) -> Snapshot {
        let view = self.view(case);
        let report = |(node, look): (u8, &NodeLook)| AgentReport {
            address: agent(node),
            received_at: past_noon(),
            answer: match look.answers || look.believed {
                true => Ok(facts(case, node, look, &view)),
                false => Err(Failure::retry("unreachable", "no answer")),
            },
        };
        let agents = (0..).zip(&self.nodes).map(report).collect();
        let cluster = match &case.created.event {
            coordinator::run::Event::Created { plan, .. } => plan.cluster.clone(),
            _ => unreachable!("a case begins with `created`"),
        };
        Snapshot { at: past_noon(), cluster, agents }
    }

    fn view(&self, case: &Case) -> ClusterView {
        let mut view = proto::sample::healthy_view(u32::from(case.nodes));
        view.master = Some(uid(self.master));
        for row in &mut view.nodes {
            let node = place(row.uid);
            let look = &self.nodes[usize::from(node)];
            row.role = Some(if node == self.master { NodeRole::Master } else { NodeRole::Replica });
            row.version = Some(case.versions[usize::from(look.version)]);
            if !((look.well && look.answers) || look.believed) {
                row.status = Health::NotOk("DOWN".to_owned());
            }
        }
        view
    }
}

fn facts(case: &Case, node: u8, look: &NodeLook, view: &ClusterView) -> NodeFacts {
    let version = case.versions[usize::from(look.version)];
    let mut facts = healthy_facts(uid(node), u32::from(case.nodes), past_noon());
    facts.view = Probe::Known(ClusterView { local: uid(node), ..view.clone() });
    facts.installed = Probe::Known(InstalledVersion { version, read_from: vec!["rladmin".to_owned()] });
    facts.claim = match look.claim {
        0 => None,
        1 => Some(claim(case.run.clone(), 1)),
        _ => Some(claim(other_run(), 9)),
    };
    if look.busy
        && let Ok(step) = "some.step".parse()
    {
        facts.current_step = Some(StepInFlight { step, kind: StepKind::Check, since: noon() });
    }
    facts
}
