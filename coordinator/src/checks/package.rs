use proto::{NodeFacts, Package, Probe, SourceFacts};

use super::{Check, Context, Finding, Severity, When};

/// Before the first node stops, every node can have every package, built for it.
pub(super) const CHECK: Check = Check {
    id: "package",
    title: "the packages of all hops fit every node and can be had from it",
    source: "content/embeds/supported-platforms-embed.md (fact sheet §1.5, §6 no. 3 (RS62197))",
    severity: Severity::Block,
    promise: Some("P10"),
    when: When::Planning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        let Some(packages) = context.packages_of(witness) else {
            let why = "which package fits depends on version, operating system and architecture, and they are not known";
            findings
                .push(CHECK.cannot_tell("no package can be chosen", why).on(witness.uid).by(witness.agent));
            continue;
        };
        let found = packages.into_iter().filter_map(|package| match package {
            Ok(entry) => at_hand(&entry.package, witness.facts),
            Err(none) => {
                let why = "the installer refuses a package for another system";
                Some(CHECK.block(none.to_string(), why).fix(none.remedy()))
            }
        });
        findings.extend(found.map(|finding| finding.on(witness.uid).by(witness.agent)));
    }
    if context.hops().is_empty() {
        findings.push(CHECK.cannot_tell("there is no path to have packages for", "see the check `path`"));
    }
    CHECK.or_pass(findings, witnesses.len(), "every node can have every package it needs")
}

/// A finding unless the node holds the package or reaches a source of it.
fn at_hand(package: &Package, facts: &NodeFacts) -> Option<Finding> {
    if facts.packages.iter().any(|held| held.sha256 == package.sha256) {
        return None;
    }
    let asked: Vec<&SourceFacts> =
        facts.sources.iter().filter(|source| package.sources.contains(&source.url)).collect();
    let mut refused = Vec::new();
    for source in &asked {
        match &source.size {
            Probe::Known(Some(size)) if package.size.is_some_and(|expected| expected != *size) => {
                refused.push(format!(
                    "{} has {size} bytes, not {}",
                    source.url,
                    package.size.unwrap_or_default()
                ));
            }
            Probe::Known(_) => return None,
            Probe::Unknown(reason) | Probe::Unsupported(reason) => {
                refused.push(format!("{}: {reason}", source.url))
            }
        }
    }
    let why = "a node must be able to fetch its package before the first node is stopped";
    if asked.is_empty() && !package.sources.is_empty() {
        return Some(CHECK.cannot_tell(format!("whether {package} can be fetched was not asked"), why));
    }
    let saw = match refused.as_slice() {
        [] => format!("{package} is not held, and no source is known"),
        some => format!("{package} cannot be fetched: {}", some.join("; ")),
    };
    Some(CHECK.block(saw, why).fix("ratchet package add URL   # a source that this node can reach"))
}
