//! Agents that connect by themselves, over real connections: who is let in, where they belong, what they are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proto::transport::{Hello, Incoming, OfferError, Security, incoming};
use proto::wire::{Observe, SetHalt, UNREACHABLE};
use proto::{Failure, Halt, NodeHalt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::agent::FakeAgent;
use super::stage::{Stage, noon};
use crate::server::Core;
use crate::server::roster::{Leads, welcome_all};
use crate::store::{Acquire, Store};

const PATIENCE: Duration = Duration::from_secs(60);

/// A coordinator with a port for agents.
struct Port {
    core: Arc<Core>,
    address: String,
    leads: Arc<AtomicBool>,
    welcoming: JoinHandle<()>,
    /// Holds the port open.
    _clients: proto::transport::Clients,
}

impl Port {
    async fn open(core: Core) -> Self {
        let (core, leads) = (Arc::new(core), Arc::new(AtomicBool::new(true)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let Incoming { clients, agents } = incoming(listener, &Security::InsecureLoopback).unwrap();
        let asked = Arc::clone(&leads);
        let leading: Leads = Arc::new(move || asked.load(Ordering::SeqCst));
        let welcoming = tokio::spawn(welcome_all(Arc::clone(&core), agents, leading));
        Self { core, address, leads, welcoming, _clients: clients }
    }

    /// Connects an agent in the background.
    fn connect(&self, agent: &FakeAgent, name: &str, memory: &str) -> JoinHandle<Result<(), OfferError>> {
        let (agent, address, hello) = (agent.clone(), self.address.clone(), hello(name, memory));
        tokio::spawn(async move { agent.connect(&address, &hello).await })
    }

    /// Waits until something holds of the coordinator.
    async fn until(&self, what: &str, holds: impl Fn(&Core) -> bool) {
        let held = async {
            while !holds(&self.core) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, held).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    async fn until_known(&self, names: &[&str]) {
        let known = |core: &Core| {
            let state = (core.unassigned(), core.config.clusters.iter().map(|cluster| core.members(cluster)));
            let known: Vec<String> = state.0.into_iter().map(|agent| format!("@{}", agent.name)).collect();
            let known: Vec<String> = known.into_iter().chain(state.1.flatten()).collect();
            let connected = core.world.agents.connected();
            names.iter().all(|name| {
                known.contains(&format!("@{name}")) && connected.is_connected(&name.parse().unwrap())
            })
        };
        self.until("agents are known", known).await;
    }

    fn members(&self, cluster: &str) -> Vec<String> {
        self.core.members(self.core.cluster(cluster).unwrap())
    }

    fn unassigned(&self) -> Vec<String> {
        self.core.unassigned().into_iter().map(|agent| agent.name.to_string()).collect()
    }
}

fn hello(name: &str, memory: &str) -> Hello {
    Hello { name: name.parse().unwrap(), memory: memory.parse().unwrap(), version: "0.1.0".to_owned() }
}

/// Two clusters of agents that connect, and one that is dialled.
fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.more += "[[cluster]]\nname = \"carts\"\nconnecting = [\"carts-*\"]\n\
                   [[cluster]]\nname = \"users\"\nagents = [\"@special\"]\nconnecting = [\"users-*\", \"*-shared\"]\n";
    stage
}

async fn refused(answer: JoinHandle<Result<(), OfferError>>) -> (Failure, Option<String>) {
    match tokio::time::timeout(PATIENCE, answer).await.expect("no answer").unwrap() {
        Err(OfferError::Refused(why)) => (why.failure, why.leader),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn agents_that_connect_are_the_nodes_of_the_cluster_whose_rule_fits() {
    let stage = stage();
    let port = Port::open(stage.core().await).await;
    let names = ["carts-1", "carts-2", "carts-3"];
    for (agent, name) in stage.agents.iter().zip(names) {
        port.connect(agent, name, "m1");
    }
    port.connect(&stage.agents[0], "stray", "m2");
    port.connect(&stage.agents[0], "carts-shared", "m3");
    port.until_known(&["carts-1", "carts-2", "carts-3", "stray", "carts-shared"]).await;
    assert_eq!(port.members("carts"), ["@carts-1", "@carts-2", "@carts-3"]);
    assert_eq!(port.members("users"), ["@special"], "named by the file, and never seen");
    assert_eq!(port.members("orders"), ["n1:1", "n2:1", "n3:1"], "as they were");
    assert_eq!(port.unassigned(), ["carts-shared", "stray"]);
    let contested = &port.core.unassigned()[0];
    assert!(contested.connected && contested.reason.contains("carts, users"), "{contested:?}");

    let status = port.core.status(&["carts".to_owned()]).await.unwrap();
    let row = &status.clusters[0];
    assert!(row.healthy, "{:?}", row.problems);
    assert_eq!(row.nodes.iter().map(|node| node.agent.as_str()).collect::<Vec<_>>(), port.members("carts"));
    let status = port.core.status(&["users".to_owned()]).await.unwrap();
    let trouble = status.clusters[0].nodes[0].trouble.clone().unwrap();
    assert!(trouble.contains("agent @special is not connected"), "{trouble}");
}

#[tokio::test]
async fn an_operator_puts_agents_in_clusters_and_takes_them_out() {
    let stage = stage();
    let port = Port::open(stage.core().await).await;
    for (agent, name) in stage.agents.iter().zip(["stray", "carts-1", "special"]) {
        port.connect(agent, name, "m1");
    }
    port.until_known(&["stray", "carts-1", "special"]).await;
    let assign =
        async |agent: &str, cluster: Option<&str>| port.core.assign_agent(agent, cluster, "ann").await;
    let document = assign("stray", Some("carts")).await.unwrap();
    assert_eq!((document.cluster.as_deref(), document.was, document.changed), (Some("carts"), None, true));
    assert!(document.connected);
    assert!(!assign("stray", Some("carts")).await.unwrap().changed, "the same twice is the same");
    assert_eq!(port.members("carts"), ["@carts-1", "@stray"]);
    // What an operator says beats the rule, also when it says the same: a rule may go.
    assert!(assign("carts-1", Some("carts")).await.unwrap().changed);
    let document = assign("carts-1", None).await.unwrap();
    assert_eq!((document.cluster, document.was.as_deref()), (None, Some("carts")));
    assert_eq!(
        (port.members("carts"), port.unassigned()),
        (vec!["@stray".to_owned()], vec!["carts-1".to_owned()])
    );
    for (agent, cluster, id) in [
        ("nobody", Some("carts"), "no-such-agent"),
        ("stray", Some("nowhere"), "no-such-cluster"),
        ("special", Some("carts"), "named-in-file"),
        ("special", None, "named-in-file"),
        ("@stray", None, "usage"),
    ] {
        let failure = assign(agent, cluster).await.unwrap_err();
        assert_eq!((failure.id.as_str(), failure.remedy.is_some()), (id, true), "{agent} {cluster:?}");
    }
    // Another coordinator on the same store knows it, too; the agents are not connected to it.
    let other = stage.core().await;
    let carts = other.cluster("carts").unwrap();
    assert_eq!(other.current_members(carts).await, ["@stray"]);
    let failure = other.world.agents.observe("@stray", &Observe::default()).await.unwrap_err();
    assert_eq!(
        (failure.id.as_str(), failure.message.as_str()),
        (UNREACHABLE, "agent @stray is not connected")
    );
}

#[tokio::test]
async fn a_name_is_taken_and_a_newer_connection_of_the_same_agent_replaces_the_older() {
    let stage = stage();
    let port = Port::open(stage.core().await).await;
    let first = port.connect(&stage.agents[0], "carts-1", "m1");
    port.until_known(&["carts-1"]).await;
    let (failure, leader) = refused(port.connect(&stage.agents[1], "carts-1", "m2")).await;
    assert_eq!((failure.id.as_str(), leader), ("name-taken", None));
    port.connect(&stage.agents[1], "carts-1", "m1");
    tokio::time::timeout(PATIENCE, first).await.expect("the older is let go").unwrap().unwrap();
    let seen = async |number: u32| {
        let facts = port.core.world.agents.observe("@carts-1", &Observe::default()).await.unwrap();
        assert_eq!(facts.node_uid.known().unwrap().0, number);
    };
    seen(2).await;
    assert_eq!(port.members("carts"), ["@carts-1"]);
}

#[tokio::test]
async fn who_does_not_lead_sends_agents_on_and_lets_go_of_those_it_had() {
    let stage = stage();
    let port = Port::open(stage.core().await).await;
    let agent = port.connect(&stage.agents[0], "carts-1", "m1");
    port.until_known(&["carts-1"]).await;
    let store = stage.store("ratchet.db").await;
    let _lead = store.lead("bob@ops2", Some("ops2:7444"), Acquire::IfFree).await.unwrap();
    port.leads.store(false, Ordering::SeqCst);
    tokio::time::timeout(PATIENCE, agent).await.expect("it is let go").unwrap().unwrap();
    assert_eq!(port.core.world.agents.connected().all(), []);
    let (failure, leader) = refused(port.connect(&stage.agents[0], "carts-1", "m1")).await;
    assert_eq!((failure.id.as_str(), leader.as_deref()), ("not-leader", Some("ops2:7444")));
    assert!(failure.cause.unwrap().contains("bob@ops2"));
    port.leads.store(true, Ordering::SeqCst);
    port.connect(&stage.agents[0], "carts-1", "m1");
    port.until_known(&["carts-1"]).await;
}

#[tokio::test]
async fn a_halt_reaches_an_agent_whichever_side_has_dialled() {
    let stage = stage();
    let port = Port::open(stage.core().await).await;
    port.connect(&stage.agents[0], "carts-1", "m1");
    port.until_known(&["carts-1"]).await;
    let halt = Halt { by: "alice".to_owned(), why: "smoke".to_owned(), at: noon() };
    let agents = &port.core.world.agents;
    for (number, address) in [(1, "@carts-1"), (2, "n1:1")] {
        let source = NodeHalt::FLEET.to_owned();
        let asked = SetHalt { source: source.clone(), number, halt: Some(halt.clone()) };
        let expected = vec![NodeHalt { source, halt: halt.clone() }];
        assert_eq!(agents.set_halt(address, &asked).await.unwrap().halts, expected);
        assert_eq!(agents.observe(address, &Observe::default()).await.unwrap().halts, expected);
    }
    let late = SetHalt { source: NodeHalt::FLEET.to_owned(), number: 1, halt: None };
    assert_eq!(agents.set_halt("@carts-1", &late).await.unwrap_err().id, "stale-halt");
}

/// The coordinator is gone and comes back: everybody comes at once, and everybody is in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_agents_that_come_back_passes() {
    const AGENTS: usize = 300;
    let stage = stage();
    let names: Vec<String> = (0..AGENTS).map(|number| format!("carts-{number}")).collect();
    let mut rows = Vec::new();
    for _ in 0..2 {
        let port = Port::open(stage.core().await).await;
        let agents: Vec<_> = names.iter().map(|name| port.connect(&stage.agents[0], name, "m1")).collect();
        port.until("all are back", |core| core.world.agents.connected().all().len() == AGENTS).await;
        port.until("all are known", |core| core.members(core.cluster("carts").unwrap()).len() == AGENTS)
            .await;
        let facts = port.core.world.agents.observe("@carts-299", &Observe::default()).await.unwrap();
        assert_eq!(facts.node_uid.known().unwrap().0, 1);
        rows.push(port.core.store().shelved(crate::store::Shelf::Agent).await.unwrap());
        // Whoever leads no more lets all of them go.
        port.leads.store(false, Ordering::SeqCst);
        for agent in agents {
            tokio::time::timeout(PATIENCE, agent).await.expect("let go").unwrap().unwrap();
        }
        port.welcoming.abort();
    }
    assert_eq!(rows[0].len(), AGENTS);
    assert_eq!(rows[0], rows[1], "who comes back is not written down again");
}
