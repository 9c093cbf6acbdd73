//! `--accept id="reason"`, for verbs that look before something is changed.

use proto::pb;

use crate::checks::Acceptance;

/// What the person accepts.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Accept {
    /// Go on although this check or advisory stands in the way; the reason goes into the plan, the journal and the report
    #[arg(long = "accept", value_name = "ID=REASON")]
    accept: Vec<Acceptance>,
}

impl Accept {
    /// As the coordinator is asked.
    pub(super) fn wire(&self) -> Vec<pb::Acceptance> {
        let wire = |of: &Acceptance| pb::Acceptance { id: of.id.clone(), reason: of.reason.clone() };
        self.accept.iter().map(wire).collect()
    }
}
