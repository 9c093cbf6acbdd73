use proto::Fact;

use super::{Check, Context, Finding, Severity, When};
use crate::catalogue::{CatalogueEntry, Origin, VendorVerdict};

/// What the vendor's release notes say of the packages' bytes. The notes have errors, so a difference can be accepted, by
/// a person who says why.
pub(super) const CHECK: Check = Check {
    id: "package-checksum",
    title: "the packages' checksums are those the vendor has published",
    source: "release notes (Downloads) (fact sheet §1.6, §6 no. 5)",
    severity: Severity::Block,
    promise: None,
    when: When::Planning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Finding> {
    let entries = context.chosen();
    if entries.is_empty() {
        return vec![CHECK.cannot_tell("no package was chosen", "see the checks `path` and `package`")];
    }
    let stand_ins = only_stand_ins(context);
    entries.into_iter().map(|entry| finding(entry, stand_ins)).collect()
}

/// What is installed below another root directory is a stand-in, and so are its packages: they cannot have the vendor's
/// checksums.
fn only_stand_ins(context: &Context<'_>) -> bool {
    let mut roots = context.snapshot.answered().map(|(_, facts)| facts.details.text(Fact::Root)).peekable();
    roots.peek().is_some() && roots.all(|root| root.is_ok_and(|root| root != "/"))
}

fn finding(entry: &CatalogueEntry, stand_ins: bool) -> Finding {
    let saw = format!("{}: {}", entry.package, entry.verdict);
    match entry.verdict {
        VendorVerdict::Matches { .. } => CHECK.pass(saw),
        VendorVerdict::Differs { .. } | VendorVerdict::OnlyMd5 { agrees: Some(false), .. } => {
            let why = "the bytes are not what the release note lists, or the note is wrong";
            let told = if stand_ins { CHECK.warn(saw, why) } else { CHECK.block(saw, why) };
            told.fix(
                "get the archive from the vendor's download page again; if its checksum there is this one: \
                 --accept package-checksum=\"WHY\"",
            )
        }
        VendorVerdict::OnlyMd5 { .. } => {
            let why = match entry.origin {
                Origin::Config => {
                    "an MD5 shows damage, not who made the bytes: the operator's own SHA-256 counts"
                }
                Origin::Store => {
                    "an MD5 shows damage, not who made the bytes: the vendor's signature inside must be verified on the \
                     nodes, or give the SHA-256 yourself"
                }
            };
            CHECK.warn(saw, why).fix(
                "vendor_signature = \"required\" in [trust] of agent.toml   # or [[package]] with sha256",
            )
        }
        VendorVerdict::Ambiguous { .. } | VendorVerdict::NotPublished => {
            CHECK.warn(saw, "only the operator's own word says that these are the vendor's bytes")
        }
    }
}
