use proto::{Fact, NodeFacts, Release, Row, Version};

use super::told::{Missing, cell};
use super::{Check, Context, Finding, Severity, When};

/// New releases reserve new ports; who has one of them keeps a service from starting.
///
/// Whether firewalls between the nodes let them through cannot be seen from here.
pub(super) const CHECK: Check = Check {
    id: "reserved-ports",
    title: "nobody but the product uses a port that a version on the way reserves",
    source: "release notes 7.8, 7.22 and 8.0 (Reserved ports) (fact sheet §1.4 (ports-7.8.2, ports-7.22.0, port-3357), §6 no. 17 (RS171340))",
    severity: Severity::Block,
    promise: None,
    when: When::Planning,
    run,
};

/// Ports that become the product's own with a release.
struct Reserved {
    since: Release,
    /// The last build that reserves them, if that ended.
    until: Option<Version>,
    ports: &'static [u16],
}

const RESERVED: [Reserved; 3] = [
    Reserved { since: Release::new(7, 8, 2), until: None, ports: &[3347, 3348, 3349, 3350, 9091, 9125] },
    Reserved { since: Release::new(7, 22, 0), until: None, ports: &[3346, 3351, 3352, 3353, 3354, 3355] },
    // Optional from 8.0.20-44 on.
    Reserved { since: Release::new(8, 0, 18), until: Some(Version::new(8, 0, 20, 19)), ports: &[3357] },
];

const MISSING: Missing = Missing {
    why: "a service of the new release cannot start where somebody else has its port; older installers go on regardless",
    remedy: "ss -lntp   # on that node: who listens?",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    if context.targets().is_empty() {
        return vec![CHECK.cannot_tell("there is no path to judge by", "see the check `path`")];
    }
    CHECK.on_nodes(context, MISSING, "nobody else does", |witness| {
        let installed = witness.facts.installed.as_result()?.version;
        let ports = newly_reserved(installed, &context.targets());
        let used = if ports.is_empty() { Vec::new() } else { used(&ports, witness.facts)? };
        Ok(used.into_iter().map(finding).collect())
    })
}

/// The ports that are not the product's own yet, and will be at one of the targets.
fn newly_reserved(installed: Version, targets: &[Version]) -> Vec<u16> {
    let is_new = |reserved: &&Reserved| {
        let reserves = |target: &Version| {
            target.release >= reserved.since && reserved.until.is_none_or(|last| *target <= last)
        };
        installed.release < reserved.since && targets.iter().any(reserves)
    };
    RESERVED.iter().filter(is_new).flat_map(|reserved| reserved.ports).copied().collect()
}

/// Those that somebody else uses, with whom. An agent that cannot tell who listens still tells on which ports.
fn used(ports: &[u16], facts: &NodeFacts) -> Result<Vec<(u16, String)>, String> {
    let rows = facts.details.rows(Fact::Listeners);
    let listeners = rows.and_then(|rows| rows.iter().map(listener).collect::<Result<Vec<_>, _>>());
    let mut used: Vec<(u16, String)> = match listeners {
        Ok(listeners) => listeners.into_iter().flatten().collect(),
        Err(reason) => {
            let listening = facts.system.listening_ports.as_result();
            let listening =
                listening.map_err(|other| format!("who listens is not known: {reason}; {other}"))?;
            listening.iter().map(|port| (*port, format!("somebody: {reason}"))).collect()
        }
    };
    used.retain(|(port, _)| ports.contains(port));
    used.sort();
    used.dedup();
    Ok(used)
}

/// A TCP port of somebody who is not known to be the product.
fn listener(row: &Row) -> Result<Option<(u16, String)>, String> {
    let port = cell(row, "port")?.parse().map_err(|_| "a listener has no port number".to_owned())?;
    let udp = cell(row, "protocol").is_ok_and(|protocol| protocol == "udp");
    if udp || cell(row, "product").is_ok_and(|product| product == "yes") {
        return Ok(None);
    }
    let process = cell(row, "process").unwrap_or("a process without a name");
    let pid = cell(row, "pid").map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    Ok(Some((port, format!("{process}{pid}"))))
}

fn finding((port, who): (u16, String)) -> Finding {
    let remedy = format!("ss -lntp 'sport = :{port}'   # move that program to another port, or stop it");
    CHECK.block(format!("port {port} is used by {who}"), MISSING.why).fix(remedy)
}
