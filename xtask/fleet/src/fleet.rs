//! The fleet in one process: clusters, their agents, and one server for all connections to them.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use proto::transport::{Timeouts, agent_server, plain_server_builder};
use proto::{Clock, ClusterName, NodeUid};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;

use crate::agent::{Common, SimAgent};
use crate::cluster::SimCluster;
use crate::configuration::Listed;
use crate::ledger::Ledger;
use crate::line::{Line, Wire};
use crate::service::Service;
use crate::spec::{self, FleetSpec};

/// Connections that may wait to be served.
const BACKLOG: u32 = 4096;

/// Whose agent is where.
type ByAddress = BTreeMap<Ipv4Addr, Arc<SimAgent>>;

/// A fleet of simulated clusters with an agent for each node. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Fleet {
    clusters: Vec<Arc<SimCluster>>,
    agents: Vec<Arc<SimAgent>>,
    common: Arc<Common>,
    port: Option<u16>,
    pub(crate) lines: mpsc::Sender<io::Result<Line>>,
    pub(crate) tasks: JoinSet<()>,
}

impl Fleet {
    /// A fleet whose agents are dialled: each at a loopback address of its own, all behind one listener.
    ///
    /// # Errors
    /// The system has no port, or no loopback device.
    pub async fn listening(spec: &FleetSpec) -> io::Result<Self> {
        let mut fleet = Self::made(spec);
        let listener = loopback_listener()?;
        fleet.port = Some(listener.local_addr()?.port());
        let by_address = fleet.agents.iter().map(|agent| (address_of(agent), Arc::clone(agent))).collect();
        fleet.tasks.spawn(accept(listener, by_address, fleet.lines.clone()));
        Ok(fleet)
    }

    /// A fleet that nobody can dial: its agents [connect](Self::connect) by themselves. Needs a tokio runtime.
    pub fn made(spec: &FleetSpec) -> Self {
        let clusters: Vec<_> = spec.numbers().map(|number| Arc::new(SimCluster::new(number, spec))).collect();
        let common = Arc::new(Common {
            ledger: Arc::default(),
            pace: spec.pace,
            obeys_halts: spec.obeys_halts,
            clock: Clock::system(),
            held: watch::Sender::new(false),
            certificates: spec.certificates.clone(),
        });
        let agent = |cluster: &Arc<SimCluster>, uid| {
            Arc::new(SimAgent::new(NodeUid(uid), Arc::clone(cluster), Arc::clone(&common)))
        };
        let agents = clusters
            .iter()
            .flat_map(|cluster| (1..=spec.nodes).map(move |uid| agent(cluster, uid)))
            .collect();
        let (lines, incoming) = mpsc::channel(64);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(incoming));
        Self { clusters, agents, common, port: None, lines, tasks }
    }

    /// The clusters, by their numbers.
    pub fn clusters(&self) -> &[Arc<SimCluster>] {
        &self.clusters
    }

    /// A cluster by its name.
    pub fn cluster(&self, name: &str) -> Option<&Arc<SimCluster>> {
        self.clusters.iter().find(|cluster| cluster.name.as_str() == name)
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.common.ledger
    }

    /// Lets installations that are at work not end, or lets them go on.
    pub fn hold_installs(&self, held: bool) {
        self.common.held.send_replace(held);
    }

    /// The clusters as a configuration lists them.
    pub fn listed(&self) -> Vec<Listed> {
        self.clusters.iter().map(|cluster| self.listing(cluster)).collect()
    }

    /// The nodes of a cluster.
    pub fn nodes<'a>(&'a self, cluster: &'a ClusterName) -> impl Iterator<Item = NodeUid> + 'a {
        self.agents.iter().filter(move |agent| agent.cluster.name == *cluster).map(|agent| agent.uid)
    }

    pub(crate) fn agents(&self) -> &[Arc<SimAgent>] {
        &self.agents
    }

    fn listing(&self, cluster: &Arc<SimCluster>) -> Listed {
        let agents = self.agents.iter().filter(|agent| Arc::ptr_eq(&agent.cluster, cluster));
        let address = |agent: &Arc<SimAgent>| match self.port {
            Some(port) => SocketAddr::new(IpAddr::V4(address_of(agent)), port).to_string(),
            None => format!("@{}", agent.name()),
        };
        Listed {
            name: cluster.name.clone(),
            agents: agents.map(address).collect(),
            labels: cluster.labels.clone(),
        }
    }
}

fn address_of(agent: &SimAgent) -> Ipv4Addr {
    spec::address(agent.cluster.number, agent.uid.0)
}

/// All loopback addresses at one port. Bound to the loopback device, so that nobody else gets in.
fn loopback_listener() -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind_device(Some(b"lo"))?;
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0))?;
    socket.listen(BACKLOG)
}

/// Takes connections in; the address that was dialled says to whom.
async fn accept(listener: TcpListener, agents: ByAddress, lines: mpsc::Sender<io::Result<Line>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: others have to be given back first.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let Ok(SocketAddr::V4(dialled)) = stream.local_addr() else { continue };
        let Some(agent) = agents.get(dialled.ip()) else { continue };
        if lines.is_closed() {
            return;
        }
        tokio::spawn(greet(stream, Arc::clone(agent), lines.clone()));
    }
}

/// A connection that is reset at once, or by somebody without a certificate, is nobody's loss.
async fn greet(stream: TcpStream, agent: Arc<SimAgent>, lines: mpsc::Sender<io::Result<Line>>) {
    let _undelayed = stream.set_nodelay(true);
    let stream: Box<dyn Wire> = match &agent.common.certificates {
        None => Box::new(stream),
        Some(certificates) => {
            let Ok(acceptor) = certificates.acceptor(address_of(&agent).into()) else { return };
            let Ok(stream) = acceptor.accept(stream).await else { return };
            Box::new(stream)
        }
    };
    let _served = lines.send(Ok(Line::new(stream, agent, None))).await;
}

async fn serve(incoming: mpsc::Receiver<io::Result<Line>>) {
    let mut server = plain_server_builder(Timeouts::default());
    // Who may come is for the listeners above to say.
    let served = server
        .add_service(agent_server(Service).for_this_machine())
        .serve_with_incoming(ReceiverStream::new(incoming));
    if let Err(error) = served.await {
        eprintln!("the simulated agents cannot be served any more: {error}");
    }
}
