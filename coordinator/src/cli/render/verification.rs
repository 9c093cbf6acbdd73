//! Whether a journal is what was written.

use super::style::{bad, bullet, caution, good};
use super::units::printable;
use crate::documents::{AgreementRow, VerificationDocument, VerificationOutcome};

/// What came out, what is odd, and what the agents say.
pub fn verification(document: &VerificationDocument) -> String {
    let mark = match document.outcome {
        VerificationOutcome::Whole => good("✓"),
        VerificationOutcome::Partly | VerificationOutcome::Unproved => caution("!"),
        VerificationOutcome::Broken => bad("✗"),
    };
    let mut out = bullet(&mark, &printable(&document.summary));
    document.remarks.iter().for_each(|remark| out.push_str(&bullet("·", &printable(remark))));
    document.agents.iter().flatten().for_each(|agent| out.push_str(&agreement(agent)));
    out
}

fn agreement(agent: &AgreementRow) -> String {
    let AgreementRow { node, address, agrees, detail } = agent;
    let mark = match agrees {
        Some(true) => good("✓"),
        Some(false) => bad("✗"),
        None => caution("?"),
    };
    bullet(&mark, &printable(&format!("node {node} ({address}): {detail}")))
}
