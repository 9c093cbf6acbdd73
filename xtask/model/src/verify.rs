//! Everything together: explorations, deliberate bugs, random histories; and the figures.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use proto::Failure;
use serde::Serialize;

use crate::bounds::{Bounds, where_to_look};
use crate::case::Case;
use crate::explore::{Explored, Limits, explore};
use crate::history::{Failed, random};
use crate::model::Model;
use crate::mutation::Mutation;
use crate::pure::Keep;

/// States of the model have room for so many nodes in an exploration.
const SMALL: usize = 3;
/// More states than any exploration has.
const MOST: usize = 200_000_000;

/// How much is done.
#[derive(Clone, Debug)]
pub struct Extent {
    /// What is explored.
    pub explorations: &'static [Bounds],
    /// The seeds of random histories.
    pub seeds: std::ops::Range<u64>,
    /// Threads.
    pub threads: usize,
    /// Where failing histories are kept.
    pub histories: Option<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Figures {
    /// Distinct states, over all explorations.
    pub states: usize,
    /// Transitions between them.
    pub transitions: usize,
    /// States from which no end can be reached.
    pub endless: usize,
    /// Promises that were broken, anywhere.
    pub violations: usize,
    /// Deliberate bugs.
    pub mutations: usize,
    /// Those that were found.
    pub mutations_caught: usize,
    /// Random histories.
    pub seeds: u64,
    /// Steps in them.
    pub history_steps: usize,
    /// How long each part took, in seconds.
    pub seconds: BTreeMap<&'static str, f64>,
    /// The table of deliberate bugs.
    pub table: Vec<Row>,
    /// Figures of other checks that belong to the same report.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, serde_json::Value>,
}

/// A deliberate bug and how it was found.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Which.
    pub mutation: Mutation,
    /// What is wrong.
    pub text: &'static str,
    /// The promise that was broken; `None` if nothing was found.
    pub promise: Option<&'static str>,
    /// How.
    pub what: String,
    /// Steps of the shortest history to it.
    pub steps: usize,
    /// States until then.
    pub states: usize,
}

/// Explores one case within its bounds.
///
/// # Errors
/// The case cannot begin.
pub fn explore_bounds(
    bounds: &Bounds,
    mutation: Option<Mutation>,
    limits: Limits,
) -> Result<Explored, Failure> {
    let case = Case::new(bounds.nodes, bounds.hops, bounds.tuned)?;
    let model = Model::new(case, Keep::All, mutation)?;
    Ok(explore::<SMALL>(&model, bounds.budget, limits))
}

/// Does everything and tells it as it goes.
///
/// # Errors
/// A case cannot begin.
pub fn verify(extent: &Extent, tell: &mut dyn FnMut(String)) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    timed(&mut figures, "explorations", |figures| explorations(extent, figures, tell))?;
    timed(&mut figures, "mutations", |figures| mutations(extent, figures, tell))?;
    timed(&mut figures, "histories", |figures| histories(extent, figures, tell))?;
    Ok(figures)
}

fn timed(
    figures: &mut Figures,
    part: &'static str,
    work: impl FnOnce(&mut Figures) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let began = Instant::now();
    work(figures)?;
    figures.seconds.insert(part, began.elapsed().as_secs_f64());
    Ok(())
}

fn explorations(extent: &Extent, figures: &mut Figures, tell: &mut dyn FnMut(String)) -> Result<(), Failure> {
    for bounds in extent.explorations {
        let limits = Limits { states: MOST, threads: extent.threads, first: false, ends: true };
        let explored = explore_bounds(bounds, None, limits)?;
        tell(format!(
            "{:<34} {:>10} states {:>11} transitions {:>7} runs  depth {:>3}  {:>5.1} s  {} violations, {} without an end",
            bounds.name,
            explored.states,
            explored.transitions,
            explored.runs,
            explored.depth,
            explored.seconds,
            explored.violations,
            explored.endless,
        ));
        if let Some(found) = &explored.found {
            tell(format!("  {}: {}", found.violation.promise, found.violation.what));
            found.steps.iter().for_each(|step| tell(format!("    {step:?}")));
        }
        figures.states += explored.states;
        figures.transitions += explored.transitions;
        figures.endless += explored.endless;
        figures.violations += explored.violations + usize::from(!explored.exhausted);
    }
    Ok(())
}

fn mutations(extent: &Extent, figures: &mut Figures, tell: &mut dyn FnMut(String)) -> Result<(), Failure> {
    for mutation in Mutation::ALL.iter().copied() {
        let row = look_for(mutation, extent.threads)?;
        let found = row.promise.unwrap_or("NOT FOUND");
        tell(format!(
            "{:<22} {:<24} {:>3} steps {:>8} states  {}",
            format!("{mutation:?}"),
            found,
            row.steps,
            row.states,
            row.text
        ));
        figures.mutations += 1;
        figures.mutations_caught += usize::from(row.promise.is_some());
        figures.table.push(row);
    }
    Ok(())
}

/// Looks for a deliberate bug. What is found without it does not count.
///
/// # Errors
/// The case cannot begin.
pub fn look_for(mutation: Mutation, threads: usize) -> Result<Row, Failure> {
    let bounds = where_to_look(mutation);
    let limits = Limits { states: MOST, threads, first: true, ends: true };
    let explored = explore_bounds(&bounds, Some(mutation), limits)?;
    let found = explored.found.map(|found| (found.violation, found.steps.len()));
    let (violation, steps) = found.map_or((None, 0), |(violation, steps)| (Some(violation), steps));
    Ok(Row {
        mutation,
        text: mutation.text(),
        promise: violation.as_ref().map(|violation| violation.promise),
        what: violation.map(|violation| violation.what).unwrap_or_default(),
        steps,
        states: explored.states,
    })
}

fn histories(extent: &Extent, figures: &mut Figures, tell: &mut dyn FnMut(String)) -> Result<(), Failure> {
    let (steps, failed) = all_histories(extent.seeds.clone(), extent.threads)?;
    figures.seeds = extent.seeds.end - extent.seeds.start;
    figures.history_steps = steps;
    figures.violations += failed.len();
    tell(format!(
        "seeds {}..{}: {steps} steps, {} violations",
        extent.seeds.start,
        extent.seeds.end,
        failed.len()
    ));
    for failed in failed.iter().take(3) {
        tell(format!("{}: {}: {}", failed.history.name, failed.violation.promise, failed.violation.what));
        let last = failed.history.steps.len().saturating_sub(60);
        failed.history.steps[last..].iter().for_each(|step| tell(format!("    {step:?}")));
        if let Some(dir) = &extent.histories {
            let kept = failed.history.keep(dir).map_err(|error| Failure::bug(error.to_string()))?;
            tell(format!("  kept in {}", kept.display()));
        }
    }
    Ok(())
}

type Histories = (usize, Vec<Failed>);

/// Lets the histories of all these seeds happen, and says how many steps they had and which failed.
///
/// # Errors
/// A case cannot begin.
pub fn all_histories(seeds: std::ops::Range<u64>, threads: usize) -> Result<Histories, Failure> {
    let next = AtomicU64::new(seeds.start);
    let all = Mutex::new(Ok((0, Vec::new())));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let happened = random(seed);
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            match (&mut *all, happened) {
                (Ok((steps, _)), Ok(Ok(more))) => *steps += more,
                (Ok((_, failed)), Ok(Err(bad))) => failed.push(*bad),
                (Ok(_), Err(failure)) => *all = Err(failure),
                (Err(_), _) => return,
            }
        }
    };
    std::thread::scope(|scope| (0..threads.max(1)).for_each(|_| drop(scope.spawn(work))));
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}
