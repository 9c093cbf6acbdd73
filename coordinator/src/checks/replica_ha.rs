use proto::{Fact, NodeFacts, Setting};

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// While a node is upgraded the cluster must not take it for lost and make its replicas anew elsewhere.
pub(super) const CHECK: Check = Check {
    id: "replica-ha",
    title: "the cluster waits longer for a lost node than an upgrade takes",
    source: "replica-ha.md (fact sheet §6 no. 34)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const KEY: &str = "slave_ha_grace_period";
/// The vendor's own default, in seconds: enough for an installer that does its work in minutes.
const LEAST: u64 = 600;
const MISSING: Missing = Missing {
    why: "a node that is away for longer has its replicas made anew on others, which costs memory and traffic",
    remedy: "rladmin info cluster   # shows slave_ha_grace_period",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut looked_at = 0;
    let mut grace: Result<u64, String> = Err("no agent tells the grace period".to_owned());
    for (_, facts) in context.snapshot.answered() {
        looked_at += 1;
        // Of several answers the shortest counts: it is the one that could hurt.
        grace = match (grace, grace_of(facts)) {
            (Ok(one), Ok(other)) => Ok(one.min(other)),
            (Err(_), of_agent) => of_agent,
            (known, Err(_)) => known,
        };
    }
    let findings = match grace {
        _ if looked_at == 0 => Vec::new(),
        Ok(LEAST..) => Vec::new(),
        Ok(seconds) => {
            let remedy = format!(
                "rladmin tune cluster {KEY} 1800   # or [settings] of ratchet.toml does it for the run"
            );
            vec![
                CHECK.warn(format!("the cluster waits {seconds} s for a lost node"), MISSING.why).fix(remedy),
            ]
        }
        Err(reason) => vec![CHECK.unknown(reason, MISSING.why).fix(MISSING.remedy)],
    };
    CHECK.or_pass(findings, looked_at, "it waits ten minutes or longer")
}

/// The shortest that any source of this agent tells.
fn grace_of(facts: &NodeFacts) -> Result<u64, String> {
    let number =
        |text: &str| text.parse().map_err(|_| format!("`{KEY}` is `{text}`, which is no number of seconds"));
    let setting = facts.settings.get(&Setting::ReplicaHaGracePeriod);
    let setting = setting.map(|probe| probe.as_result().copied().map_err(str::to_owned));
    let of = |fact| facts.details.cell(fact, KEY).and_then(number);
    let sources = setting.into_iter().chain([of(Fact::ClusterInfo), of(Fact::ClusterPolicy)]);
    let (known, reasons): (Vec<_>, Vec<_>) = sources.partition(Result::is_ok);
    let shortest = known.into_iter().flatten().min();
    let reason =
        || reasons.into_iter().find_map(Result::err).unwrap_or_else(|| format!("`{KEY}` is not told"));
    shortest.ok_or_else(reason)
}
