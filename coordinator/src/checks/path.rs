use super::{Check, Context, Finding, Severity, Stage, When};
use crate::paths::{Hop, NoPath, Status};

/// "Supported upgrade paths" decide, at patch and build level; what no row names is refused (promise P3).
pub(super) const CHECK: Check = Check {
    id: "path",
    title: "the vendor supports every hop, and its packages are at hand",
    source: "content/embeds/rs-upgrade-paths.md (fact sheet §1.1, §1.4, §6 no. 1 and 2)",
    severity: Severity::Block,
    promise: Some("P3"),
    when: When::Planning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    match context.stage {
        Stage::Preflight { path: Some(Ok(path)), .. } => path.hops.iter().map(hop).collect(),
        Stage::Preflight { path: Some(Err(no_path)), target } => vec![refused(context, no_path, target)],
        Stage::Preflight { path: None, .. } | Stage::Survey | Stage::Gate { .. } => {
            let why = "a path starts at the installed versions, and they are not all known";
            vec![CHECK.cannot_tell("no path could be looked for", why)]
        }
    }
}

fn hop(hop: &Hop) -> Finding {
    let saw = format!("{} → {} is supported: {}", hop.from, hop.to, hop.source);
    match (hop.status, hop.inferred) {
        (_, true) => CHECK.warn(saw, "no table names it; it follows from the vendor's prose"),
        (Status::Historical, false) => CHECK.warn(saw, "the vendor no longer prints this row"),
        (Status::Current, false) => CHECK.pass(saw),
    }
}

fn refused(context: &Context<'_>, no_path: &NoPath, target: proto::Version) -> Finding {
    let why = match no_path {
        NoPath::MissingPackages { .. } => "each hop needs its package before the first one starts",
        NoPath::Downgrade { .. } | NoPath::AlreadyThere { .. } => "an upgrade goes up",
        NoPath::UnknownSource { .. } | NoPath::UnknownTarget { .. } | NoPath::Unsupported { .. } => {
            "what the vendor does not support is not tried"
        }
    };
    let finding = CHECK.block(no_path.to_string(), why).fix(no_path.remedy());
    let above =
        context.snapshot.installed().into_iter().find(|(_, version)| version.is_some_and(|it| it > target));
    match above {
        Some((uid, _)) => finding.on(uid),
        None => finding,
    }
}
