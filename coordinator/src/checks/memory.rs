use proto::Release;

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// "At least 8 GB of memory", from 8.0.2 on.
pub(super) const CHECK: Check = Check {
    id: "memory",
    title: "every node has the memory that the target asks for",
    source: "release notes 8.0.2-17 (fact sheet §5.3 (RS153192))",
    severity: Severity::Warn,
    promise: None,
    when: When::Planning,
    run,
};

/// The first release that asks for it.
const SINCE: Release = Release::new(8, 0, 2);
/// 8 GB as machines are sold, less what a kernel keeps to itself.
const LEAST: u64 = 7_500_000_000;
const MISSING: Missing =
    Missing { why: "the vendor asks for 8 GB of memory from 8.0.2 on", remedy: "free -m   # on that node" };

fn run(context: &Context<'_>) -> Vec<Finding> {
    if context.targets().is_empty() {
        return vec![CHECK.cannot_tell("there is no path to judge by", "see the check `path`")];
    }
    let asks = context.targets().iter().any(|target| target.release >= SINCE);
    CHECK.on_nodes(context, MISSING, "every node has the memory that is asked for", |witness| {
        if !asks {
            return Ok(Vec::new());
        }
        let bytes = *witness.facts.system.memory_total.as_result()?;
        if bytes >= LEAST {
            return Ok(Vec::new());
        }
        let saw = format!("it has {} MiB of memory", bytes >> 20);
        Ok(vec![
            CHECK.warn(saw, MISSING.why).fix("give the node at least 8 GB of memory before it is upgraded"),
        ])
    })
}
