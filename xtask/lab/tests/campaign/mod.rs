//! A campaign: one upgrade of two hops over three booted nodes, and one fault in one step after the other. After each the
//! run must go on, by itself or with the commands that it names itself, until all is done.

mod fault;
mod going_on;
mod proof;
mod step;
mod table;
mod turns;

use std::path::Path;
use std::time::{Duration, Instant};

use lab::{Driver, Lab, LabSpec, Told};
use proto::Version;

pub use fault::Fault;
use going_on::Given;
pub use step::{INSTALL, Step};
use table::Row;

pub const CLUSTER: &str = "orders";
/// 6.4.x cannot go to 8.2 directly (fact sheet §1.1): two hops, six turns.
const FROM: &str = "6.4.2-94";
const VIA: &str = "7.22.0-95";
pub const TO: &str = "8.2.0-46";
/// Large enough that to unpack it takes a while, small enough that three nodes do it in seconds.
const PAYLOAD: u64 = 3 << 20;
/// How long something that nobody tells may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A fault in a step.
pub type Cell = (Step, Fault);

pub struct Campaign {
    pub lab: Lab,
    name: &'static str,
    driver: Option<Driver>,
    /// What the coordinators printed about the run's journal.
    told: Vec<Told>,
    run: Option<String>,
    /// What was given to go on, all through, and from where on for the present fault.
    given: Vec<Given>,
    given_before: usize,
    over: bool,
    /// The process of the agent that was struck.
    agent: String,
    rows: Vec<Row>,
}

/// What a campaign's lab is, unless a test wants it otherwise.
pub fn spec() -> LabSpec {
    let version = |text: &str| text.parse::<Version>().unwrap();
    let mut spec = LabSpec::new(version(FROM), &[version(VIA), version(TO)]);
    spec.packages.iter_mut().for_each(|package| package.payload_bytes = PAYLOAD);
    spec
}

impl Campaign {
    /// Runs one fault in one step after the other, one upgrade through, and sees that all is well at the end.
    pub async fn run(place: &Path, name: &'static str, spec: &LabSpec, cells: &[Cell]) {
        let mut campaign = Self {
            lab: Lab::boot(place, spec).await.unwrap(),
            name,
            driver: None,
            told: Vec::new(),
            run: None,
            given: Vec::new(),
            given_before: 0,
            over: false,
            agent: String::new(),
            rows: Vec::new(),
        };
        let (early, late): (Vec<Cell>, Vec<Cell>) = cells.iter().partition(|(step, _)| step.is_early());
        campaign.preparation(&early).await;
        campaign.turns(&late).await;
        campaign.until(|_| false).await;
        campaign.attribute();
        campaign.all_is_well();
    }

    /// Strikes while a step is at work, and sees that it succeeds in the end. Gives how much had been told then.
    async fn cell(&mut self, (step, fault): Cell, victim: u32) -> usize {
        eprintln!("-- {}: {fault:?} in {step:?} of node {victim}", self.name);
        self.catch_up();
        self.attribute();
        let (mark, mut struck) = (self.told.len(), Instant::now());
        self.given_before = self.given.len();
        fault.strike(self, step, victim).await;
        if fault.lets_go() {
            step.let_go(&self.lab, victim).await;
        }
        fault.mend(self, step, victim, mark).await;
        if fault == Fault::CoordinatorKilled {
            struck = self.driver.as_ref().unwrap().began();
        }
        let through = self.succeeds(step, victim, mark).await;
        step.let_go(&self.lab, victim).await;
        let after = |told: Option<&Told>| told.map(|told| told.at.saturating_duration_since(struck));
        let news = self.told[mark..].iter().find(|told| is_news(told));
        let (first_sign, went_on) = (after(news), after(self.told.get(through)));
        let given = self.given[self.given_before..].to_vec();
        let claim_kept = self.told.get(through).is_some_and(|told| told.text.contains("keeps its claim"));
        self.rows.push(Row { fault, step, victim, first_sign, went_on, given, claim_kept });
        // Whatever becomes of the rest, this is known.
        table::write(self.name, &self.rows);
        through + 1
    }

    /// Puts down to the last fault whatever was given since: what it left behind may stop the run only after its own step.
    fn attribute(&mut self) {
        if let Some(row) = self.rows.last_mut() {
            row.given = self.given[self.given_before..].to_vec();
            table::write(self.name, &self.rows);
        }
    }

    /// Waits until the step has succeeded for its node; where in what was told that is.
    async fn succeeds(&mut self, step: Step, victim: u32, mark: usize) -> usize {
        let mut shut = mark;
        loop {
            let done = |told: &[Told]| told[mark..].iter().position(|told| step.succeeds(told, victim));
            let held = |told: &[Told]| told[shut..].iter().position(|told| told.kind == "gate_held");
            self.until(|told| done(told).is_some() || held(told).is_some()).await;
            if let Some(at) = done(&self.told) {
                return mark + at;
            }
            assert!(!self.over, "{step:?} never succeeded on node {victim}");
            // A turn that goes back to its gate finds it shut by what keeps the next turn waiting.
            turns::let_all_go(&self.lab).await;
            shut = self.told.len();
        }
    }
}

/// Whether an event shows that somebody is at work again, and is no echo of what stopped it.
fn is_news(told: &Told) -> bool {
    !matches!(told.kind.as_str(), "driving" | "requested" | "halted" | "paused" | "retrying" | "breached")
}
