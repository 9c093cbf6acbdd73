//! What a take-over sees before it does anything, and what follows from it. Pure.

use jiff::Timestamp;
use proto::{Claim, ClusterName, Epoch, Failure, NodeFacts, NodeUid, RunId, StepInFlight, StepKind};

use crate::run::Run;
use crate::store::LatestDriver;

/// Who holds a cluster, in this store and on its nodes.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) cluster: ClusterName,
    pub(super) at: Timestamp,
    /// Who has the lease in this store now, at work or hung.
    pub(super) holder: Option<String>,
    /// The latest turn at driving it from this store.
    pub(super) latest: Option<LatestDriver>,
    /// This store's run of it that is not over.
    pub(super) run: Option<Run>,
    /// Its nodes, by uid.
    pub(super) nodes: Vec<Seen>,
}

/// What an agent said.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) address: String,
    pub(super) answer: Result<NodeFacts, Failure>,
}

impl Seen {
    pub(super) fn facts(&self) -> Option<&NodeFacts> {
        self.answer.as_ref().ok()
    }

    pub(super) fn uid(&self) -> Option<NodeUid> {
        self.facts()?.node_uid.known().copied()
    }

    pub(super) fn claim(&self) -> Option<&Claim> {
        self.facts()?.claim.as_ref()
    }

    pub(super) fn step(&self) -> Option<&StepInFlight> {
        self.facts()?.current_step.as_ref()
    }

    /// The node in words, also where its agent does not answer.
    pub(super) fn name(&self) -> String {
        match self.uid() {
            Some(uid) => format!("{uid} ({})", self.address),
            None => format!("the agent at {}", self.address),
        }
    }
}

impl Sight {
    /// The highest epoch that any agent has obeyed.
    pub(super) fn highest_epoch(&self) -> Epoch {
        let epochs = self.nodes.iter().filter_map(Seen::facts).map(|facts| facts.highest_epoch);
        epochs.max().unwrap_or_default()
    }

    /// The run that a node's claim goes to: the one that holds it, if this store knows it and it is not over.
    pub(super) fn goes_to(&self, seen: &Seen) -> Option<&RunId> {
        let own = &self.run.as_ref()?.id;
        (seen.claim()?.run == *own).then_some(own)
    }

    /// Why there is something to take over. A run of this store that nobody drives is none: it can be gone on with.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(holder) = &self.holder {
            reasons.push(format!("{holder} drives it from this store: that process holds the lock"));
        }
        for seen in &self.nodes {
            if let Some(claim) = seen.claim().filter(|_| self.goes_to(seen).is_none()) {
                reasons.push(format!(
                    "{} is held by {} for run {}, which is not an open run of this store",
                    seen.name(),
                    claim.holder,
                    claim.run
                ));
            }
        }
        let known = self.latest.as_ref().map(|latest| latest.epoch).unwrap_or_default();
        let above = |seen: &&Seen| seen.facts().is_some_and(|facts| facts.highest_epoch > known);
        for seen in self.nodes.iter().filter(above) {
            let epoch = seen.facts().map(|facts| facts.highest_epoch).unwrap_or_default();
            reasons.push(format!(
                "{} obeys epoch {epoch}; this store is at {known}, so it was not this store that drove it last",
                seen.name()
            ));
        }
        reasons
    }

    /// What stands in the way, the most important first.
    pub(super) fn obstacles(&self, despite_install: bool) -> Vec<Failure> {
        let installing = |seen: &&Seen| seen.step().is_some_and(|step| step.kind == StepKind::Install);
        let installs = self.nodes.iter().filter(installing).filter(|_| !despite_install);
        let lost = self.nodes.iter().filter(|seen| seen.answer.is_err());
        lost.map(|seen| self.out_of_reach(seen))
            .chain(installs.map(|seen| self.install_at_work(seen)))
            .collect()
    }

    fn out_of_reach(&self, seen: &Seen) -> Failure {
        let cause = seen.answer.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let message = format!(
            "{} cannot be reached: who holds its node, and whether an install is at work on it, is not known; nothing \
             was changed",
            seen.name()
        );
        let mut remedy = format!(
            "bring its agent back, then: ratchet takeover {0} --yes; if the node is gone for good, take its agent out \
             of [[cluster]] in ratchet.toml first",
            self.cluster
        );
        if let (Some(holder), Some(run)) = (&self.holder, &self.run) {
            remedy = format!(
                "{remedy}; or, without it, end {holder} on this machine: its lock is freed, and `ratchet resume {}` \
                 goes on",
                run.id
            );
        }
        Failure::operator("agent-unreachable", message, remedy).because(cause)
    }

    fn install_at_work(&self, seen: &Seen) -> Failure {
        let since = seen
            .step()
            .map(|step| format!(" since {}", step.since.strftime("%Y-%m-%dT%H:%M:%SZ")))
            .unwrap_or_default();
        let message = format!("an install is at work on {}{since}; nothing was changed", seen.name());
        let remedy = format!(
            "wait for its end (`ratchet takeover {0}` shows it), then give --yes again; whoever is sure: ratchet takeover \
             {0} --yes --despite-install",
            self.cluster
        );
        Failure::operator("install-in-flight", message, remedy)
            .because("while it is at work no other node may be touched, and nobody may start it again")
    }
}
