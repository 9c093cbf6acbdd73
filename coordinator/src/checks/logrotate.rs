use proto::Fact;

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// Every upgrade of the cluster overwrites the product's logrotate configuration.
pub(super) const CHECK: Check = Check {
    id: "logrotate",
    title: "the product's logrotate configuration is as it was packaged",
    source: "release-notes/rs-7-2-4-releases/rs-7-2-4-52.md (fact sheet §5.3, §6 no. 38)",
    severity: Severity::Info,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "an upgrade overwrites it, and with it what somebody changed there",
    remedy: "dpkg --verify redislabs || rpm --verify redislabs   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "it is as it was packaged", |witness| {
        if !witness.facts.details.flag(Fact::LogrotateChanged)? {
            return Ok(Vec::new());
        }
        let remedy = "cp -a /etc/logrotate.d/redislabs /root/   # and merge it again after the upgrade";
        Ok(vec![CHECK.info("/etc/logrotate.d/redislabs was changed", MISSING.why).fix(remedy)])
    })
}
