//! A whole cluster of booted nodes.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use proto::{Sha256, Version};
use sim::{Cluster, ClusterSpec, Machines, PackageSpec, Pki, build_package};

use crate::disk::Disk;
use crate::mirror::Mirror;
use crate::network::{MIRROR, NETWORK, Network, Party, address};
use crate::node::Site;
use crate::{Node, Root, configuration};

/// The directory of the cluster's socket, as nodes see it.
const ENGINE: &str = "/engine";
/// What a node's agent keeps is on a disk of its own.
const STATE: &str = "var/lib/ratchet-agent";
/// The disk of everything else, in bytes: larger than what the preflight asks for, and sparse, so that it is no matter how
/// much room there is outside.
const SYSTEM_DISK: u64 = 32 << 30;
/// The agent's unit.
pub const AGENT: &str = "ratchet-agent.service";
/// The simulated product's unit.
const PRODUCT: &str = "redis-enterprise.service";
const PRODUCT_UNIT: &str = "[Unit]\nDescription=Simulated Redis Enterprise\nStartLimitIntervalSec=0\n\n\
                            [Service]\nExecStart=/usr/bin/ratchet-sim node-supervisor --root /\n\
                            Restart=always\nRestartSec=200ms\n";

/// What a lab is to be.
#[derive(Clone, Debug)]
pub struct LabSpec {
    /// The cluster; its shards are modelled.
    pub cluster: ClusterSpec,
    /// The packages on the mirror.
    pub packages: Vec<PackageSpec>,
    /// How large the disk of an agent is, in bytes.
    pub disk: u64,
    /// The coordinator's deadlines by name, and the agents' for the installer.
    pub deadlines: BTreeMap<String, String>,
}

impl LabSpec {
    /// Three nodes, packages of these versions, and patience fit for tests.
    pub fn new(from: Version, packages: &[Version]) -> Self {
        let millis = Duration::from_millis;
        let timing =
            sim::Timing { detect: millis(50), failover: millis(80), install: millis(100), load: millis(50) };
        let cluster = ClusterSpec { timing, ..ClusterSpec::modelled(3, from) }.named("orders");
        // That a machine is gone without a word is noticed within half a minute.
        let deadlines = [("gate", "20s"), ("confirm", "20s"), ("install", "90s"), ("reach", "20s")];
        Self {
            cluster,
            packages: packages.iter().map(|version| PackageSpec::new(*version)).collect(),
            disk: 512 << 20,
            deadlines: deadlines.map(|(name, span)| (name.to_owned(), span.to_owned())).into(),
        }
    }
}

/// Booted nodes on a private bridge, each with an agent and a part of a simulated cluster; a mirror with packages, and a
/// configuration for a coordinator, which is not on any node.
#[derive(Debug)]
pub struct Lab {
    /// The simulated cluster.
    pub cluster: Cluster,
    /// Where everything lies.
    pub place: PathBuf,
    mirror: Mirror,
    network: Network,
    seats: BTreeMap<u32, Seat>,
}

/// A node, on or off.
#[derive(Debug)]
struct Seat {
    site: Site,
    root: Root,
    state: Disk,
    _system: Disk,
    node: Option<Node>,
}

impl Lab {
    /// Boots everything in a sealed test's place, and waits until the cluster is healthy.
    ///
    /// # Errors
    /// When something does not come up.
    pub async fn boot(place: &Path, spec: &LabSpec) -> Result<Self> {
        let network = Network::make(spec.cluster.nodes)?;
        let names = (1..=spec.cluster.nodes).map(|uid| address(Party::Node(uid))).collect::<Vec<_>>();
        let pki = Pki::write(&place.join("pki"), &names)?;
        let (mirror, packages) = serve_packages(place, spec).await?;
        let mut seats = BTreeMap::new();
        for uid in 1..=spec.cluster.nodes {
            seats.insert(uid, Seat::lay_out(place, &network, &pki.agents, spec, uid)?);
        }
        let engine = place.join("c");
        fs::create_dir_all(&engine)?;
        for (uid, seat) in &seats {
            symlink(seat.root.path(""), engine.join(format!("node{uid}")))?;
        }
        let machines = Machines {
            network: NETWORK.to_owned(),
            binary: "/usr/bin/ratchet-sim".into(),
            socket: Path::new(ENGINE).join("sim.sock"),
        };
        let cluster = Cluster::start_on(&engine, &spec.cluster, &machines)?;
        let text = configuration::coordinator(place, spec, &pki.coordinator, &packages);
        fs::write(place.join("ratchet.toml"), text)?;
        let mut lab = Self { cluster, place: place.to_owned(), mirror, network, seats };
        lab.boot_all()?;
        lab.settle().await?;
        // Whichever came up last may have lost the role to another meanwhile.
        lab.cluster.inject("now: master to node 1").await?;
        lab.cluster.inject(&spec.cluster.faults).await?;
        Ok(lab)
    }

    fn boot_all(&mut self) -> Result<()> {
        std::thread::scope(|scope| {
            let booting: Vec<_> =
                self.seats.values_mut().map(|seat| scope.spawn(|| seat.power_on())).collect();
            booting.into_iter().try_for_each(|boot| boot.join().map_err(|_| anyhow::anyhow!("a panic"))?)
        })
    }

    /// Waits until every node is up and healthy.
    ///
    /// # Errors
    /// When that takes longer than a minute.
    pub async fn settle(&self) -> Result<()> {
        let settled = self.cluster.wait_until(Duration::from_secs(60), sim::model::Model::is_settled).await;
        ensure!(settled, "the cluster does not become healthy: {:?}", self.cluster.snapshot());
        Ok(())
    }

    /// The nodes' uids.
    pub fn uids(&self) -> impl Iterator<Item = u32> + '_ {
        self.seats.keys().copied()
    }

    /// The coordinator's configuration.
    pub fn configuration(&self) -> PathBuf {
        self.place.join("ratchet.toml")
    }

    /// Where the coordinator is on the network.
    pub(crate) fn coordinator(&self) -> PathBuf {
        self.network.namespace(Party::Coordinator)
    }

    /// What a person does on a node when all else fails: unpacks the package anew and runs its installer.
    ///
    /// # Errors
    /// When that fails.
    pub fn install_by_hand(&self, uid: u32, package: &str) -> Result<()> {
        let (dir, file) = ("srv/by-hand", self.place.join("mirror").join(package));
        self.root(uid)?.write(&format!("{dir}/package.tar"), fs::read(file)?)?;
        let script = format!("cd /{dir} && umask 0022 && tar xf package.tar && ./install.sh -y </dev/null");
        self.node(uid)?.run(&["sh", "-c", &script]).map(drop)
    }

    /// A node that is on.
    ///
    /// # Errors
    /// When it is off.
    pub fn node(&self, uid: u32) -> Result<&Node> {
        self.seat(uid)?.node.as_ref().with_context(|| format!("node {uid} is off"))
    }

    /// A node's file system, seen from outside.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn root(&self, uid: u32) -> Result<&Root> {
        Ok(&self.seat(uid)?.root)
    }

    /// What a node's agent keeps, seen from outside.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn agent_state(&self, uid: u32) -> Result<PathBuf> {
        Ok(self.root(uid)?.path(STATE))
    }

    fn seat(&self, uid: u32) -> Result<&Seat> {
        self.seats.get(&uid).with_context(|| format!("there is no node {uid}"))
    }

    /// The power of a node goes: every process is gone at once, and so is everything that its agent wrote and did not
    /// make durable.
    ///
    /// # Errors
    /// When it is off already.
    pub fn power_cut(&mut self, uid: u32) -> Result<()> {
        let seat = self.seats.get_mut(&uid).with_context(|| format!("there is no node {uid}"))?;
        // A machine without power says nothing about its disk.
        self.network.unplug(Party::Node(uid))?;
        seat.power_cut()?;
        self.network.renew(Party::Node(uid))
    }

    /// Boots a node from what is on its disk.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn power_on(&mut self, uid: u32) -> Result<()> {
        self.seats.get_mut(&uid).with_context(|| format!("there is no node {uid}"))?.power_on()
    }

    /// `kill -9` of a node's agent; its systemd starts it again.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill_agent(&self, uid: u32) -> Result<()> {
        self.node(uid)?.run(&["systemctl", "kill", "--kill-who=main", "--signal=KILL", AGENT]).map(drop)
    }

    /// What the package manager does with a new agent: another file under the old name, and the order to restart.
    ///
    /// # Errors
    /// When the node refuses.
    pub fn upgrade_agent(&self, uid: u32) -> Result<()> {
        let program = "/usr/bin/ratchet-agent";
        let replace =
            format!("cp {program} {program}.new && echo >>{program}.new && mv {program}.new {program}");
        self.node(uid)?
            .run(&["sh", "-c", &format!("{replace} && systemctl restart --no-block {AGENT}")])
            .map(drop)
    }

    /// Nothing between these two arrives any more, and nobody tells them.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn cut(&self, one: Party, other: Party) -> Result<()> {
        self.network.cut(one, other)
    }

    /// They reach each other again.
    ///
    /// # Errors
    /// When they were not cut.
    pub fn heal(&self, one: Party, other: Party) -> Result<()> {
        self.network.heal(one, other)
    }

    /// Whatever a node's agent writes waits from now on.
    ///
    /// # Errors
    /// When it does already.
    pub fn freeze_disk(&self, uid: u32) -> Result<()> {
        self.seat(uid)?.state.freeze()
    }

    /// It goes on writing, if it waited.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw_disk(&self, uid: u32) -> Result<()> {
        self.seat(uid)?.state.thaw()
    }

    /// Leaves a node's agent no room on its disk.
    ///
    /// # Errors
    /// When it cannot be filled.
    pub fn fill_disk(&self, uid: u32) -> Result<()> {
        self.seat(uid)?.state.fill()
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// When it was not filled.
    pub fn make_room(&self, uid: u32) -> Result<()> {
        self.seat(uid)?.state.make_room()
    }

    /// A node gets only the first half of what it downloads from now on.
    pub fn shut_mirror(&self, uid: u32) {
        self.mirror.shut(ip(uid));
    }

    /// It gets everything.
    pub fn open_mirror(&self, uid: u32) {
        self.mirror.open(ip(uid));
    }

    /// Waits until a node has the first half of a package and waits for the second.
    pub async fn downloads(&self, uid: u32) {
        self.mirror.keeps_waiting(ip(uid)).await;
    }
}

impl Seat {
    fn lay_out(place: &Path, network: &Network, pki: &Pki, spec: &LabSpec, uid: u32) -> Result<Self> {
        let (name, place_of_node) = (format!("n{uid}"), place.join(format!("n{uid}")));
        let (lab, etc) =
            (place.file_name().context("a place without a name")?, Path::new("/etc/ratchet/pki"));
        let system = Disk::make(&place_of_node.join("system.img"), SYSTEM_DISK, &place_of_node.join("root"))?;
        let root = Root::lay_out_with(&place_of_node, &configuration::agent(uid, spec, &pki.below(etc)))?;
        for file in [&pki.ca, &pki.cert, &pki.key] {
            let name = file.file_name().context("a file without a name")?.to_string_lossy();
            root.write(&format!("etc/ratchet/pki/{name}"), fs::read(file)?)?;
        }
        root.install("sim", "ratchet-sim")?;
        root.write(&format!("etc/systemd/system/{PRODUCT}"), PRODUCT_UNIT)?;
        root.enable(PRODUCT)?;
        let state = Disk::make(&place_of_node.join("state.img"), spec.disk, &root.path(STATE))?;
        let site = Site {
            lab: lab.to_string_lossy().into_owned(),
            name,
            place: place_of_node,
            network: Some(network.namespace(Party::Node(uid))),
            shared: Some((place.join("c"), ENGINE.into())),
        };
        Ok(Self { site, root, state, _system: system, node: None })
    }

    fn power_on(&mut self) -> Result<()> {
        self.node = Some(Node::boot_at(&self.site, &self.root)?);
        Ok(())
    }

    fn power_cut(&mut self) -> Result<()> {
        let node = self.node.take().context("it is off")?;
        self.state.lose_power()?;
        node.crash()?;
        self.state.come_back()
    }
}

fn ip(uid: u32) -> IpAddr {
    address(Party::Node(uid)).parse().unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

async fn serve_packages(place: &Path, spec: &LabSpec) -> Result<(Mirror, Vec<configuration::Served>)> {
    let directory = place.join("mirror");
    fs::create_dir_all(&directory)?;
    let mirror = Mirror::start(&directory, MIRROR).await?;
    let mut served = Vec::new();
    for package in &spec.packages {
        let path = build_package(&directory, package)?;
        let (url, sha256) = (mirror.url(&package.file_name()), Sha256::of(&fs::read(path)?));
        served.push(configuration::Served { url, sha256, package: package.clone() });
    }
    Ok((mirror, served))
}
