//! What `report --verify` answers: whether a journal is what was written.

use std::fmt;

use proto::{RunId, Sha256};
use serde::{Deserialize, Serialize};

use super::Document;
use crate::run::{Record, replay};
use crate::store::chain::{Head, Misfit, Owner, Proof, verify};
use crate::store::{StoredEvent, format};

/// How far a journal is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerificationOutcome {
    /// From its first event to its last.
    Whole,
    /// All but the first events, which were written before journals were chained.
    Partly,
    /// No event of it: all were written before journals were chained.
    Unproved,
    /// Something does not fit.
    Broken,
}

/// A journal that was verified.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerificationDocument {
    /// `ratchet.verification/1`.
    pub schema: String,
    /// The run, or the rollout.
    pub subject: String,
    /// How far it is proved.
    pub outcome: VerificationOutcome,
    /// How many events there are; up to the one that does not fit, if there is one.
    pub events: u64,
    /// How many of them, from the first on, are in no chain.
    pub unchained: u64,
    /// The end of the chain.
    pub head: Option<HeadRow>,
    /// The first event that does not fit.
    pub misfit: Option<MisfitRow>,
    /// Whether the chain leads through the digest that was given to compare with; `None` if none was.
    pub leads_through: Option<bool>,
    /// What is odd and proves nothing.
    pub remarks: Vec<String>,
    /// What the nodes' agents keep of the run; `None` if they were not asked.
    pub agents: Option<Vec<AgreementRow>>,
    /// What came out, in a sentence.
    pub summary: String,
    /// The exit code that fits.
    pub exit_code: u8,
}

/// The end of a journal's chain: keep it where nobody who can change the journal can change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadRow {
    /// The number of the last event.
    pub seq: u64,
    /// Its digest, which covers all before it.
    pub digest: String,
}

/// An event that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MisfitRow {
    /// Its number.
    pub seq: u64,
    /// What is wrong with it.
    pub why: String,
}

/// Whether what an agent keeps of a run fits its journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementRow {
    /// Its node.
    pub node: u32,
    /// Its address.
    pub address: String,
    /// Whether it does; `None` if it did not answer.
    pub agrees: Option<bool>,
    /// What it keeps, or what does not fit, or why it did not answer.
    pub detail: String,
}

impl From<Head> for HeadRow {
    fn from(head: Head) -> Self {
        Self { seq: head.seq, digest: head.digest.to_string() }
    }
}

impl fmt::Display for HeadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}, {}", self.seq, self.digest)
    }
}

impl Document for VerificationDocument {
    const SCHEMA: &'static str = "ratchet.verification/1";
}

/// The end of a journal's chain as it is stored, without following it.
pub fn head_of(events: &[StoredEvent]) -> Option<HeadRow> {
    let last = events.last().filter(|last| !last.chain.is_empty())?;
    Some(HeadRow { seq: last.seq, digest: last.chain.clone() })
}

impl VerificationDocument {
    /// A run's journal: its chain, and whether each event can follow those before it.
    pub fn of_run(run: &RunId, events: &[StoredEvent]) -> Self {
        let owner = Owner::run(run);
        let (proof, mut remarks) = (verify(owner, events), Vec::new());
        let proof = proof.and_then(|proof| possible(run, events, &mut remarks).map(|()| proof));
        let document = Self::of(owner, proof);
        Self { remarks: [document.remarks.clone(), remarks].concat(), ..document }
    }

    /// A journal, by its chain alone.
    pub fn of_chain(owner: Owner<'_>, events: &[StoredEvent]) -> Self {
        Self::of(owner, verify(owner, events))
    }

    fn of(owner: Owner<'_>, proof: Result<Proof, Misfit>) -> Self {
        let (proof, misfit) = match proof {
            Ok(proof) => (proof, None),
            Err(misfit) => {
                let events = misfit.seq.saturating_sub(1);
                (Proof { events, unchained: 0, head: None, remarks: Vec::new() }, Some(misfit))
            }
        };
        let outcome = match (&misfit, proof.head, proof.unchained) {
            (Some(_), ..) => VerificationOutcome::Broken,
            (None, None, _) => VerificationOutcome::Unproved,
            (None, Some(_), 0) => VerificationOutcome::Whole,
            (None, Some(_), _) => VerificationOutcome::Partly,
        };
        let document = Self {
            schema: Self::SCHEMA.to_owned(),
            subject: owner.name().to_owned(),
            outcome,
            events: proof.events,
            unchained: proof.unchained,
            head: proof.head.map(HeadRow::from),
            misfit: misfit.map(|Misfit { seq, why }| MisfitRow { seq, why }),
            leads_through: None,
            remarks: proof.remarks,
            agents: None,
            summary: String::new(),
            exit_code: 0,
        };
        document.told()
    }

    /// Compares with a digest that was kept elsewhere: the head as it was then.
    pub fn led_through(mut self, kept: &Sha256, events: &[StoredEvent]) -> Self {
        if self.misfit.is_some() {
            return self;
        }
        let kept = kept.to_string();
        match events.iter().position(|event| event.chain == kept) {
            Some(at) => {
                let since = events.len() - at - 1;
                self.remarks.push(format!(
                    "the digest that was kept is that of event {}; events since: {since}",
                    at + 1
                ));
                self.leads_through = Some(true);
            }
            None => {
                self.leads_through = Some(false);
                self.outcome = VerificationOutcome::Broken;
            }
        }
        self.told()
    }

    /// Compares with what the agents keep.
    pub fn with_agents(mut self, agents: Vec<AgreementRow>) -> Self {
        if agents.iter().any(|agent| agent.agrees == Some(false)) {
            self.outcome = VerificationOutcome::Broken;
        }
        self.agents = Some(agents);
        self.told()
    }

    /// Names what does not fit, if it is not the journal itself.
    pub fn with_misfit(mut self, misfit: MisfitRow) -> Self {
        if self.misfit.is_none() {
            self.misfit = Some(misfit);
            self.outcome = VerificationOutcome::Broken;
        }
        self.told()
    }

    fn told(mut self) -> Self {
        const FAILED: u8 = 4;
        self.exit_code = match self.outcome {
            VerificationOutcome::Whole | VerificationOutcome::Partly => 0,
            VerificationOutcome::Unproved | VerificationOutcome::Broken => FAILED,
        };
        self.summary = self.sentence();
        self
    }

    fn sentence(&self) -> String {
        let Self { subject, events, unchained, .. } = self;
        if let Some(MisfitRow { seq, why }) = &self.misfit {
            return format!("the journal of {subject} does not fit together at event {seq}: {why}");
        }
        if self.leads_through == Some(false) {
            return format!(
                "the journal of {subject} fits together, and does not lead to the digest that was kept: events were \
                 changed or taken away since"
            );
        }
        if let Some(agent) = self.agents.iter().flatten().find(|agent| agent.agrees == Some(false)) {
            return format!(
                "the agent of node {} contradicts the journal of {subject}: {}",
                agent.node, agent.detail
            );
        }
        let before = format!("events 1–{unchained} were written before journals were chained");
        match &self.head {
            None => format!("{before}: nothing proves the journal of {subject}"),
            Some(head) if *unchained == 0 => {
                format!("all {events} events of {subject} are what was written; head: {head}")
            }
            Some(head) => format!("{before}; all after them of {subject} are what was written; head: {head}"),
        }
    }
}

/// Whether each event can follow those before it: a chain can be made anew over a story that cannot be.
fn possible(run: &RunId, events: &[StoredEvent], remarks: &mut Vec<String>) -> Result<(), Misfit> {
    let mut records = Vec::new();
    for StoredEvent { seq, epoch, at, format, body, .. } in events {
        let misfit = |why: String| Misfit { seq: *seq, why };
        let event = match format::read(*format, body) {
            Ok(event) => event,
            Err(newer) if newer.is_newer() => {
                remarks.push(format!(
                    "what event {seq} and those after it say is not known to this version: {newer}"
                ));
                break;
            }
            Err(error) => return Err(misfit(error.to_string())),
        };
        let at = at.parse().map_err(|error: jiff::Error| misfit(error.to_string()))?;
        records.push(Record { seq: *seq, epoch: *epoch, at, event });
    }
    match records.is_empty() {
        true => Ok(()),
        false => replay(run, &records).map(|_| ()).map_err(|illegal| Misfit {
            seq: illegal.seq,
            why: format!("`{}` cannot happen then: {}", illegal.event, illegal.reason),
        }),
    }
}
