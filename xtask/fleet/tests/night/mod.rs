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
/// How long the first window is open, and how long it is shut then.
const OPEN: SignedDuration = SignedDuration::from_secs(12);
const SHUT: SignedDuration = SignedDuration::from_secs(8);
/// The most that is waited for anything.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at where the rollout stands.
const LOOK: Duration = Duration::from_millis(300);

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
    random: StdRng,
    served: Option<Served>,
}

/// The name of a cluster.
pub fn name(number: u32) -> String {
    format!("c{number:04}")
}

/// The number of a cluster.
pub fn number(name: &str) -> u32 {
    name[1..].parse().unwrap()
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
        let now = Timestamp::now();
        let shut = rules.window.then(|| (now + OPEN, now + OPEN + SHUT));
        // Windows are told in whole seconds.
        let shut = shut.map(|(closes, opens)| (whole(closes), whole(opens)));
        std::fs::write(set.path("night.toml"), file(rules, shut, &mut random)).unwrap();
        Self { set, seed, shut, random, served }
    }

    /// Applies the file; whoever does it again does no harm.
    pub fn apply(&self) {
        let file = self.set.path("night.toml").display().to_string();
        let applied = self.set.ask(&["-o", "json", "rollout", "apply", &file, "--detach"]);
        assert_eq!(applied.code, 0, "seed {}: {applied:?}", self.seed);
    }

    /// Kills the coordinator at random moments and starts it again.
    pub async fn killed_at_random(&mut self, times: usize) {
        for time in 0..times {
            let seen = self.set.fleet.ledger().entries().len();
            let (more, most) = (self.random.random_range(2..15), self.random.random_range(300..3000));
            self.set.lines(seen + more, Duration::from_millis(most)).await;
            // Not only when an installation has just begun or ended.
            tokio::time::sleep(Duration::from_millis(self.random.random_range(0..60))).await;
            if let Some(mut served) = self.served.take() {
                served.kill().unwrap();
            }
            self.served = Some(self.set.serve().await);
            if time == times / 2 {
                self.apply();
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

/// The rollout's file. The clusters of the first wave are in any order.
fn file(rules: Rules, shut: Option<(Timestamp, Timestamp)>, random: &mut StdRng) -> String {
    let Rules { budget, .. } = rules;
    let mut first: Vec<String> = (1..=15).map(name).collect();
    first.shuffle(random);
    format!(
        "name = \"night\"\ntarget = \"{TO}\"\nat_once = 8\nfailure_budget = {budget}\nturn_estimate = \"2s\"\n\
         partners = [[\"c0012\", \"c0011\"]]\n{windows}\n\
         [[wave]]\nname = \"canary\"\nclusters = [\"c0000\"]\nsoak = \"1s\"\n\
         [[wave]]\nname = \"first\"\nclusters = {first:?}\nat_once = 6\nfailure_budget = {budget}\n\
         [[wave]]\nname = \"second\"\nclusters = [\"c001[6-9]\", \"c002*\"]\nat_once = 6\n\
         [[wave]]\nname = \"third\"\nlabels = {{ region = \"eu\" }}\nat_once = 6\n",
        windows = shut.map(windows).unwrap_or_default(),
    )
}

/// Open since a minute ago, shut in the middle of the night, then open again.
fn windows((closes, opens): (Timestamp, Timestamp)) -> String {
    let clock = |at: Timestamp| at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string();
    let minute = SignedDuration::from_mins(1);
    format!(
        "[windows]\nzone = \"UTC\"\n[[windows.open]]\nfrom = \"{}\"\nuntil = \"{}\"\n\
         [[windows.open]]\nfrom = \"{}\"\nuntil = \"{}\"\n",
        clock(closes - OPEN - minute),
        clock(closes),
        clock(opens),
        clock(opens + minute * 30),
    )
}
