//! Promise P5: whatever fact goes missing, no check that did not pass passes now.

use std::collections::BTreeMap;
use std::ops::Range;

use proto::Fact;
use serde_json::Value;

use super::super::{ALL, Check};
use super::spoils::{OF_CLUSTER, OF_NODES, ON_THE_WAY, OTHERS};
use super::{Case, Stage, Verdict, World, worst};
use crate::paths::find_path;
use crate::snapshot::{AgentReport, Snapshot};

/// Cells of the wire's form in which "nothing" is an answer: no claim, no step at work, no state machine.
const NOTHING_IS_AN_ANSWER: [&str; 3] = ["claim", "current_step", "exec_state"];

impl World {
    /// The worst that each of these checks says of a snapshot.
    fn judge(&self, snapshot: &Snapshot, checks: &[&'static Check]) -> BTreeMap<&'static str, Verdict> {
        let packages: Vec<_> = self.catalogue.iter().map(|entry| entry.package.clone()).collect();
        let path = find_path(&self.table, self.from, self.target, &packages);
        let stage = Stage::Preflight { target: self.target, path: Some(&path) };
        let context = crate::checks::Context { snapshot, ..self.context(stage) };
        let worst = |check: &Check| check.ask(&context).into_iter().map(|finding| finding.verdict).max();
        let asked = checks.iter().filter(|check| check.when.includes(&stage));
        asked.map(|check| (check.id, worst(check).unwrap())).collect()
    }
}

/// Every way in which one thing of a snapshot can be missing, at one agent and at all of them.
fn with_something_missing(snapshot: &Snapshot) -> Vec<(String, Snapshot)> {
    let told = |report: &AgentReport| serde_json::to_value(report.answer.as_ref().ok()?).ok();
    let told: Vec<Option<Value>> = snapshot.agents.iter().map(told).collect();
    let mut places = Vec::new();
    find_places(told[1].as_ref().unwrap(), "", &mut places);
    let mut found = Vec::new();
    for place in &places {
        for agents in [1..2, 0..told.len()] {
            let poorer = |loss: &Loss| Some((*loss, poorer(snapshot, &told, &agents, *loss, place)?));
            if let Some((loss, poorer)) = Loss::ALL.iter().find_map(poorer) {
                found.push((format!("{place}: {loss:?} at {agents:?}"), poorer));
            }
        }
    }
    found
}

/// The snapshot without something, at these agents; `None` if that cannot be, or there was nothing to lose.
fn poorer(
    snapshot: &Snapshot,
    told: &[Option<Value>],
    agents: &Range<usize>,
    loss: Loss,
    place: &str,
) -> Option<Snapshot> {
    let mut lost = Vec::new();
    for index in agents.clone() {
        let Some(mut facts) = told[index].clone() else { continue };
        if loss.inflict(&mut facts, place) {
            lost.push((index, serde_json::from_value(facts).ok()?));
        }
    }
    let mut poorer = (!lost.is_empty()).then(|| snapshot.clone())?;
    lost.into_iter().for_each(|(index, facts)| poorer.agents[index].answer = Ok(facts));
    Some(poorer)
}

/// Every object's cells, at any depth.
fn find_places(value: &Value, path: &str, places: &mut Vec<String>) {
    match value {
        Value::Object(cells) => {
            for (key, inner) in cells.iter().filter(|(key, _)| !NOTHING_IS_AN_ANSWER.contains(&key.as_str()))
            {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                find_places(inner, &path, places);
                places.push(path);
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| find_places(item, &format!("{path}/{index}"), places));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[derive(Clone, Copy, Debug)]
enum Loss {
    /// A probe that was known is not.
    Unknown,
    /// The cell is not there.
    Removed,
    /// The cell holds nothing.
    Null,
}

impl Loss {
    /// A place suffers the first that is possible there: a cell that may be missing may as well hold nothing.
    const ALL: [Self; 3] = [Self::Unknown, Self::Removed, Self::Null];

    /// Whether anything was lost.
    fn inflict(self, value: &mut Value, path: &str) -> bool {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        let Some(Value::Object(cells)) = value.pointer_mut(parent) else { return false };
        match self {
            Self::Unknown if key == "known" => {
                let known = cells.remove("known").is_some();
                known && cells.insert("unknown".to_owned(), "gone".into()).is_none()
            }
            Self::Unknown => false,
            Self::Removed => cells.remove(&key).is_some(),
            Self::Null => cells.insert(key, Value::Null).is_some_and(|old| !old.is_null()),
        }
    }
}

/// Where its loss shortens a list, so that nobody can miss it: certificates in a health report.
fn is_of_a_list(loss: &str) -> bool {
    loss.contains("/certificate:") && loss.contains("Removed")
}

/// An agent that does not know its node is no witness any more. `membership` never lets that pass, whoever accepts what.
fn leaves_no_witness(world: &World, loss: &str, poorer: &Snapshot) -> bool {
    let membership = ALL.iter().find(|check| check.id == "membership").unwrap();
    loss.contains("/node_uid") && world.judge(poorer, &[membership])["membership"] == Verdict::CannotTell
}

/// In this world nothing gets better by knowing less. Returns how many losses were tried.
fn nothing_gets_better(world: &World, what: &str) -> usize {
    let before = world.judge(&world.snapshot, &ALL.iter().collect::<Vec<_>>());
    let not_passed = ALL.iter().filter(|check| before.get(check.id).is_some_and(|it| *it != Verdict::Pass));
    let not_passed: Vec<&Check> = not_passed.collect();
    let losses = with_something_missing(&world.snapshot);
    let mut healed = Vec::new();
    for (loss, poorer) in &losses {
        let after = world.judge(poorer, &not_passed);
        let passes =
            after.into_iter().filter(|(_, verdict)| *verdict == Verdict::Pass).map(|(check, _)| check);
        let passes: Vec<&str> = passes.collect();
        if !passes.is_empty() && !is_of_a_list(loss) && !leaves_no_witness(world, loss, poorer) {
            healed.push(format!("{passes:?} now that {loss}"));
        }
    }
    assert!(healed.is_empty(), "{what}: these pass: {healed:#?}");
    losses.len()
}

fn nothing_gets_better_in(cases: &[Case]) {
    for (check, verdict, spoil) in cases {
        let mut world = World::new();
        spoil(&mut world);
        assert_eq!(worst(&world.preflight(), check).verdict, *verdict, "{check}");
        if world.snapshot.agents.get(1).is_some_and(|report| report.answer.is_ok()) {
            let losses = nothing_gets_better(&world, check);
            assert!(losses > 300, "{check}: {losses} losses");
        }
    }
}

#[test]
fn no_missing_fact_heals_what_a_node_says_of_itself() {
    nothing_gets_better_in(OF_NODES);
}

#[test]
fn no_missing_fact_heals_what_all_say_of_the_cluster() {
    nothing_gets_better_in(OF_CLUSTER);
}

#[test]
fn no_missing_fact_heals_anything_else() {
    nothing_gets_better_in(OTHERS);
}

#[test]
fn no_missing_fact_heals_what_depends_on_the_way() {
    for (check, world) in ON_THE_WAY {
        let world = world();
        assert_ne!(worst(&world.preflight(), check).verdict, Verdict::Pass, "{check}");
        assert!(nothing_gets_better(&world, check) > 300);
    }
}

/// Each check has a world above in which it does not pass; but two have none that a snapshot could lose something of.
#[test]
fn every_check_is_spoiled_somewhere() {
    let cases = OF_NODES.iter().chain(OF_CLUSTER).chain(OTHERS).map(|(check, _, _)| *check);
    let spoiled: Vec<&str> = cases.chain(ON_THE_WAY.iter().map(|(check, _)| *check)).collect();
    for check in ALL {
        let elsewhere = ["fresh", "node-count"];
        assert!(
            spoiled.contains(&check.id) || elsewhere.contains(&check.id),
            "{} is never spoiled",
            check.id
        );
    }
}

/// The walk finds every probe: all facts by name, and every cell of their tables.
#[test]
fn the_walk_looks_at_every_fact() {
    let snapshot = World::new().snapshot;
    let mut places = Vec::new();
    let facts = serde_json::to_value(snapshot.agents[1].answer.as_ref().unwrap()).unwrap();
    find_places(&facts, "", &mut places);
    for fact in Fact::ALL {
        assert!(places.contains(&format!("/details/{fact}")), "{fact}");
        assert!(places.contains(&format!("/details/{fact}/known")), "{fact}");
    }
    assert!(places.contains(&"/details/licence/known/rows/0/expired".to_owned()), "{places:#?}");
    assert!(places.contains(&"/system/swap_total/known".to_owned()));
}
