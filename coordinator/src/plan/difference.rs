//! What is no longer as an approved plan says.

use std::collections::BTreeSet;

use proto::Package;

use super::{Plan, PlannedHop, PlannedNode};
use crate::fingerprint::{Comparison, Reading, compare};

/// Everything that a plan made now says otherwise, one line each; nothing if the approved one still fits.
pub fn differences(approved: &Plan, now: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    nodes(approved, now, &mut found);
    hops(approved, now, &mut found);
    packages(approved, now, &mut found);
    if approved.settings != now.settings {
        found.push("the settings that are changed for the run are others".to_owned());
    }
    if approved.table_digest != now.table_digest {
        let (old, new) = (approved.table_digest, now.table_digest);
        found.push(format!("the table of upgrade paths is another one: it was {old}, it is {new}"));
    }
    if approved.advisories_digest.is_some() && approved.advisories_digest != now.advisories_digest {
        found.push("the advisories are others".to_owned());
    }
    configuration(approved, now, &mut found);
    found
}

fn nodes(approved: &Plan, now: &Plan, found: &mut Vec<String>) {
    let uids = |plan: &Plan| plan.nodes.iter().map(|node| node.uid).collect::<BTreeSet<_>>();
    let (old, new) = (uids(approved), uids(now));
    found.extend(old.difference(&new).map(|uid| format!("{uid} is no longer there")));
    found.extend(new.difference(&old).map(|uid| format!("{uid} is new")));
    for was in &approved.nodes {
        if let Some(is) = now.nodes.iter().find(|node| node.uid == was.uid) {
            node(was, is, found);
        }
    }
}

fn node(was: &PlannedNode, is: &PlannedNode, found: &mut Vec<String>) {
    let mut say = |what: &str, old: String, new: String| {
        if old != new {
            found.push(format!("{}: {what} was {old}, it is {new}", was.uid));
        }
    };
    say("its version", was.installed.to_string(), is.installed.to_string());
    say("its role", was.role.to_string(), is.role.to_string());
    say("its agent", was.agent.clone(), is.agent.clone());
    say("its address", was.address.clone(), is.address.clone());
    say("its host name", was.hostname.clone(), is.hostname.clone());
    say("its operating system", was.os.0.clone(), is.os.0.clone());
    say("its architecture", was.arch.to_string(), is.arch.to_string());
    say("what install.sh is called with", was.install_args.join(" "), is.install_args.join(" "));
}

fn hops(approved: &Plan, now: &Plan, found: &mut Vec<String>) {
    let way = |plan: &Plan| {
        let first = plan.hops.first().map(|hop| hop.from.to_string());
        let stops = first.into_iter().chain(plan.hops.iter().map(|hop| hop.to.to_string()));
        stops.collect::<Vec<_>>().join(" → ")
    };
    let (old, new) = (way(approved), way(now));
    if old != new {
        return found.push(format!("the way was {old}, it is {new}"));
    }
    for (was, is) in approved.hops.iter().zip(&now.hops) {
        if was == is {
            continue;
        }
        let (before, after) = (order(was), order(is));
        if before == after {
            found.push(format!(
                "what supports {} → {}, or who takes part in it, is no longer the same",
                was.from, was.to
            ));
        } else {
            found.push(format!("the turns to {} were {before}, they are {after}", was.to));
        }
    }
}

fn order(hop: &PlannedHop) -> String {
    let turns: Vec<String> = hop.turns.iter().map(|turn| turn.node.to_string()).collect();
    turns.join(", ")
}

fn packages(approved: &Plan, now: &Plan, found: &mut Vec<String>) {
    let missing = |of: &Package, list: &[Package]| !list.contains(of);
    let gone = approved.packages.iter().filter(|package| missing(package, &now.packages));
    found.extend(gone.map(|package| format!("{} is no longer the one that is at hand", named(package))));
    let new = now.packages.iter().filter(|package| missing(package, &approved.packages));
    found.extend(new.map(|package| format!("{} would be installed now", named(package))));
}

fn named(package: &Package) -> String {
    format!("the package {package} with SHA-256 {}", package.sha256)
}

fn configuration(approved: &Plan, now: &Plan, found: &mut Vec<String>) {
    let (Some(old), Some(new)) = (&approved.configuration, &now.configuration) else { return };
    let reading = Reading { fingerprint: new.clone(), ..Reading::default() };
    match compare(old, &reading, &[]) {
        Comparison::Changed(changes) => found.extend(changes.iter().map(ToString::to_string)),
        Comparison::Same => {}
        Comparison::CannotTell(keys) => {
            found.extend(keys.iter().map(|(key, reason)| format!("{key} cannot be read any more: {reason}")));
        }
    }
}
