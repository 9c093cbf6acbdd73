use super::{Check, Context, Finding, Severity, When};

/// Directories and user stay what they are: they must be known, and are the same on all nodes (promise P11).
pub(super) const CHECK: Check = Check {
    id: "installation",
    title: "directories and user of the installation are known, and the same on every node",
    source: "installing-upgrading/upgrading/upgrade-cluster.md (fact sheet §5.3, §5.5; promise P11)",
    severity: Severity::Block,
    promise: Some("P11"),
    when: When::Before,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        if let Err(reason) = witness.facts.installation.as_result() {
            let saw = format!("where and as whom it is installed is not known: {reason}");
            let why = "an upgrade must keep directories and user, so they must be known";
            let remedy = "look at /etc/opt/redislabs/redislabs_env_config.sh on that node";
            findings.push(CHECK.cannot_tell(saw, why).on(witness.uid).by(witness.agent).fix(remedy));
        }
    }
    let mut places: Vec<String> = witnesses
        .iter()
        .filter_map(|witness| witness.facts.installation.known())
        .map(|it| format!("{} {} {} as {}:{}", it.install_dir, it.config_dir, it.var_dir, it.user, it.group))
        .collect();
    places.sort();
    places.dedup();
    if places.len() > 1 {
        let why = "the vendor wants the same directories on all nodes";
        findings.push(CHECK.warn(format!("the nodes differ: {}", places.join("; ")), why));
    }
    CHECK.or_pass(findings, witnesses.len(), format!("installed in {}", places.join("; ")))
}
