//! Long random histories on larger clusters, and histories that are kept as tests.

use std::path::Path;

use proto::Failure;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::dice::Dice;
use crate::model::{Model, Step, Violation, broken};
use crate::pure::Keep;
use crate::state::{Budget, State};
use crate::words::Ask;

/// The most nodes of a history.
pub const NODES: usize = 35;

/// A history: who it happens to, and every step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// What it is about.
    pub name: String,
    /// The seed it came from, if it came from one.
    pub seed: Option<u64>,
    /// How many nodes.
    pub nodes: u8,
    /// How many hops.
    pub hops: usize,
    /// Whether a setting is changed for the run.
    pub tuned: bool,
    /// What may happen.
    pub budget: Budget,
    /// What happens.
    pub steps: Vec<Step>,
}

/// What is allowed in a random history.
const PLENTY: Budget = Budget {
    crashes: 8,
    losses: 12,
    duplicates: 8,
    moves: 12,
    failures: 6,
    outages: 4,
    illnesses: 6,
    restarts: 8,
    seizures: 4,
    asks: 60,
    wipes: 1,
    takings: 2,
};

/// A history that broke a promise.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The history up to there.
    pub history: History,
    /// The promise.
    pub violation: Violation,
}

/// Who the history of a seed happens to: one in eight is large.
fn cast(dice: &mut Dice) -> (u8, usize, bool) {
    let most = if dice.one_in(8) { 34 } else { 6 };
    let nodes = 2 + u8::try_from(dice.below(most)).unwrap_or(0);
    (nodes, 1 + dice.below(3), dice.one_in(2))
}

/// The history of a seed: always the same one. The error is the promise that it broke.
///
/// # Errors
/// [`Failed`], or a case that cannot begin.
pub fn random(seed: u64) -> Result<Result<usize, Box<Failed>>, Failure> {
    let mut dice = Dice::new(seed);
    let (nodes, hops, tuned) = cast(&mut dice);
    let model = Model::new(Case::new(nodes, hops, tuned)?, Keep::Live, None)?;
    let mut state = model.begin::<NODES>(PLENTY);
    let mut history = History {
        name: format!("seed-{seed}"),
        seed: Some(seed),
        nodes,
        hops,
        tuned,
        budget: PLENTY,
        steps: Vec::new(),
    };
    let ended =
        wander(&model, &mut state, &mut dice, &mut history.steps).and_then(|()| settle(&model, &state));
    Ok(match ended {
        Ok(steps) => Ok(history.steps.len() + steps),
        Err(violation) => Err(Box::new(Failed { history, violation })),
    })
}

/// Anything that is possible happens, faults now and then, until the run is over and nothing is on its way.
fn wander(
    model: &Model,
    state: &mut State<NODES>,
    dice: &mut Dice,
    steps: &mut Vec<Step>,
) -> Result<(), Violation> {
    let mut possible = Vec::new();
    let rarity = 8 + dice.below(60);
    let abortable = dice.one_in(4);
    let calm = if dice.one_in(2) { dice.below(usize::from(state.nodes) * 30) } else { 0 };
    for turn in 0..usize::from(state.nodes) * 400 {
        if model.is_over(state) && state.messages().next().is_none() {
            return Ok(());
        }
        model.steps(state, &mut possible);
        possible
            .retain(|step| abortable || !matches!(step, Step::Ask(Ask::Abort) | Step::Start(_, Ask::Abort)));
        let (faults, plain): (Vec<Step>, Vec<Step>) = possible.iter().partition(|step| is_rare(**step));
        let rarely = turn >= calm && dice.one_in(rarity);
        let (first, second) = if rarely { (faults, plain) } else { (plain, faults) };
        let Some((step, moved)) =
            pick(model, state, dice, first).or_else(|| pick(model, state, dice, second))
        else {
            return Ok(());
        };
        steps.push(step);
        *state = moved?;
        if turn % 16 == 0 {
            forget(model, state);
        }
    }
    Ok(())
}

/// What a person asks for, and the end of somebody's patience, are rare as well.
fn is_rare(step: Step) -> bool {
    step.is_fault() || matches!(step, Step::GiveUp(_) | Step::Ask(_) | Step::Start(_, Ask::Retry))
}

type Picked = Option<(Step, Result<State<NODES>, Violation>)>;

fn pick(model: &Model, state: &State<NODES>, dice: &mut Dice, mut among: Vec<Step>) -> Picked {
    while !among.is_empty() {
        let step = among.swap_remove(dice.below(among.len()));
        let step = match step {
            Step::Drive(slot, _) => {
                Step::Drive(slot, u8::try_from(dice.below(usize::from(state.nodes))).unwrap_or(0))
            }
            step => step,
        };
        if let Some(moved) = model.apply(state, step) {
            return Some((step, moved));
        }
    }
    None
}

fn forget(model: &Model, state: &State<NODES>) {
    let mut live = vec![state.journal];
    live.extend(state.coordinators.iter().flatten().map(|coordinator| coordinator.run));
    model.pure.keep(&live);
}

/// Every run can end (P12), and its journal is the run (P7).
fn settle(model: &Model, state: &State<NODES>) -> Result<usize, Violation> {
    let steps = model.complete(state)?;
    let records = model.pure.journal(state.journal).or_else(|why| broken("P7", why))?;
    let lines: Result<Vec<String>, _> = records.iter().map(serde_json::to_string).collect();
    let read: Result<Vec<_>, _> =
        lines.or_else(unreadable)?.iter().map(|line| serde_json::from_str(line)).collect();
    let replayed = model.pure.replayed(&read.or_else(unreadable)?).or_else(|why| broken("P7", why))?;
    if replayed != *model.pure.run(state.journal) {
        return broken("P7", "the journal, written down and replayed, is another run");
    }
    Ok(steps)
}

fn unreadable<T>(error: serde_json::Error) -> Result<T, Violation> {
    broken("P7", format!("the journal cannot be written down and read: {error}"))
}

impl History {
    /// Lets it happen again; what is not possible any more is left out.
    ///
    /// # Errors
    /// The promise that it breaks, or a case that cannot begin.
    pub fn replay(&self) -> Result<Result<usize, Violation>, Failure> {
        let model = Model::new(Case::new(self.nodes, self.hops, self.tuned)?, Keep::Live, None)?;
        let mut state = model.begin::<NODES>(self.budget);
        let mut happened = 0;
        for step in &self.steps {
            match model.apply(&state, *step) {
                None => {}
                Some(Err(violation)) => return Ok(Err(violation)),
                Some(Ok(next)) => {
                    happened += 1;
                    state = next;
                    forget(&model, &state);
                }
            }
        }
        Ok(settle(&model, &state).map(|_| happened))
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
    }

    /// Keeps it among the others, where a test lets it happen again.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, dir: &Path) -> anyhow::Result<std::path::PathBuf> {
        let path = dir.join(format!("{}.json", self.name));
        std::fs::create_dir_all(dir)?;
        std::fs::write(&path, self.text()? + "\n")?;
        Ok(path)
    }

    fn text(&self) -> serde_json::Result<String> {
        let head = serde_json::to_string(&Self { steps: Vec::new(), ..self.clone() })?;
        let steps: serde_json::Result<Vec<String>> = self.steps.iter().map(serde_json::to_string).collect();
        Ok(head.replace("\"steps\":[]", &format!("\"steps\":[\n  {}\n]", steps?.join(",\n  "))))
    }
}
