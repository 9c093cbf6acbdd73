use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// Ports the kernel hands out must stay clear of those the product uses.
pub(super) const CHECK: Check = Check {
    id: "port-range",
    title: "the kernel hands out no ports that the product uses",
    source: "content/embeds/port-collision-avoidance.md (fact sheet §5.3, §6 no. 18)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const WANTED: [&str; 2] = ["30000", "65535"];
const MISSING: Missing = Missing {
    why: "a port that the kernel gives to somebody else is missing when the product starts again",
    remedy: "sysctl net.ipv4.ip_local_port_range   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "it hands out 30000 to 65535", |witness| {
        let range = witness.facts.system.local_port_range.as_result()?;
        if range.split_whitespace().eq(WANTED) {
            return Ok(Vec::new());
        }
        let remedy =
            "sysctl -w net.ipv4.ip_local_port_range=\"30000 65535\"   # and keep it in /etc/sysctl.d";
        Ok(vec![CHECK.warn(format!("net.ipv4.ip_local_port_range is `{range}`"), MISSING.why).fix(remedy)])
    })
}
