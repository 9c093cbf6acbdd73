use super::{Check, Context, Finding, Severity, When};
use crate::catalogue::{CatalogueEntry, VendorVerdict};

/// What the vendor's release notes say of the packages' bytes. The operator's SHA-256 decides what is installed; the notes
/// have errors and do not say what they hash, so a difference is told and not enforced.
pub(super) const CHECK: Check = Check {
    id: "package-checksum",
    title: "the packages' checksums are those the vendor has published",
    source: "release notes (Downloads) (fact sheet §1.6, §6 no. 5)",
    severity: Severity::Block,
    promise: Some("P10"),
    when: When::Planning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let mut entries: Vec<&CatalogueEntry> = Vec::new();
    for witness in context.snapshot.witnesses() {
        entries.extend(context.packages_of(&witness).into_iter().flatten().flatten());
    }
    entries.sort_by_key(|entry| (entry.package.version, entry.package.sha256));
    entries.dedup_by_key(|entry| entry.package.sha256);
    if entries.is_empty() {
        return vec![CHECK.cannot_tell("no package was chosen", "see the checks `path` and `package`")];
    }
    entries.into_iter().map(finding).collect()
}

fn finding(entry: &CatalogueEntry) -> Finding {
    let saw = format!("{}: {}", entry.package, entry.verdict);
    match entry.verdict {
        VendorVerdict::Matches { .. } => CHECK.pass(saw),
        VendorVerdict::Differs { .. } | VendorVerdict::OnlyMd5 { agrees: Some(false), .. } => CHECK
            .warn(saw, "the bytes are not what the release note lists, or the note is wrong")
            .fix("compare the archive with the vendor's download page"),
        VendorVerdict::Ambiguous { .. } | VendorVerdict::OnlyMd5 { .. } | VendorVerdict::NotPublished => {
            CHECK.warn(saw, "only the operator's own word says that these are the vendor's bytes")
        }
    }
}
