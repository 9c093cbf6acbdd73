use proto::{Fact, Row};

use super::told::{Missing, cell};
use super::{Check, Context, Finding, Severity, When};

/// The product answers DNS itself; the installer asks for port 53 to be free.
pub(super) const CHECK: Check = Check {
    id: "port-53",
    title: "nobody but the product uses port 53",
    source: "content/embeds/port-53.md (fact sheet §5.1, §5.3, §6 no. 18)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the installer wants port 53 for the product's own DNS, and may stop where somebody else has it",
    remedy: "ss -lntup 'sport = :53'   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "nobody else does", |witness| {
        let rows = witness.facts.details.rows(Fact::Listeners)?.iter();
        rows.filter_map(|row| judge(row).transpose()).collect()
    })
}

fn judge(row: &Row) -> Result<Option<Finding>, String> {
    if cell(row, "port")? != "53" || cell(row, "product").is_ok_and(|product| product == "yes") {
        return Ok(None);
    }
    let part = |key| cell(row, key).unwrap_or("?");
    let saw = format!("port 53/{} on {} is used by {}", part("protocol"), part("address"), part("process"));
    let remedy = "systemctl disable --now systemd-resolved   # or dnsmasq; the installer's option to skip this is \
                  ignored before 8.0.20-19";
    Ok(Some(CHECK.warn(saw, MISSING.why).fix(remedy)))
}
