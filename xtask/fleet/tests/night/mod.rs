//! The night: its fleet, its file, and what happens to its coordinator.

use std::time::Duration;

use fleet::process::Served;
use fleet::{FleetSpec, Pace};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::common::{Set, TO};

/// Clusters whose installations fail, as long as nobody heals them.
pub const FAILING: [&str; 2] = ["c0002", "c0013"];
/// Clusters that must not be in flight together: the last pair by the file, the others by an Active-Active database.
pub const PAIRS: [(u32, u32); 5] = [(3, 4), (7, 8), (14, 16), (20, 30), (11, 12)];
/// Clusters that no wave names.
pub const UNNAMED: [u32; 6] = [31, 32, 34, 35, 37, 38];
/// How many clusters of a wave may be in flight at once.
pub const AT_ONCE: usize = 6;
/// How long the window stays open once the file says that it closes, and how long it is shut then.
const CLOSES: SignedDuration = SignedDuration::from_secs(5);
const SHUT: SignedDuration = SignedDuration::from_secs(8);
/// How long a turn takes, as the file says. None begins so shortly before the window closes.
const TURN: SignedDuration = SignedDuration::from_secs(2);
/// So many lines the ledger has at least before the budget is spent, and before all is over but a little.
const UNTIL_HALTED: usize = 40;
const UNTIL_OVER: usize = 170;
/// How long nothing may be done, as while the window is shut, before a kill comes nevertheless.
const STANDSTILL: Duration = Duration::from_secs(20);
/// The most that is waited for anything.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at where the rollout stands.
const LOOK: Duration = Duration::from_millis(700);

/// What the file says in this test.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How many clusters may fail.
    pub budget: u32,
    /// Whether turns may begin in windows only.
    pub window: bool,
}

/// A night.
pub struct Night {
    pub set: Set,
    pub seed: u64,
    /// From when to when the window is shut.
    pub shut: Option<(Timestamp, Timestamp)>,
    rules: Rules,
    /// The clusters of the first wave, in any order.
    first: Vec<String>,
    random: StdRng,
    served: Option<Served>,
}

/// The name of a cluster.
pub fn name(number: u32) -> String {
    format!("c{number:04}")
}

/// The wave that a cluster is in.
pub fn wave_of(name: &str) -> usize {
    match name[1..].parse().unwrap() {
        0 => 0,
        1..=15 => 1,
        16..=29 => 2,
        _ => 3,
    }
}

/// All clusters that a wave names.
pub fn selected() -> Vec<String> {
    (0..40).filter(|number| !UNNAMED.contains(number)).map(name).collect()
}

impl Night {
    pub async fn new(rules: Rules) -> Self {
        let seed = std::env::var("FLEET_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
        println!("FLEET_SEED={seed}");
        let pace = Pace { install: Duration::from_millis(300), step: Duration::ZERO };
        let partners = PAIRS[..4].to_vec();
        let set = Set::new(&FleetSpec { pace, partners, ..FleetSpec::new(40, 3) }, true).await;
        FAILING.iter().for_each(|name| set.fleet.cluster(name).unwrap().fail());
        let mut random = StdRng::seed_from_u64(seed);
        let served = Some(set.serve().await);
        let mut first: Vec<String> = (1..=15).map(name).collect();
        first.shuffle(&mut random);
        Self { set, seed, shut: None, rules, first, random, served }
    }

    /// Applies the file. Whoever does it again does no harm.
    pub fn apply(&self) {
        let now = Timestamp::now();
        let hour = SignedDuration::from_hours(1);
        self.apply_with(&[(now - hour, now + hour)]);
    }

    /// Applies the file again, in the middle of it all: with a window, if there are any, that closes soon and opens later.
    fn apply_again(&mut self) {
        let closes = whole(Timestamp::now() + CLOSES);
        let opens = closes + SHUT;
        self.apply_with(&[(closes - SignedDuration::from_hours(1), closes), (opens, opens + SHUT * 100)]);
        // On a slow machine the window may have closed before anybody could know it.
        let known = Timestamp::now() + TURN;
        self.shut = self.rules.window.then_some((closes.max(known), opens));
    }

    fn apply_with(&self, open: &[(Timestamp, Timestamp)]) {
        let file = self.set.path("night.toml");
        std::fs::write(&file, self.file(if self.rules.window { open } else { &[] })).unwrap();
        let file = file.display().to_string();
        let applied = self.set.ask(&["-o", "json", "rollout", "apply", &file, "--detach"]);
        assert_eq!(applied.code, 0, "seed {}: {applied:?}", self.seed);
    }

    /// Kills the coordinator at random moments and starts it again. Moments are told by what was done until then, so that
    /// they are spread over the night on a slow machine, too; in the middle of them the file is applied again.
    pub async fn killed_at_random(&mut self, times: usize) {
        let last = if self.rules.budget < FAILING.len() as u32 { UNTIL_HALTED } else { UNTIL_OVER };
        let mut moments: Vec<usize> = (0..times).map(|_| self.random.random_range(0..last)).collect();
        moments.sort_unstable();
        for (time, moment) in moments.into_iter().enumerate() {
            let lines = self.set.lines(moment, STANDSTILL).await;
            println!("kill {time} at {lines} lines of the ledger");
            // Not only when an installation has just begun or ended; now and then before it has looked at anything.
            let most = if self.random.random_ratio(1, 3) { 1500 } else { 60 };
            tokio::time::sleep(Duration::from_millis(self.random.random_range(0..most))).await;
            if let Some(mut served) = self.served.take() {
                served.kill().unwrap();
            }
            self.served = Some(self.set.serve().await);
            if time == times / 2 {
                self.apply_again();
            }
        }
    }

    /// Waits until the rollout goes on no further by itself.
    pub async fn until_it_stands(&self) -> Value {
        let looking = async {
            loop {
                let said = self.set.ask(&["-o", "json", "rollout", "status", "night"]);
                // A coordinator that has just begun may not answer yet.
                let document: Value = serde_json::from_str(&said.out).unwrap_or_default();
                let told = document["schema"] == "ratchet.rollout/1";
                if told && document["state"] != "active" && !self.anything_at_work(&document) {
                    return document;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(document) => document,
            Err(_) => {
                let said = self.set.ask(&["rollout", "status", "night"]);
                let log = std::fs::read_to_string(self.set.path("serve.log")).unwrap();
                panic!("it goes on for too long, seed {}: {}\n{}\n{log}", self.seed, said.out, said.err)
            }
        }
    }

    /// Runs that finish their turn although the rollout stands still.
    fn anything_at_work(&self, document: &Value) -> bool {
        let clusters = document["clusters"].as_array().unwrap();
        clusters
            .iter()
            .any(|cluster| matches!(cluster["run_state"].as_str(), Some("running" | "interrupted")))
    }

    /// The names of the clusters in this state.
    pub fn clusters_that(&self, document: &Value, state: &str) -> Vec<String> {
        let clusters = document["clusters"].as_array().unwrap().iter();
        let mut names: Vec<String> = clusters
            .filter(|cluster| cluster["state"] == state)
            .map(|cluster| cluster["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// A person mends what failed, and says so.
    pub fn heal_and_go_on(&self) {
        FAILING.iter().for_each(|name| self.set.fleet.cluster(name).unwrap().heal());
        for verb in ["retry", "resume"] {
            let said = self.set.ask(&["-o", "json", "rollout", verb, "night"]);
            assert_eq!(said.code, 0, "{verb}, seed {}: {said:?}", self.seed);
        }
    }
}

fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
}

impl Night {
    /// The rollout's file.
    fn file(&self, open: &[(Timestamp, Timestamp)]) -> String {
        let (Rules { budget, .. }, first) = (self.rules, &self.first);
        format!(
            "name = \"night\"\ntarget = \"{TO}\"\nat_once = 8\nfailure_budget = {budget}\nturn_estimate = \"{turn}s\"\n\
             partners = [[\"c0012\", \"c0011\"]]\n{windows}\n\
             [[wave]]\nname = \"canary\"\nclusters = [\"c0000\"]\nsoak = \"1s\"\n\
             [[wave]]\nname = \"first\"\nclusters = {first:?}\nat_once = {AT_ONCE}\nfailure_budget = {budget}\n\
             [[wave]]\nname = \"second\"\nclusters = [\"c001[6-9]\", \"c002*\"]\nat_once = {AT_ONCE}\n\
             [[wave]]\nname = \"third\"\nlabels = {{ region = \"eu\" }}\nat_once = {AT_ONCE}\n",
            turn = TURN.as_secs(),
            windows = windows(open),
        )
    }
}

/// None: always open.
fn windows(open: &[(Timestamp, Timestamp)]) -> String {
    let clock = |at: &Timestamp| at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string();
    let window = |(from, until): &(Timestamp, Timestamp)| {
        format!("[[windows.open]]\nfrom = \"{}\"\nuntil = \"{}\"\n", clock(from), clock(until))
    };
    let zone = if open.is_empty() { "" } else { "[windows]\nzone = \"UTC\"\n" };
    open.iter().fold(zone.to_owned(), |text, span| text + &window(span))
}
