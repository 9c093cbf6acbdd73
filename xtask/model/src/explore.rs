//! Every state within the bounds, breadth first: the shortest history to a violation is found first.
//!
//! A state is known again by its 64-bit fingerprint (hash compaction): among 20 million states the chance that any two
//! share one is about one in 100,000. Besides the invariants this explorer keeps the edges, which tells exactly from
//! which states the end of the run can be reached (in CTL: AG EF end).

use std::collections::HashMap;
use std::time::Instant;

use crate::fingerprint::{Fingerprint, Hashed};
use crate::model::{Model, Step, Violation};
use crate::state::{Budget, State};

/// How far an exploration goes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So many states at the most.
    pub states: usize,
    /// So many threads.
    pub threads: usize,
    /// Whether the first violation is enough.
    pub first: bool,
    /// Whether it is proved that every run can end; that takes memory.
    pub ends: bool,
}

/// A promise that was broken, and the shortest history to it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The promise.
    pub violation: Violation,
    /// The history.
    pub steps: Vec<Step>,
}

/// What was explored.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// Distinct states.
    pub states: usize,
    /// Transitions.
    pub transitions: usize,
    /// Steps of the longest shortest history.
    pub depth: usize,
    /// Different runs among the states.
    pub runs: usize,
    /// States in which the run is over.
    pub over: usize,
    /// States without a next step that is no fault, from which the end was reached by going on.
    pub completed: usize,
    /// States from which the end cannot be reached.
    pub endless: usize,
    /// Violations; the first one with its history.
    pub violations: usize,
    /// The first one.
    pub found: Option<Found>,
    /// Whether all states were seen.
    pub exhausted: bool,
    /// How long it took.
    pub seconds: f64,
}

/// What came of one state.
struct Expanded<const N: usize> {
    next: Vec<(u64, bool, State<N>)>,
    broken: Vec<(Step, Violation)>,
    ends: Ends,
    stuck: Option<Violation>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Over,
    Completed,
    GoesOn,
    Never,
}

struct Seen {
    known: HashMap<u64, u32, Hashed>,
    prints: Vec<u64>,
    parents: Vec<u32>,
    ends: Vec<bool>,
    edges: Vec<u32>,
    edges_from: Vec<usize>,
}

const BLOCK: usize = 1 << 15;

/// Explores every state that the budget allows.
pub fn explore<const N: usize>(model: &Model, budget: Budget, limits: Limits) -> Explored {
    let began = Instant::now();
    let first = model.begin::<N>(budget);
    let print = Fingerprint::of(&first);
    let mut seen = Seen {
        known: HashMap::from_iter([(print, 0)]),
        prints: vec![print],
        parents: vec![0],
        ends: Vec::new(),
        edges: Vec::new(),
        edges_from: Vec::new(),
    };
    let mut explored = Explored::default();
    let mut level = vec![first];
    let mut at = 0;
    while !level.is_empty() && seen.prints.len() < limits.states && !(limits.first && explored.violations > 0)
    {
        let mut next_level = Vec::new();
        for block in level.chunks(BLOCK) {
            for expanded in expand_all(model, block, limits) {
                note(model, &mut seen, &mut explored, (at, expanded, limits), &mut next_level, &first);
                at += 1;
            }
        }
        explored.depth += usize::from(!next_level.is_empty());
        level = next_level;
    }
    explored.exhausted = level.is_empty();
    explored.states = seen.prints.len();
    explored.runs = model.pure.runs();
    if limits.ends && explored.exhausted {
        explored.endless = endless(&seen);
        explored.violations += explored.endless;
    }
    explored.seconds = began.elapsed().as_secs_f64();
    explored
}

fn expand_all<const N: usize>(model: &Model, block: &[State<N>], limits: Limits) -> Vec<Expanded<N>> {
    let share = block.len().div_ceil(limits.threads.max(1)).max(1);
    if share >= block.len() || block.len() < 64 {
        return block.iter().map(|state| expand(model, state, limits.ends)).collect();
    }
    std::thread::scope(|scope| {
        let work = |part: &'_ [State<N>]| -> Vec<Expanded<N>> {
            part.iter().map(|state| expand(model, state, limits.ends)).collect()
        };
        let workers: Vec<_> = block.chunks(share).map(|part| scope.spawn(move || work(part))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn expand<const N: usize>(model: &Model, state: &State<N>, with_ends: bool) -> Expanded<N> {
    let mut steps = Vec::new();
    model.steps(state, &mut steps);
    let mut expanded = Expanded { next: Vec::new(), broken: Vec::new(), ends: Ends::GoesOn, stuck: None };
    let mut goes_on = false;
    for step in steps {
        match model.apply(state, step) {
            None => {}
            Some(Err(violation)) => expanded.broken.push((step, violation)),
            Some(Ok(next)) => {
                goes_on |= !step.is_fault();
                expanded.next.push((Fingerprint::of(&next), step.is_fault(), next));
            }
        }
    }
    if with_ends {
        expanded.ends = match (model.is_over(state), goes_on) {
            (true, _) => Ends::Over,
            (false, true) => Ends::GoesOn,
            (false, false) => match model.complete(state) {
                Ok(_) => Ends::Completed,
                Err(violation) => {
                    expanded.stuck = Some(violation);
                    Ends::Never
                }
            },
        };
    }
    expanded
}

fn note<const N: usize>(
    model: &Model,
    seen: &mut Seen,
    explored: &mut Explored,
    (at, expanded, limits): (u32, Expanded<N>, Limits),
    next_level: &mut Vec<State<N>>,
    first: &State<N>,
) {
    explored.transitions += expanded.next.len();
    for (step, violation) in expanded.broken {
        explored.violations += 1;
        if explored.found.is_none() {
            let mut steps = history(model, seen, at, first);
            steps.push(step);
            explored.found = Some(Found { violation, steps });
        }
    }
    if let Some(violation) = expanded.stuck.filter(|_| explored.found.is_none()) {
        explored.found = Some(Found { violation, steps: history(model, seen, at, first) });
    }
    seen.edges_from.push(seen.edges.len());
    for (print, fault, next) in expanded.next {
        let fresh = u32::try_from(seen.prints.len()).unwrap_or(u32::MAX);
        let place = *seen.known.entry(print).or_insert(fresh);
        if place == fresh {
            seen.prints.push(print);
            seen.parents.push(at);
            next_level.push(next);
        }
        if limits.ends && !fault {
            seen.edges.push(place);
        }
    }
    explored.over += usize::from(expanded.ends == Ends::Over);
    explored.completed += usize::from(expanded.ends == Ends::Completed);
    seen.ends.push(matches!(expanded.ends, Ends::Over | Ends::Completed));
}

/// The steps from the beginning to a state: its ancestors are known by their fingerprints.
fn history<const N: usize>(model: &Model, seen: &Seen, at: u32, first: &State<N>) -> Vec<Step> {
    let mut line = vec![at];
    while let Some(last) = line.last().copied().filter(|last| *last != 0) {
        line.push(seen.parents[last as usize]);
    }
    let (mut state, mut steps, mut possible) = (*first, Vec::new(), Vec::new());
    for place in line.iter().rev().skip(1) {
        let wanted = seen.prints[*place as usize];
        model.steps(&state, &mut possible);
        let found = possible.iter().find_map(|step| match model.apply(&state, *step) {
            Some(Ok(next)) if Fingerprint::of(&next) == wanted => Some((*step, next)),
            _ => None,
        });
        let Some((step, next)) = found else { return steps };
        steps.push(step);
        state = next;
    }
    steps
}

/// How many states there are from which no end can be reached without faults.
fn endless(seen: &Seen) -> usize {
    let mut ends = seen.ends.clone();
    let edges = |at: usize| {
        let until = seen.edges_from.get(at + 1).copied().unwrap_or(seen.edges.len());
        &seen.edges[seen.edges_from[at]..until]
    };
    loop {
        let mut changed = false;
        for at in (0..ends.len()).rev() {
            if !ends[at] && edges(at).iter().any(|next| ends[*next as usize]) {
                ends[at] = true;
                changed = true;
            }
        }
        if !changed {
            return ends.iter().filter(|end| !**end).count();
        }
    }
}
