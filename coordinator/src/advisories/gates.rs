//! Gates of the vendor's table that no advisory and no check of this version stands for.

use super::Advisories;
use super::told::verdict;
use crate::checks::{self, Context, Finding, Severity, Verdict};
use crate::paths::{Gate, Hop, Weight};
use crate::snapshot::Snapshot;

/// A newer table may have gates that this version cannot judge. That is not "does not apply".
pub(super) fn findings(advisories: &Advisories, context: &Context<'_>, hops: &[Hop]) -> Vec<Finding> {
    let unknown = context.table.gates().iter().filter(|gate| !is_known(advisories, gate));
    let concerned = unknown.filter(|gate| hops.iter().any(|hop| may_concern(gate, context.snapshot, hop)));
    concerned.map(finding).collect()
}

/// Whether an advisory or a check of this version stands for a gate.
pub(super) fn is_known(advisories: &Advisories, gate: &Gate) -> bool {
    advisories.explain(&gate.id).is_some() || checks::ALL.iter().any(|check| check.id == gate.id)
}

fn may_concern(gate: &Gate, snapshot: &Snapshot, hop: &Hop) -> bool {
    if !gate.is_about(hop.from, hop.to) {
        return false;
    }
    let Some(os) = &gate.os else { return true };
    let token = |facts: &proto::NodeFacts| facts.os.known().map(|os| os.token.clone());
    snapshot.agents.iter().any(|report| match report.answer.as_ref().ok().and_then(token) {
        Some(Some(token)) => token.0 == *os,
        // A system the vendor has no name for is none that a gate is about; one that is not known may be.
        Some(None) => false,
        None => true,
    })
}

fn finding(gate: &Gate) -> Finding {
    Finding {
        check: gate.id.clone(),
        verdict: verdict(severity(gate.weight), Verdict::CannotTell),
        node: None,
        agent: None,
        saw: format!("the table asks for `{}`, and nothing here can tell whether that holds", gate.check),
        why: "this version of Ratchet does not know this gate of the table".to_owned(),
        remedy: Some(format!(
            "use a newer Ratchet, or see to it yourself and say so: --accept {}=\"reason\"",
            gate.id
        )),
        source: gate.source.clone(),
        promise: None,
        accepted: None,
    }
}

/// How strongly an advisory of a gate's weight speaks.
pub(super) fn severity(weight: Weight) -> Severity {
    match weight {
        Weight::Info => Severity::Info,
        Weight::Warn => Severity::Warn,
        Weight::Block => Severity::Block,
    }
}
