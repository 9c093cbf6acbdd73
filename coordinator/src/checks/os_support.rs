use std::sync::LazyLock;

use proto::{Arch, Fact, Version};

use super::platforms::{Platforms, PlatformsError, Support};
use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};
use crate::snapshot::Witness;

/// "The target must support the operating system": a cluster on one that it does not must change that first.
pub(super) const CHECK: Check = Check {
    id: "os-support",
    title: "every version on the way is supported on every node's operating system",
    source: "content/embeds/supported-platforms-embed.md (fact sheet §1.7, §6 no. 4)",
    severity: Severity::Block,
    promise: None,
    when: When::Planning,
    run,
};

static PLATFORMS: LazyLock<Result<Platforms, PlatformsError>> = LazyLock::new(Platforms::vendor);

const MISSING: Missing = Missing {
    why: "a release runs only where the vendor supports it",
    remedy: "cat /etc/os-release; uname -m   # on that node",
};
const MOVE: &str = "move the nodes to an operating system that both versions support, then ask again: see the vendor's \
                    installing-upgrading/upgrading/upgrade-os";

fn run(context: &Context<'_>) -> Vec<Finding> {
    let platforms = match &*PLATFORMS {
        Ok(platforms) => platforms,
        Err(error) => return vec![CHECK.cannot_tell(error.to_string(), MISSING.why)],
    };
    if context.targets().is_empty() {
        return vec![CHECK.cannot_tell("there is no path to judge by", "see the check `path`")];
    }
    CHECK.on_nodes(context, MISSING, "all are", |witness| judge(platforms, context, witness))
}

fn judge(
    platforms: &Platforms,
    context: &Context<'_>,
    witness: &Witness<'_>,
) -> Result<Vec<Finding>, String> {
    let installed = witness.facts.installed.as_result()?.version;
    let arch = *witness.facts.arch.as_result()?;
    let os = &witness.facts.os.as_result()?.token;
    let Some(os) = os else { return Err("the vendor has no name for its operating system".to_owned()) };
    let mut findings = Vec::new();
    for target in context.targets().into_iter().filter(|target| *target > installed) {
        findings.extend(of_target(platforms, &os.0, arch, target));
        if os.0 == "rhel9" {
            findings.extend(in_fips_mode(platforms, witness, arch, target));
        }
    }
    Ok(findings)
}

fn of_target(platforms: &Platforms, os: &str, arch: Arch, target: Version) -> Option<Finding> {
    let as_of = platforms.as_of;
    match platforms.support(os, arch, target) {
        Support::Listed => None,
        Support::NotCovered => {
            let saw = format!("the vendor's page of {as_of} says nothing of {target} on {os}/{arch}");
            Some(CHECK.warn(saw, "it lists 6.2 and later only"))
        }
        // Whoever is here runs a release that is not listed already, and goes towards one that is.
        Support::Early { from, source } => {
            let saw = format!("{target} is not listed for {os}/{arch}, which begins with {from} ({source})");
            let finding = CHECK.warn(saw, "the installed version is no more supported there than this one");
            Some(finding.fix(format!("ratchet plan CLUSTER --to V   # with {from} or later for V")))
        }
        Support::NotListed { source } => {
            let saw = format!("{target} is not supported on {os}/{arch} as of {as_of} ({source})");
            Some(CHECK.block(saw, MISSING.why).fix(MOVE))
        }
    }
}

/// FIPS mode is a platform of its own; whether it is on matters only where that one is not listed.
fn in_fips_mode(
    platforms: &Platforms,
    witness: &Witness<'_>,
    arch: Arch,
    target: Version,
) -> Option<Finding> {
    let finding = of_target(platforms, "rhel9-fips", arch, target)?;
    match witness.facts.details.flag(Fact::Fips) {
        Ok(true) => Some(finding),
        Ok(false) => None,
        Err(reason) => {
            let saw = format!(
                "cannot tell: {}, and whether the kernel is in FIPS mode is not known: {reason}",
                finding.saw
            );
            Some(CHECK.warn(saw, MISSING.why).fix("cat /proc/sys/crypto/fips_enabled   # on that node"))
        }
    }
}
