use proto::Fact;

use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// The installer fetches what it depends on from package repositories, unless that was installed beforehand.
pub(super) const CHECK: Check = Check {
    id: "dependencies",
    title: "every node has a package repository to install dependencies from",
    source: "installing-upgrading/install/offline-installation.md (fact sheet §5.3, §6 no. 43)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the installer fails where a dependency is neither installed nor to be had",
    remedy: "apt-get update || dnf repolist --enabled   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "every node has a repository", |witness| {
        if !witness.facts.details.lines(Fact::Repositories)?.is_empty() {
            return Ok(Vec::new());
        }
        let remedy =
            "install the new release's dependencies beforehand, or enable a repository: dnf repolist --all";
        Ok(vec![CHECK.warn("no package repository is enabled", MISSING.why).fix(remedy)])
    })
}
