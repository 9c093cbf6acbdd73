use proto::{Details, Fact};

use super::told::{CREDENTIAL, Told, cell, told_by_any};
use super::{Check, Context, Finding, Severity, When};

/// What the product itself is alarmed about should be known before a node of it stops.
pub(super) const CHECK: Check = Check {
    id: "alerts",
    title: "the product raises no alert",
    source: "references/rest-api (cluster, node and database alerts) (fact sheet §4.1, §6 no. 24 and 25)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

/// Raised wherever versions are mixed: an upgrade that goes on is the cure.
const MIXED_VERSIONS: &str = "cluster_inconsistent_rl_sw";
const WHY: &str = "what is already amiss is worse with one node less";

fn run(context: &Context<'_>) -> Vec<Finding> {
    match told_by_any(context, alerts) {
        Told::Known(alerts) => {
            CHECK.or_pass(alerts.into_iter().map(finding).collect(), 1, "no alert is active")
        }
        Told::Nobody => CHECK.or_pass(Vec::new(), 0, ""),
        Told::Untold(reason) => vec![CHECK.unknown(reason, WHY).fix(CREDENTIAL)],
    }
}

/// Scope and name of each.
fn alerts(details: &Details) -> Result<Vec<(&str, &str)>, String> {
    details.rows(Fact::Alerts)?.iter().map(|row| Ok((cell(row, "scope")?, cell(row, "alert")?))).collect()
}

fn finding((scope, alert): (&str, &str)) -> Finding {
    let saw = format!("{scope}: {alert}");
    let finding = match alert {
        MIXED_VERSIONS => {
            CHECK.info(saw, "an interrupted upgrade leaves versions mixed; going on with it ends this")
        }
        _ => CHECK.warn(saw, WHY),
    };
    finding.fix("rladmin status issues_only   # and put right what the alert names")
}
