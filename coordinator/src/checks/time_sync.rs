use proto::Fact;

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// A time service keeps the nodes' clocks together, also while one of them is upgraded.
pub(super) const CHECK: Check = Check {
    id: "time-sync",
    title: "a time service keeps every node's clock",
    source: "installing-upgrading/install/manage-installation-questions.md (fact sheet §6 no. 20)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the vendor wants the nodes' clocks synchronised",
    remedy: "timedatectl   # on that node: is a time service at work?",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "every node's clock is synchronised", |witness| {
        if witness.facts.details.flag(Fact::TimeSynchronised)? {
            return Ok(Vec::new());
        }
        let remedy = "systemctl enable --now chronyd   # or the time service of your choice";
        Ok(vec![CHECK.warn("the clock is not synchronised", MISSING.why).fix(remedy)])
    })
}
