//! The agent's real claim rules, asked with small records.

use agent::claims::ClaimRecord;
use agent::executor::{self, Admission, Stage, StepRecord};
use agent::refusal::Refusal;
use proto::wire::TakeOver;
use proto::{
    Authority, Claim, ClusterName, Epoch, InstallSpec, NodeRole, RunId, Sha256, StepId, StepKind, StepSpec,
    Version,
};

use crate::case::{noon, uid};
use crate::table::Answers;
use crate::words::{Order, Trouble};

/// Whose a node is, in small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Held {
    /// 0 nobody, 1 the run, 2 another run.
    pub by: u8,
    /// At which epoch.
    pub epoch: u8,
    /// The highest epoch ever obeyed.
    pub highest: u8,
    /// The epoch at which it was last given back; 0 for never.
    pub released: u8,
}

/// What is asked of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// The claim.
    Claim,
    /// Whether a driver is to be obeyed.
    Check,
    /// The release.
    Release,
    /// To be handed to another run, from whom it belongs to now.
    TakeOver,
}

/// What an agent's disk and memory say of a step, in small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    /// How far it has come.
    pub far: Far,
    /// The role that its order expected, of an install.
    pub flag: bool,
}

/// How far a step has come that was ordered before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Far {
    /// It is at work.
    Running,
    /// It has ended.
    Ended,
    /// It was cut off, and its one start is used up.
    CutOffStarted,
    /// It was cut off before its start.
    CutOff,
}

/// What becomes of an order, in small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admitted {
    /// It is told.
    Join,
    /// It is begun, or goes on.
    Begin,
    /// Its start is used up.
    Close,
}

/// The rules, with what they have answered.
#[derive(Debug, Default)]
pub struct Rules {
    answers: Answers<(Held, Asked, u8), Result<Held, Trouble>>,
    admissions: Answers<(Option<Known>, Order, bool), Result<Admitted, Trouble>>,
}

/// The run's name.
fn this_run() -> RunId {
    "orders-20260601-120000-beef".parse().unwrap_or_else(|_| unreachable!("a valid name"))
}

/// The name of another run, of another coordinator with another store.
pub fn other_run() -> RunId {
    "orders-20260601-130000-cafe".parse().unwrap_or_else(|_| unreachable!("a valid name"))
}

/// A claim, as its holder makes it.
pub fn claim(run: RunId, epoch: u64) -> Claim {
    Claim { run, cluster: cluster(), epoch: Epoch(epoch), holder: format!("driver {epoch}"), since: noon() }
}

fn cluster() -> ClusterName {
    "orders".parse().unwrap_or_else(|_| unreachable!("a valid name"))
}

impl Held {
    /// The real record.
    pub fn record(self) -> ClaimRecord {
        let claim = match self.by {
            0 => None,
            1 => Some(claim(this_run(), self.epoch.into())),
            _ => Some(claim(other_run(), self.epoch.into())),
        };
        let released = (self.released > 0).then_some(Epoch(self.released.into()));
        ClaimRecord { claim, highest_epoch: Epoch(self.highest.into()), released }
    }

    fn of(record: &ClaimRecord) -> Self {
        let small = |epoch: Epoch| u8::try_from(epoch.0).unwrap_or(u8::MAX);
        let (by, epoch) = match &record.claim {
            None => (0, 0),
            Some(claim) => (if claim.run == this_run() { 1 } else { 2 }, small(claim.epoch)),
        };
        Self { by, epoch, highest: small(record.highest_epoch), released: record.released.map_or(0, small) }
    }
}

impl Rules {
    /// What the real rule answers to the run's driver of an epoch; a take-over is for another run.
    ///
    /// # Errors
    /// The refusal.
    pub fn ask(&self, held: Held, asked: Asked, epoch: u8) -> Result<Held, Trouble> {
        self.answers.ask((held, asked, epoch), || answer(held, asked, epoch))
    }

    /// What the real rule of admission says to an order.
    ///
    /// # Errors
    /// The refusal.
    pub fn admit(&self, known: Option<Known>, order: Order, busy: bool) -> Result<Admitted, Trouble> {
        self.admissions.ask((known, order, busy), || admission(known, order, busy))
    }
}

fn admission(known: Option<Known>, order: Order, busy: bool) -> Result<Admitted, Trouble> {
    let step = StepId::of(&this_run(), order.hop.into(), uid(order.node), order.kind, order.number.into());
    let record = known.map(|known| {
        let stage = match known.far {
            Far::Running => Stage::Running,
            Far::Ended => Stage::Ended,
            Far::CutOffStarted => Stage::CutOff { start_used: true },
            Far::CutOff => Stage::CutOff { start_used: false },
        };
        let spec = spec(&step, order.kind, known.flag);
        (StepRecord { step: step.clone(), run: this_run(), spec, accepted_at: noon() }, stage)
    });
    let (run, spec) = (this_run(), spec(&step, order.kind, order.flag));
    let asked = executor::Asked { step: &step, run: &run, spec: &spec, only_join: order.join };
    let known = record.as_ref().map(|(record, stage)| (record, *stage));
    let free = match busy {
        true => Err(Refusal::Busy { step: step.clone(), kind: order.kind, since: noon() }),
        false => Ok(()),
    };
    match executor::admission(asked, known, false, free) {
        Ok(Admission::Join) => Ok(Admitted::Join),
        Ok(Admission::GoOn | Admission::Order) => Ok(Admitted::Begin),
        Ok(Admission::Close) => Ok(Admitted::Close),
        Err(refusal) => Err(trouble(&refusal)),
    }
}

/// A specification that differs where orders of one step's id can differ: in the role an install expects.
fn spec(step: &StepId, kind: StepKind, flag: bool) -> StepSpec {
    match kind {
        StepKind::Install => StepSpec::Install(InstallSpec {
            unpacked_by: step.clone(),
            package: Sha256::of(b""),
            target: Version::new(8, 2, 0, 46),
            expected_installed: Version::new(7, 4, 2, 54),
            expected_role: Some(if flag { NodeRole::Master } else { NodeRole::Replica }),
            args: Vec::new(),
            deadline: None,
        }),
        _ => StepSpec::Check,
    }
}

fn answer(held: Held, asked: Asked, epoch: u8) -> Result<Held, Trouble> {
    let (record, run, number) = (held.record(), this_run(), Epoch(epoch.into()));
    let authority = Authority { run: run.clone(), epoch: number };
    let after = match asked {
        Asked::Claim => record.claim(claim(run, epoch.into())),
        Asked::Check => record.check(&authority).map(|()| record.clone()),
        Asked::Release => record.release(&authority),
        Asked::TakeOver => {
            let asked = TakeOver {
                cluster: cluster(),
                node: None,
                expected: record.holder().cloned(),
                epoch: number,
                holder: "another".to_owned(),
                run: Some(other_run()),
                despite_install: false,
            };
            record.take_over(&asked, noon())
        }
    };
    after.map(|record| Held::of(&record)).map_err(|refusal| trouble(&refusal))
}

/// A refusal, in small.
pub fn trouble(refusal: &Refusal) -> Trouble {
    match refusal {
        Refusal::StaleEpoch { .. } => Trouble::StaleEpoch,
        Refusal::ClaimedByOther(_) | Refusal::HolderChanged { .. } => Trouble::ClaimedByOther,
        Refusal::GivenBack { .. } => Trouble::GivenBack,
        Refusal::NotClaimed { .. } => Trouble::NotClaimed,
        Refusal::InstallInFlight { .. } => Trouble::InstallInFlight,
        Refusal::Busy { .. } => Trouble::Busy,
        Refusal::NeverOrdered { .. } => Trouble::NeverOrdered,
        Refusal::NotRunning { .. } => Trouble::NotRunning,
        _ => Trouble::Lasting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::FailureKind;

    #[test]
    fn a_refusal_in_small_has_the_kind_and_the_id_of_the_real_one() {
        let (step, run) = (StepId::of(&this_run(), 0, uid(0), StepKind::Install, 1), this_run());
        let held = Box::new(claim(other_run(), 1));
        let refusals = [
            Refusal::StaleEpoch { asked: Epoch(1), highest: Epoch(2) },
            Refusal::ClaimedByOther(held),
            Refusal::GivenBack { epoch: Epoch(1) },
            Refusal::NotClaimed { run, epoch: Epoch(1) },
            Refusal::InstallInFlight { step: step.clone() },
            Refusal::Busy { step: step.clone(), kind: StepKind::Install, since: noon() },
            Refusal::NeverOrdered { step: step.clone() },
            Refusal::NotRunning { step },
        ];
        for refusal in refusals {
            let (real, small) = (refusal.failure(), trouble(&refusal).failure());
            assert_eq!(
                (real.id, real.kind == FailureKind::Retry),
                (small.id, small.kind == FailureKind::Retry)
            );
        }
    }

    #[test]
    fn a_record_in_small_is_the_real_one() {
        for by in 0..3 {
            let held = Held { by, epoch: u8::from(by > 0) * 2, highest: 3, released: by };
            assert_eq!(Held::of(&held.record()), held);
        }
    }
}
