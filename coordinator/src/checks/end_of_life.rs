use jiff::tz::TimeZone;

use super::{Check, Context, Finding, Severity, Stage, When};

/// The target's support line has not ended.
pub(super) const CHECK: Check = Check {
    id: "end-of-life",
    title: "the vendor still supports the target's line",
    source: "installing-upgrading/product-lifecycle.md (fact sheet §1.4 (eol))",
    severity: Severity::Warn,
    promise: None,
    when: When::Planning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let Stage::Preflight { target, .. } = context.stage else {
        return vec![CHECK.cannot_tell("there is no target", "there is nothing to judge by")];
    };
    let today = context.now.to_zoned(TimeZone::UTC).date();
    let line = target.line();
    vec![match context.table.end_of_life(line) {
        Some(day) if day < today => CHECK
            .warn(format!("support of {line} ended on {day}"), "the vendor fixes nothing in it any more")
            .fix("ratchet paths --from V   # and take a later line as the target"),
        Some(day) => CHECK.pass(format!("{line} is supported until {day}")),
        // The newest line has no end yet: nobody can do anything about that.
        None => CHECK
            .info(
                format!("the end of support of {line} is not in the table of {}", context.table.as_of()),
                "the vendor had not set it then",
            )
            .fix("look at the vendor's page of product lifecycles, if it matters when support ends"),
    }]
}
