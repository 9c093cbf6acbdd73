use proto::{Details, Fact};

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// "Root privileges", and a umask of 0022, which the installer validates.
///
/// Below another root directory there is a stand-in for the product, and its installer needs neither.
pub(super) const CHECK: Check = Check {
    id: "privileges",
    title: "the installer runs as root and with the umask it asks for",
    source: "installing-upgrading/install/install-on-linux.md (fact sheet §5.3, §6 no. 21 (RS63302, RS85369))",
    severity: Severity::Block,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the installer needs root and a umask of 0022, and would stop half-way or leave files nobody can read",
    remedy: "systemctl restart ratchet-agent   # with the release of this coordinator: older ones do not tell",
};
const UMASK: &str = "0022";

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "root, or a stand-in root directory", |witness| {
        let details = &witness.facts.details;
        if details.text(Fact::Root)? != "/" { Ok(Vec::new()) } else { judge(details) }
    })
}

fn judge(details: &Details) -> Result<Vec<Finding>, String> {
    let (user, umask) = (details.number(Fact::EffectiveUser)?, details.text(Fact::Umask)?);
    let mut findings = Vec::new();
    if user != 0 {
        let saw = format!("the agent, and so the installer, runs as user {user}");
        findings
            .push(CHECK.block(saw, MISSING.why).fix("run the agent as root: systemctl cat ratchet-agent"));
    }
    if umask != UMASK {
        let saw = format!("the installer would run with the umask {umask}");
        let remedy = "systemctl edit ratchet-agent   # [Service] UMask=0022";
        findings.push(CHECK.block(saw, MISSING.why).fix(remedy));
    }
    Ok(findings)
}
