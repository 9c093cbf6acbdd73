//! `assign`: an operator puts an agent that connects by itself in a cluster, or takes it out.

use proto::{AgentName, ClusterName, Failure};

use super::known::{Assignment, assignment_key};
use super::place::Place;
use crate::documents::{AssignedDocument, Document};
use crate::server::Core;
use crate::store::Shelf;

impl Core {
    /// Puts an agent in a cluster, or in none. The same twice is the same.
    pub(in crate::server) async fn assign_agent(
        &self,
        agent: &str,
        cluster: Option<&str>,
        by: &str,
    ) -> Result<AssignedDocument, Failure> {
        let name: AgentName = agent.parse().map_err(|error: proto::InvalidName| {
            let remedy = "give the name under which the agent connects, without the @";
            Failure::operator("usage", "the agent's name cannot be used", remedy).because(error.to_string())
        })?;
        let cluster =
            cluster.map(|cluster| self.cluster(cluster).map(|found| found.name.clone())).transpose()?;
        self.read_roster(|_| true).await?;
        let before = self.place_of(&name)?;
        if let Place::Named(named) = &before
            && cluster.as_ref() != Some(named)
        {
            return Err(named_in_file(&name, named));
        }
        let changed = before.cluster() != cluster.as_ref() || !is_settled(&before);
        if changed {
            self.write_assignment(&name, cluster.clone(), by).await?;
        }
        Ok(self.assigned(&name, &before, cluster, changed))
    }

    fn place_of(&self, name: &AgentName) -> Result<Place, Failure> {
        let state = self.roster.state();
        state.known.place(name).cloned().ok_or_else(|| {
            let message = format!("no agent has ever connected as `{name}`");
            let remedy =
                "see which have: ratchet inventory; and see `connect` and `name` in that node's agent.toml";
            Failure::operator("no-such-agent", message, remedy)
        })
    }

    async fn write_assignment(
        &self,
        name: &AgentName,
        cluster: Option<ClusterName>,
        by: &str,
    ) -> Result<(), Failure> {
        let assignment = Assignment { cluster, by: by.to_owned(), at: self.now() };
        let body = serde_json::to_string(&assignment).map_err(|error| {
            Failure::bug("an assignment cannot be written down").because(error.to_string())
        })?;
        let _writing = self.roster.writing.lock().await;
        self.store().put(Shelf::Agent, &assignment_key(name), &body).await?;
        tracing::warn!(agent = %name, ?assignment, "an agent was assigned");
        self.roster.change(name, |known| {
            known.assignments.insert(name.clone(), assignment);
        });
        Ok(())
    }

    fn assigned(
        &self,
        name: &AgentName,
        before: &Place,
        cluster: Option<ClusterName>,
        changed: bool,
    ) -> AssignedDocument {
        let summary = match (&cluster, changed) {
            (Some(cluster), true) => format!("agent {name} belongs to {cluster} from now on"),
            (Some(cluster), false) => format!("agent {name} belongs to {cluster} already"),
            (None, true) => format!("agent {name} belongs to no cluster from now on, whatever rules say"),
            (None, false) => format!("agent {name} belongs to no cluster already"),
        };
        AssignedDocument {
            schema: AssignedDocument::SCHEMA.to_owned(),
            agent: name.to_string(),
            cluster: cluster.map(|cluster| cluster.to_string()),
            was: before.cluster().map(ToString::to_string),
            changed,
            connected: self.world.agents.connected().is_connected(name),
            summary,
        }
    }
}

/// Whether a place stays what it is, whatever rules come and go.
fn is_settled(place: &Place) -> bool {
    match place {
        Place::Named(_) | Place::Assigned(_) | Place::TakenOut => true,
        Place::Ruled(_) | Place::Contested(_) | Place::Nowhere => false,
    }
}

fn named_in_file(name: &AgentName, cluster: &ClusterName) -> Failure {
    let message = format!("`agents` of cluster {cluster} in ratchet.toml names @{name}");
    let remedy = "change it there; what the file says of an agent by name is not overridden";
    Failure::operator("named-in-file", message, remedy)
}
