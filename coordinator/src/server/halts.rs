//! One halt for the whole fleet: written down first, then told to everybody who could start something.

use std::time::Duration;

use futures::{StreamExt, stream};
use proto::wire::SetHalt;
use proto::{Failure, Halt, NodeFacts, NodeHalt, RunId};
use serde::{Deserialize, Serialize};

use super::Core;
use super::open_runs::OpenRun;
use crate::documents::{Document, ErrorDocument, FleetHaltRow, HaltDocument, HaltedRunRow, UntoldRow};
use crate::run::{Phase, Request};
use crate::store::{Shelf, Store};

/// In whose name runs are asked to pause, before the name of who halted.
const ASKER: &str = "the halt of the fleet";

/// In whose name runs are asked to pause while the fleet is halted.
pub(super) fn asker(by: &str) -> String {
    format!("{ASKER}, {by}")
}

/// Whether a run was asked to pause because the fleet was halted.
pub(super) fn asked(by: &str) -> bool {
    by.starts_with(ASKER)
}

/// The name of the document on its shelf.
const KEY: &str = "fleet";

/// How many agents are told at once: ten thousand are through in a few round trips.
const AT_ONCE: usize = 256;

/// How long an agent may take; one that does not answer is told again by the inventory.
const ANSWER: Duration = Duration::from_secs(5);

/// The fleet's halt as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::server) struct FleetHalt {
    /// Counts halts and lifts: agents refuse a lower one.
    pub(in crate::server) number: u64,
    /// The halt; `None` once it was lifted.
    pub(in crate::server) halt: Option<Halt>,
}

impl FleetHalt {
    /// The halt of the fleet as it stands.
    ///
    /// # Errors
    /// The store failed, or what is there cannot be read: then nobody knows that the fleet is not halted.
    pub(in crate::server) async fn read(store: &dyn Store) -> Result<Self, Failure> {
        let shelved = store.shelved(Shelf::Halt).await?;
        let Some((_, body)) = shelved.into_iter().find(|(key, _)| key == KEY) else {
            return Ok(Self::default());
        };
        serde_json::from_str(&body).map_err(|error| {
            let remedy = "use the newer ratchet, or restore the store from a backup";
            Failure::operator("store-damaged", "the fleet's halt cannot be read", remedy)
                .because(error.to_string())
        })
    }

    /// By whom and why, if it is in force.
    pub(in crate::server) fn why(&self) -> Option<String> {
        self.halt.as_ref().map(|halt| format!("{}: {}", halt.by, halt.why))
    }

    /// Whether a node knows it, as its facts say.
    pub(in crate::server) fn is_known_to(&self, facts: &NodeFacts) -> bool {
        let told = facts.halts.iter().find(|halt| halt.source == NodeHalt::FLEET);
        told.map(|told| &told.halt) == self.halt.as_ref()
    }

    /// What agents are told.
    pub(in crate::server) fn wire(&self) -> SetHalt {
        SetHalt { source: NodeHalt::FLEET.to_owned(), number: self.number, halt: self.halt.clone() }
    }

    /// As documents have it.
    pub(in crate::server) fn row(&self) -> Option<FleetHaltRow> {
        let Halt { by, why, at } = self.halt.clone()?;
        Some(FleetHaltRow { by, why, at })
    }
}

impl Core {
    /// The halt of the fleet as it stands.
    pub(in crate::server) async fn fleet_halt(&self) -> Result<FleetHalt, Failure> {
        FleetHalt::read(self.store()).await
    }

    /// Refuses to start anything while the fleet is halted.
    pub(in crate::server) async fn not_halted(&self) -> Result<(), Failure> {
        match self.fleet_halt().await?.halt {
            None => Ok(()),
            Some(halt) => Err(halted(&halt)),
        }
    }

    /// Halts the fleet. If it is halted already, that halt stands, and everybody is told again.
    pub(super) async fn halt_fleet(&self, why: &str, by: &str) -> Result<HaltDocument, Failure> {
        let mut fleet = self.fleet_halt().await?;
        if fleet.halt.is_none() {
            let why = why.trim();
            if why.is_empty() {
                let remedy = "ratchet halt --why \"REASON\"";
                return Err(Failure::operator("usage", "a halt needs a reason", remedy));
            }
            let halt = Halt { by: by.to_owned(), why: why.to_owned(), at: self.now() };
            fleet = FleetHalt { number: fleet.number + 1, halt: Some(halt) };
            self.shelve(&fleet).await?;
            tracing::warn!(by, why = why.trim(), "the fleet was halted");
        }
        let by = fleet.halt.as_ref().map(|halt| halt.by.clone()).unwrap_or_default();
        let open = self.open_runs().await?;
        for run in open.iter().filter(|run| run.phase == Phase::Active && !run.stopping) {
            self.pause_for_halt(&run.id, &by).await?;
        }
        self.tell_fleet(fleet, open).await
    }

    /// Lifts the halt. What was paused stays paused until somebody goes on with it.
    pub(super) async fn lift_halt(&self, by: &str) -> Result<HaltDocument, Failure> {
        let mut fleet = self.fleet_halt().await?;
        if fleet.halt.is_some() {
            fleet = FleetHalt { number: fleet.number + 1, halt: None };
            self.shelve(&fleet).await?;
            tracing::warn!(by, "the fleet's halt was lifted");
        }
        self.tell_fleet(fleet, self.open_runs().await?).await
    }

    async fn shelve(&self, fleet: &FleetHalt) -> Result<(), Failure> {
        let body = serde_json::to_string(fleet)
            .map_err(|error| Failure::bug("a halt cannot be written down").because(error.to_string()))?;
        Ok(self.store().put(Shelf::Halt, KEY, &body).await?)
    }

    /// Asks a run at work to pause; a run that nobody drives does nothing until somebody takes it up.
    pub(super) async fn pause_for_halt(&self, run: &RunId, by: &str) -> Result<(), Failure> {
        self.store().ask(run, &Request::Pause, &asker(by), self.now()).await?;
        Ok(())
    }

    async fn tell_fleet(&self, fleet: FleetHalt, open: Vec<OpenRun>) -> Result<HaltDocument, Failure> {
        let (told, untold) = match fleet.number {
            // It was never halted, so there is nothing that an agent could have to forget.
            0 => (0, Vec::new()),
            _ => self.tell_agents(&fleet.wire()).await,
        };
        Ok(HaltDocument {
            schema: HaltDocument::SCHEMA.to_owned(),
            at: self.now(),
            halt: fleet.row(),
            told,
            exit_code: if untold.is_empty() { 0 } else { 6 },
            untold,
            runs: open.iter().map(row).collect(),
        })
    }

    async fn tell_agents(&self, request: &SetHalt) -> (usize, Vec<UntoldRow>) {
        let of_cluster = |cluster: &crate::config::ClusterConfig| {
            let name = cluster.name.to_string();
            self.members(cluster).into_iter().map(move |agent| (name.clone(), agent))
        };
        let mut agents: Vec<(String, String)> = self.config.clusters.iter().flat_map(of_cluster).collect();
        // Those that belong to no cluster yet may be put in one at any time.
        let strays = self.unassigned().into_iter().filter(|agent| agent.connected);
        agents.extend(strays.map(|agent| (String::new(), format!("@{}", agent.name))));
        let all = agents.len();
        let answers = stream::iter(agents).map(|(cluster, agent)| async move {
            let failure = self.tell_agent(&agent, request).await.err()?;
            let error = ErrorDocument::from(&failure).error;
            Some(UntoldRow { cluster, agent, error })
        });
        let answers: Vec<Option<UntoldRow>> = answers.buffer_unordered(AT_ONCE).collect().await;
        let mut untold: Vec<UntoldRow> = answers.into_iter().flatten().collect();
        untold.sort_by(|one, other| (&one.cluster, &one.agent).cmp(&(&other.cluster, &other.agent)));
        (all - untold.len(), untold)
    }

    /// Tells one agent. One that has heard of a later halt or lift by now needs nothing more.
    pub(in crate::server) async fn tell_agent(&self, agent: &str, request: &SetHalt) -> Result<(), Failure> {
        match tokio::time::timeout(ANSWER, self.world.agents.set_halt(agent, request)).await {
            Ok(answer) => answer.map(|_| ()),
            Err(_) => {
                let silence = format!("agent {agent} did not answer within {} s", ANSWER.as_secs());
                Err(Failure::retry(proto::wire::UNREACHABLE, silence))
            }
        }
    }
}

fn row(run: &OpenRun) -> HaltedRunRow {
    let (state, command) = match run.phase {
        Phase::Active if run.stopping => ("pausing", None),
        Phase::Active => ("running", None),
        Phase::Paused => ("paused", Some(format!("ratchet resume {}", run.id))),
        Phase::Halted(_) | Phase::Ended(_) => ("halted", Some(format!("ratchet why {}", run.id))),
    };
    let (run, cluster) = (run.id.to_string(), run.cluster.to_string());
    HaltedRunRow { run, cluster, state: state.to_owned(), command }
}

fn halted(halt: &Halt) -> Failure {
    let since = halt.at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let message = format!("the fleet is halted since {since} by {}; nothing was started", halt.by);
    Failure::operator("halted", message, "ratchet halt --lift").because(halt.why.clone())
}
