use super::{Check, Context, Finding, Severity, When};

/// "The operating system must be supported": a package exists for what each node runs.
pub(super) const CHECK: Check = Check {
    id: "platform",
    title: "the vendor builds packages for every node's operating system and architecture",
    source: "content/embeds/supported-platforms-embed.md (fact sheet §1.5, §1.7, §6 no. 3 and 4)",
    severity: Severity::Block,
    promise: None,
    when: When::Before,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let witnesses = context.snapshot.witnesses();
    for witness in &witnesses {
        let mut found = Vec::new();
        match witness.facts.os.as_result() {
            Err(reason) => found.push(CHECK.cannot_tell(
                format!("the operating system is not known: {reason}"),
                "a package must be built for the node's operating system",
            )),
            Ok(os) if os.token.is_none() => found.push(
                CHECK
                    .block(
                        format!("the vendor has no package for {}", os.name),
                        "the installer refuses other systems",
                    )
                    .fix("move this node to an operating system the vendor supports, then ask again"),
            ),
            Ok(_) => {}
        }
        if let Err(reason) = witness.facts.arch.as_result() {
            let why = "a package must be built for the node's architecture";
            found.push(CHECK.cannot_tell(format!("the architecture is not known: {reason}"), why));
        }
        findings.extend(found.into_iter().map(|finding| finding.on(witness.uid).by(witness.agent)));
    }
    CHECK.or_pass(findings, witnesses.len(), "every node runs a platform the vendor builds for")
}
