//! Who may act on this node: one run at a time, and never a driver that was superseded (promise P8). What is answered
//! is on the disk first.

use std::path::PathBuf;

use jiff::Timestamp;
use proto::wire::TakeOver;
use proto::{Authority, Claim, Epoch, RunId};
use serde::{Deserialize, Serialize};

use crate::durable::{self, Disk, StateError};
use crate::refusal::Refusal;

/// The durable record, with the rules of how it may change: pure, a record in and a record out. The epoch outlives the
/// claim, so that a driver that was superseded never gets in again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// The claim, if a run holds the node.
    pub claim: Option<Claim>,
    /// The highest epoch ever obeyed.
    pub highest_epoch: Epoch,
    /// The highest epoch whose driver has given the node back: its claim may still be on the way, and comes too late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Epoch>,
}

impl ClaimRecord {
    /// Takes the node for a run at an epoch, or confirms that it is taken. `since` stays what it was when the same run
    /// comes again.
    ///
    /// # Errors
    /// [`Refusal::StaleEpoch`], [`Refusal::GivenBack`], [`Refusal::ClaimedByOther`].
    pub fn claim(&self, asked: Claim) -> Result<Self, Refusal> {
        self.refuse_stale(asked.epoch)?;
        if self.released.is_some_and(|released| asked.epoch <= released) {
            return Err(Refusal::GivenBack { epoch: asked.epoch });
        }
        let mut granted = asked;
        if let Some(held) = &self.claim {
            let other_driver = held.epoch == granted.epoch && held.holder != granted.holder;
            if held.run != granted.run || other_driver {
                return Err(Refusal::ClaimedByOther(Box::new(held.clone())));
            }
            granted.since = held.since;
        }
        Ok(Self { highest_epoch: granted.epoch, claim: Some(granted), released: self.released })
    }

    /// Whether a request is to be obeyed: its run holds the node, at exactly that epoch.
    ///
    /// # Errors
    /// [`Refusal::StaleEpoch`], [`Refusal::ClaimedByOther`], [`Refusal::NotClaimed`].
    pub fn check(&self, authority: &Authority) -> Result<(), Refusal> {
        self.refuse_stale(authority.epoch)?;
        match &self.claim {
            Some(held) if held.run != authority.run => Err(Refusal::ClaimedByOther(Box::new(held.clone()))),
            Some(held) if held.epoch == authority.epoch => Ok(()),
            _ => Err(Refusal::NotClaimed { run: authority.run.clone(), epoch: authority.epoch }),
        }
    }

    /// Gives the node back. Nobody's node is given back without an error, so that a lost answer can be asked for again;
    /// that its driver has been here counts all the same.
    ///
    /// # Errors
    /// [`Refusal::StaleEpoch`], [`Refusal::ClaimedByOther`].
    pub fn release(&self, authority: &Authority) -> Result<Self, Refusal> {
        self.refuse_stale(authority.epoch)?;
        match &self.claim {
            Some(claim) if claim.run != authority.run => {
                Err(Refusal::ClaimedByOther(Box::new(claim.clone())))
            }
            // A later driver of the same run may end it without having claimed its nodes anew.
            _ => Ok(Self { claim: None, highest_epoch: authority.epoch, released: Some(authority.epoch) }),
        }
    }

    /// Puts the claim into other hands, or frees the node, on a person's word: only from the holder that the person
    /// saw, and only upwards. Whoever drove until then is superseded.
    ///
    /// # Errors
    /// [`Refusal::StaleEpoch`], [`Refusal::HolderChanged`].
    pub fn take_over(&self, asked: &TakeOver, at: Timestamp) -> Result<Self, Refusal> {
        let highest = self.highest_epoch;
        if asked.epoch <= highest {
            return Err(Refusal::StaleEpoch { asked: asked.epoch, highest });
        }
        if self.holder() != asked.expected.as_ref() {
            let holder = self.claim.clone().map(Box::new);
            return Err(Refusal::HolderChanged { expected: asked.expected.clone(), holder });
        }
        let claim = asked.run.clone().map(|run| Claim {
            since: self.claim.as_ref().filter(|held| held.run == run).map_or(at, |held| held.since),
            run,
            cluster: asked.cluster.clone(),
            epoch: asked.epoch,
            holder: asked.holder.clone(),
        });
        // Freed is given back: whoever counts to the same epoch in a store of his own has not been shown this node.
        let released = if claim.is_none() { Some(asked.epoch) } else { self.released };
        Ok(Self { claim, highest_epoch: asked.epoch, released })
    }

    /// The run that holds the node.
    pub fn holder(&self) -> Option<&RunId> {
        self.claim.as_ref().map(|claim| &claim.run)
    }

    fn refuse_stale(&self, asked: Epoch) -> Result<(), Refusal> {
        let highest = self.highest_epoch;
        if asked < highest { Err(Refusal::StaleEpoch { asked, highest }) } else { Ok(()) }
    }
}

/// The record of one node, in its file.
#[derive(Debug)]
pub struct Claims {
    path: PathBuf,
    disk: Disk,
    record: ClaimRecord,
}

impl Claims {
    /// Reads the record.
    ///
    /// # Errors
    /// [`StateError`]: a damaged record is never taken for "nobody's".
    pub fn open(path: PathBuf, disk: Disk) -> Result<Self, StateError> {
        let record = durable::read_json(&path)?.unwrap_or_default();
        Ok(Self { path, disk, record })
    }

    /// The record as it is on the disk.
    pub fn record(&self) -> &ClaimRecord {
        &self.record
    }

    /// Makes what a rule allowed the record. Only what is on the disk counts.
    ///
    /// # Errors
    /// [`StateError`]; then the record is what it was.
    pub fn store(&mut self, record: ClaimRecord) -> Result<(), StateError> {
        if record != self.record {
            self.disk.write_json(&self.path, &record)?;
            self.record = record;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
