use proto::Fact;

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// Security software has held up installers before: the vendor's notes for 6.0 ask for one to be removed.
pub(super) const CHECK: Check = Check {
    id: "security-agents",
    title: "no program that is known to stand in an installer's way is running",
    source: "release notes 6.0 (fact sheet §6 no. 40)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "security software may hold up or undo what the installer does",
    remedy: "ps -e   # on that node: is security software running?",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "none is running", |witness| {
        let agents = witness.facts.details.lines(Fact::SecurityAgents)?;
        let finding = |name: &String| {
            let remedy = format!(
                "exempt the product's directories from {name}, or stop it while the node is upgraded"
            );
            CHECK.warn(format!("{name} is running"), MISSING.why).fix(remedy)
        };
        Ok(agents.iter().map(finding).collect())
    })
}
