//! What goes wrong in a world: everything is drawn from the seed before the world begins.

use crate::rng::Stream;
use crate::store::Cut;

/// Names of the two coordinators.
pub const COORDINATORS: [&str; 2] = ["c1", "c2"];

/// Everything that is special about one world.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The seed of all further draws.
    pub seed: u64,
    /// How many nodes.
    pub nodes: u32,
    /// How many hops.
    pub hops: usize,
    /// Faults that come at a time.
    pub timed: Vec<Timed>,
    /// Faults that come at a durable write of an agent, by node.
    pub agent_cuts: Vec<(u32, Cut)>,
    /// Faults that come at a durable write of an op runner, by node.
    pub op_cuts: Vec<(u32, Cut)>,
    /// Faults that come at an append of a coordinator.
    pub store_cuts: Vec<(&'static str, Cut)>,
    /// What the installs of a node meet, first to last, by node.
    pub installs: Vec<(u32, InstallFault)>,
    /// What the operator asks for besides what the tool says, and when.
    pub whims: Vec<(u64, Whim)>,
    /// Whether the operator acts at once on a halt, or waits until the world has healed.
    pub hasty: bool,
    /// When everything that was broken from outside is mended, in virtual milliseconds.
    pub heals_at: u64,
    /// Something that must not be, to see that the promises' guards see it.
    pub sabotage: Option<Sabotage>,
}

/// Something that must not be. No seed draws it: whatever keeps the promises would have to be wrong for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// The tools show a healthy cluster, whatever it is like.
    HealthInvented,
    /// The tools show the node with the highest uid as master.
    OtherMasterShown,
    /// A start that was used up is forgotten, and every op runner is started twice.
    StartForgotten,
    /// A node installs by itself, without being asked.
    InstallsUnasked,
    /// A changed setting looks as if it had been put back.
    SettingKept,
}

impl Sabotage {
    /// All, each with the promise it breaks.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::HealthInvented, "P4"),
        (Self::OtherMasterShown, "P2"),
        (Self::StartForgotten, "P6"),
        (Self::InstallsUnasked, "P1"),
        (Self::SettingKept, "P13"),
    ];

    /// A world in which it shows.
    pub fn world(self) -> Script {
        // Long installs, so that the cluster is ill for a while before its last node is touched.
        let ill = Timed { at_ms: 5_000, fault: Fault::ShardsHeld(3, 3_600_000) };
        let long = InstallFault::Hangs(Stage::Finish);
        let (timed, installs) = match self {
            Self::HealthInvented => (vec![ill], vec![(1, long), (2, long)]),
            Self::OtherMasterShown | Self::StartForgotten | Self::InstallsUnasked | Self::SettingKept => {
                (Vec::new(), Vec::new())
            }
        };
        Script { timed, installs, sabotage: Some(self), ..Script::calm(0, 3) }
    }
}

/// A fault and when it comes.
#[derive(Clone, Debug)]
pub struct Timed {
    /// In virtual milliseconds.
    pub at_ms: u64,
    /// What.
    pub fault: Fault,
}

/// What can go wrong at a time. Nodes by uid; lengths of time in milliseconds.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing passes between a coordinator and a node.
    Cut(&'static str, u32, u64),
    /// Nothing passes between a coordinator and any node.
    CutAll(&'static str, u64),
    /// The connections between a coordinator and a node are reset.
    Reset(&'static str, u32),
    /// What passes between a coordinator and a node takes that much longer, for that long.
    Slow(&'static str, u32, u64, u64),
    /// A coordinator cannot reach the store.
    StoreCut(&'static str, u64),
    /// An agent is killed.
    KillAgent(u32),
    /// An agent is killed, and its state directory is lost.
    StateLost(u32),
    /// A machine loses its power, and has it again.
    PowerCut(u32, u64),
    /// A coordinator is killed.
    KillCoordinator(&'static str),
    /// The clock of a node jumps by so many milliseconds.
    NodeClock(u32, i64),
    /// The clock of a coordinator jumps by so many milliseconds.
    CoordinatorClock(&'static str, i64),
    /// The master role moves.
    MasterTo(u32),
    /// A node's services crash, and come back.
    ServicesCrash(u32, u64),
    /// A node's shards do not finish syncing.
    ShardsHeld(u32, u64),
    /// A node's `rladmin` hangs.
    RladminHangs(u32, u64),
    /// A node's `rladmin` prints garbage.
    RladminGarbage(u32, u64),
    /// A node's `rlcheck` fails.
    RlcheckFails(u32, u64),
    /// A cluster task runs.
    Task(u64),
    /// Somebody takes the run over with the other coordinator.
    TakeOver,
}

/// How far an install is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It looks at the machine.
    Checks,
    /// It stops the services.
    Stop,
    /// It replaces files.
    Files,
    /// It starts the services.
    Start,
    /// It tidies up.
    Finish,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Self; 5] = [Self::Checks, Self::Stop, Self::Files, Self::Start, Self::Finish];
}

/// What an install meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstallFault {
    /// Nothing.
    None,
    /// It gives up at a stage, with this exit status.
    Aborts(Stage, i32),
    /// It hangs at a stage until it is killed.
    Hangs(Stage),
    /// Its op runner dies at a stage, and the installer with it.
    RunnerDies(Stage),
    /// The machine loses its power at a stage, for so many milliseconds.
    PowerCut(Stage, u64),
    /// All is well and it returns 1.
    ReturnsOne,
    /// It says that it is complete, and the services stay down.
    ServicesStayDown,
    /// The op runner is not started.
    NotLaunched,
    /// The op runner starts so many milliseconds after its start was given up.
    LaunchedLate(u64),
}

/// What an operator may want besides what the tool says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whim {
    /// To pause.
    Pause,
    /// To abort.
    Abort,
    /// To resume, whatever the run is doing.
    Resume,
}

/// Within this time faults begin, in virtual milliseconds: about as long as a run without any takes.
const WINDOW: u64 = 110_000;
/// Faults last at most this long.
const LONGEST: u64 = 90_000;

impl Script {
    /// A world in which nothing goes wrong.
    pub fn calm(seed: u64, nodes: u32) -> Self {
        Self { seed, nodes, hops: 1, hasty: true, heals_at: WINDOW + LONGEST, ..Self::default() }
    }

    /// The world of a seed.
    pub fn of(seed: u64) -> Self {
        let mut draws = Stream::of(seed, "script");
        let nodes = draws.pick(&[1, 2, 2, 2, 3, 3, 3, 3]);
        let hops = if draws.percent(8) { 2 } else { 1 };
        let mut script = Self {
            seed,
            nodes,
            hops,
            hasty: draws.percent(30),
            heals_at: WINDOW + LONGEST,
            ..Self::default()
        };
        for _ in 0..draws.pick(&[0, 1, 1, 2, 2, 3, 4, 6]) {
            script.draw_fault(&mut draws);
        }
        script
    }

    fn draw_fault(&mut self, draws: &mut Stream) {
        let node = u32::try_from(draws.between(1, u64::from(self.nodes))).unwrap_or(1);
        match draws.below(100) {
            0..44 => {
                let fault = timed(draws, node);
                self.timed.push(Timed { at_ms: draws.between(3_000, WINDOW), fault });
            }
            44..58 => self.agent_cuts.push((node, cut(draws, 60))),
            58..63 => self.op_cuts.push((node, cut(draws, 4))),
            63..75 => self.store_cuts.push((COORDINATORS[0], cut(draws, 24 + 14 * u64::from(self.nodes)))),
            75..94 => {
                let fault = install_fault(draws);
                self.installs.push((node, fault));
            }
            _ => {
                let whim = draws.pick(&[Whim::Pause, Whim::Pause, Whim::Abort, Whim::Resume]);
                self.whims.push((draws.between(3_000, WINDOW), whim));
            }
        }
    }
}

fn cut(draws: &mut Stream, most: u64) -> Cut {
    let at = draws.between(1, most);
    match draws.below(5) {
        0 | 1 => Cut::Before(at),
        2 | 3 => Cut::After(at),
        _ => Cut::DiskFull { at, times: draws.between(1, 12) },
    }
}

fn timed(draws: &mut Stream, node: u32) -> Fault {
    let coordinator = draws.pick(&[COORDINATORS[0], COORDINATORS[0], COORDINATORS[0], COORDINATORS[1]]);
    let long = |draws: &mut Stream| draws.pick(&[800, 3_000, 12_000, 40_000, LONGEST]);
    let jump = draws.pick(&[-7_200_000, -90_000, -4_000, 4_000, 90_000, 7_200_000]);
    match draws.below(21) {
        0 | 1 => Fault::Cut(coordinator, node, long(draws)),
        2 => Fault::CutAll(coordinator, long(draws)),
        3 | 4 => Fault::Reset(coordinator, node),
        5 => Fault::Slow(coordinator, node, draws.between(50, 4_000), long(draws)),
        6 => Fault::StoreCut(coordinator, long(draws)),
        7 | 8 => Fault::KillAgent(node),
        9 => Fault::PowerCut(node, long(draws)),
        10 | 11 => Fault::KillCoordinator(coordinator),
        12 => Fault::NodeClock(node, jump),
        13 => Fault::CoordinatorClock(coordinator, jump),
        14 => Fault::MasterTo(node),
        15 => Fault::ServicesCrash(node, long(draws)),
        16 => draws.pick(&[Fault::ShardsHeld(node, 12_000), Fault::ShardsHeld(node, LONGEST)]),
        17 => match draws.below(3) {
            0 => Fault::RladminHangs(node, long(draws)),
            1 => Fault::RladminGarbage(node, long(draws)),
            _ => Fault::RlcheckFails(node, long(draws)),
        },
        18 => Fault::Task(long(draws)),
        19 => Fault::StateLost(node),
        _ => Fault::TakeOver,
    }
}

fn install_fault(draws: &mut Stream) -> InstallFault {
    let stage = draws.pick(&Stage::ALL);
    match draws.below(10) {
        0 | 1 => InstallFault::Aborts(stage, draws.pick(&[0, 1])),
        2 => InstallFault::Hangs(stage),
        3 | 4 => InstallFault::RunnerDies(stage),
        5 | 6 => InstallFault::PowerCut(stage, draws.pick(&[500, 8_000, 60_000])),
        7 => InstallFault::ReturnsOne,
        8 => InstallFault::ServicesStayDown,
        _ => draws.pick(&[InstallFault::NotLaunched, InstallFault::LaunchedLate(5_000)]),
    }
}
