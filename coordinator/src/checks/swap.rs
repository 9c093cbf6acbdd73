use super::told::Missing;
use super::{Check, Context, Finding, Severity, When};

/// "Disable swap": the installer asks about it, and `-y` answers for everybody.
pub(super) const CHECK: Check = Check {
    id: "swap",
    title: "no node has swap",
    source: "installing-upgrading/install/prepare-install/_index.md (fact sheet §5.2, §5.3, §6 no. 19)",
    severity: Severity::Warn,
    promise: None,
    when: When::Before,
    run,
};

const MISSING: Missing = Missing {
    why: "the vendor wants swap off, and an installer that is told so stops where it is on",
    remedy: "cat /proc/swaps   # on that node",
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    CHECK.on_nodes(context, MISSING, "swap is off", |witness| {
        match witness.facts.system.swap_total.as_result()? {
            0 => Ok(Vec::new()),
            bytes => {
                let saw = format!("it has {} MiB of swap", bytes.div_ceil(1 << 20));
                Ok(vec![CHECK.warn(saw, MISSING.why).fix("swapoff -a   # and take it out of /etc/fstab")])
            }
        }
    })
}
