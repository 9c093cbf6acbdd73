//! What an advisory says of a hop: it applies, it does not, or nobody can tell.

use std::collections::{BTreeMap, BTreeSet};

use proto::{NodeUid, Version};

use super::advisory::Advisory;
use super::condition::Condition;
use super::facts::{NamedFact, Scope};
use super::place::{Database, Listed, Node, Place, databases, nodes};
use super::truth::{Missing, Truth, add};
use super::value::Value;
use crate::snapshot::Snapshot;

/// What an advisory says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applies {
    /// It applies.
    Yes {
        /// The nodes where it does; empty for what concerns the whole cluster.
        nodes: BTreeSet<NodeUid>,
        /// The facts that show it, for people, with the nodes that each is true of.
        shown: BTreeMap<String, BTreeSet<NodeUid>>,
    },
    /// It does not.
    No,
    /// It may.
    CannotTell {
        /// Which facts are missing, and why.
        missing: Missing,
    },
}

/// Judges an advisory on a hop, on everything that takes part in it: one place where it applies is enough, and one where
/// that cannot be told is not "no".
pub(super) fn judge(advisory: &Advisory, snapshot: &Snapshot, from: Version, to: Version) -> Applies {
    let Some(condition) = advisory.condition() else { return Applies::No };
    if !advisory.is_about_target(to) || !advisory.is_about_start(starts(snapshot, from, to)) {
        return Applies::No;
    }
    let mut found = Found::default();
    let listed = condition.is_about(Scope::Database).then(|| Listed::of(snapshot));
    for place in places(condition, snapshot, to, listed.as_ref()) {
        found.add(condition, &place);
    }
    found.applies()
}

/// The versions that nodes have before a hop: its own start, and those that an interrupted upgrade left above it.
fn starts(snapshot: &Snapshot, from: Version, to: Version) -> BTreeSet<Option<Version>> {
    let takes_part =
        |installed: &Option<Version>| installed.is_none_or(|version| (from..to).contains(&version));
    snapshot.installed().into_values().filter(takes_part).chain([Some(from)]).collect()
}

/// Everywhere the condition is asked: only at nodes and databases if it is about them.
fn places<'a>(
    condition: &Condition,
    snapshot: &'a Snapshot,
    to: Version,
    listed: Option<&'a Listed<'a>>,
) -> Vec<Place<'a>> {
    let at_nodes: Vec<Option<Node<'a>>> = match condition.is_about(Scope::Node) {
        true => nodes(snapshot, to).into_iter().map(Some).collect(),
        false => vec![None],
    };
    let at_databases: Vec<Option<Database>> = match listed {
        Some(_) => databases(snapshot).into_iter().map(Some).collect(),
        None => vec![None],
    };
    let place = |node: &Option<Node<'a>>, database| Place { snapshot, node: node.clone(), database, listed };
    at_nodes.iter().flat_map(|node| at_databases.iter().map(|database| place(node, *database))).collect()
}

/// What was found in all places so far.
#[derive(Default)]
struct Found {
    applies: bool,
    nodes: BTreeSet<NodeUid>,
    shown: BTreeMap<String, BTreeSet<NodeUid>>,
    missing: Missing,
}

impl Found {
    fn add(&mut self, condition: &Condition, place: &Place<'_>) {
        let lookup = |fact: &NamedFact| fact.look_up(place);
        match condition.truth(&lookup) {
            Truth::No => {}
            Truth::Unknown(missing) => add(&mut self.missing, missing),
            Truth::Yes => {
                let uid = place.node.as_ref().and_then(|node| node.uid);
                self.applies = true;
                self.nodes.extend(uid);
                self.shown.entry(shown(condition, place)).or_default().extend(uid);
            }
        }
    }

    fn applies(self) -> Applies {
        match (self.applies, self.missing.is_empty()) {
            (true, _) => Applies::Yes { nodes: self.nodes, shown: self.shown },
            (false, true) => Applies::No,
            (false, false) => Applies::CannotTell { missing: self.missing },
        }
    }
}

/// The facts of a condition as they are in a place: `openssl is 3.0.7 and os is rhel9`.
fn shown(condition: &Condition, place: &Place<'_>) -> String {
    let said = |fact: &&NamedFact| {
        let value: Value = fact.look_up(place).ok()??;
        let of = match (fact.scope, place.database) {
            (Scope::Database, Some(Database::Uid(uid))) => format!("{} of db:{uid}", fact.id),
            _ => fact.id.to_owned(),
        };
        Some(format!("{of} is {value}"))
    };
    condition.facts().iter().copied().filter_map(|fact| said(&fact)).collect::<Vec<_>>().join(" and ")
}
