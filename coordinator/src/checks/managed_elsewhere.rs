use proto::Fact;

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// Nodes that the vendor's operator manages are upgraded by it, pod by pod, and by nobody else.
pub(super) const CHECK: Check = Check {
    id: "managed-elsewhere",
    title: "nobody else manages the nodes",
    source: "content/operate/kubernetes/upgrade (fact sheet §9)",
    severity: Severity::Block,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the Kubernetes operator upgrades its nodes itself, and undoes what others do to them",
    remedy: "ls /run/secrets/kubernetes.io   # on that node; then see why its agent does not tell",
};
/// How it is upgraded there.
const PATCH: &str = "kubectl patch rec NAME --type merge -p \
                     '{\"spec\":{\"redisEnterpriseImageSpec\":{\"versionTag\":\"V\"}}}'";

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "nobody else manages them", |witness| {
        let orchestrator = witness.facts.details.text(Fact::Orchestrator)?;
        if orchestrator == "none" {
            return Ok(Vec::new());
        }
        let saw = format!("it is managed by {orchestrator}");
        Ok(vec![CHECK.block(saw, MISSING.why).fix(PATCH)])
    })
}
