//! Who may act on this node: one run at a time, and never a driver that was superseded (promise P8). What is answered
//! is on the disk first.

use std::path::PathBuf;

use proto::{Authority, Claim, Epoch};
use serde::{Deserialize, Serialize};

use crate::durable::{self, StateError};
use crate::refusal::Refusal;

/// The durable record. The epoch outlives the claim, so that a driver that was superseded never gets in again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRecord {
    /// The claim, if a run holds the node.
    pub claim: Option<Claim>,
    /// The highest epoch ever obeyed.
    pub highest_epoch: Epoch,
}

/// The claim of one node, in its file.
#[derive(Debug)]
pub struct Claims {
    path: PathBuf,
    record: ClaimRecord,
}

impl Claims {
    /// Reads the record.
    ///
    /// # Errors
    /// [`StateError`]: a damaged record is never taken for "nobody's".
    pub fn open(path: PathBuf) -> Result<Self, StateError> {
        let record = durable::read_json(&path)?.unwrap_or_default();
        Ok(Self { path, record })
    }

    /// The record as it is on the disk.
    pub fn record(&self) -> &ClaimRecord {
        &self.record
    }

    /// Takes the node for a run at an epoch, or confirms that it is taken. `since` stays what it was when the same run
    /// comes again.
    ///
    /// # Errors
    /// [`Refusal::StaleEpoch`], [`Refusal::ClaimedByOther`], [`Refusal::State`].
    pub fn claim(&mut self, asked: Claim) -> Result<Claim, Refusal> {
        self.refuse_stale(asked.epoch)?;
        let mut granted = asked;
        if let Some(held) = &self.record.claim {
            let other_driver = held.epoch == granted.epoch && held.holder != granted.holder;
            if held.run != granted.run || other_driver {
                return Err(Refusal::ClaimedByOther(Box::new(held.clone())));
            }
            granted.since = held.since;
        }
        self.store(ClaimRecord { highest_epoch: granted.epoch, claim: Some(granted.clone()) })?;
        Ok(granted)
    }

    /// Whether a request is to be obeyed: its run holds the node, at exactly that epoch.
    ///
    /// # Errors
    /// [`Refusal::StaleEpoch`], [`Refusal::ClaimedByOther`], [`Refusal::NotClaimed`].
    pub fn check(&self, authority: &Authority) -> Result<(), Refusal> {
        self.refuse_stale(authority.epoch)?;
        match &self.record.claim {
            Some(held) if held.run != authority.run => Err(Refusal::ClaimedByOther(Box::new(held.clone()))),
            Some(held) if held.epoch == authority.epoch => Ok(()),
            _ => Err(Refusal::NotClaimed { run: authority.run.clone(), epoch: authority.epoch }),
        }
    }

    /// Gives the node back. Nobody's node is given back without an error, so that a lost answer can be asked for again.
    ///
    /// # Errors
    /// As [`Self::check`], and [`Refusal::State`].
    pub fn release(&mut self, authority: &Authority) -> Result<(), Refusal> {
        self.refuse_stale(authority.epoch)?;
        match &self.record.claim {
            None => Ok(()),
            // A later driver of the same run may end it without having claimed its nodes anew.
            Some(claim) if claim.run == authority.run => {
                let highest_epoch = self.record.highest_epoch.max(authority.epoch);
                self.store(ClaimRecord { claim: None, highest_epoch })
            }
            Some(_) => self.check(authority),
        }
    }

    fn refuse_stale(&self, asked: Epoch) -> Result<(), Refusal> {
        let highest = self.record.highest_epoch;
        if asked < highest { Err(Refusal::StaleEpoch { asked, highest }) } else { Ok(()) }
    }

    fn store(&mut self, record: ClaimRecord) -> Result<(), Refusal> {
        if record != self.record {
            durable::write_json(&self.path, &record)?;
            self.record = record;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(run: &str, epoch: u64) -> Claim {
        Claim {
            run: run.parse().unwrap(),
            cluster: "orders".parse().unwrap(),
            epoch: Epoch(epoch),
            holder: format!("driver {epoch}"),
            since: jiff::Timestamp::from_second(epoch.try_into().unwrap()).unwrap(),
        }
    }

    fn authority(run: &str, epoch: u64) -> Authority {
        Authority { run: run.parse().unwrap(), epoch: Epoch(epoch) }
    }

    fn claims(dir: &tempfile::TempDir) -> Claims {
        Claims::open(dir.path().join("claim.json")).unwrap()
    }

    #[test]
    fn a_foreign_run_is_refused_with_holder_and_since_even_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        claims(&dir).claim(claim("r1", 5)).unwrap();
        let refusal = claims(&dir).claim(claim("r2", 9)).unwrap_err();
        assert!(matches!(&refusal, Refusal::ClaimedByOther(_)));
        let text = refusal.to_string();
        assert!(
            text.contains("r1") && text.contains("driver 5") && text.contains("1970-01-01T00:00:05Z"),
            "{text}"
        );
        assert!(matches!(claims(&dir).check(&authority("r2", 9)), Err(Refusal::ClaimedByOther(_))));
        assert!(matches!(claims(&dir).release(&authority("r2", 9)), Err(Refusal::ClaimedByOther(_))));
        assert_eq!(claims(&dir).record().claim.as_ref().unwrap().run.as_str(), "r1");
    }

    #[test]
    fn a_superseded_driver_is_refused_everywhere_also_after_release() {
        let dir = tempfile::tempdir().unwrap();
        let mut held = claims(&dir);
        held.claim(claim("r1", 5)).unwrap();
        let again = held.claim(claim("r1", 6)).unwrap();
        assert_eq!(again.since.as_second(), 5, "the same run's claim keeps its start");
        for _ in 0..2 {
            let mut held = claims(&dir);
            assert!(matches!(held.claim(claim("r1", 5)), Err(Refusal::StaleEpoch { .. })));
            assert!(matches!(held.check(&authority("r1", 5)), Err(Refusal::StaleEpoch { .. })));
            assert!(matches!(held.release(&authority("r1", 5)), Err(Refusal::StaleEpoch { .. })));
            held.release(&authority("r1", 6)).unwrap();
        }
        assert_eq!(claims(&dir).record().claim, None);
        let mut held = claims(&dir);
        held.claim(claim("r1", 7)).unwrap();
        held.release(&authority("r1", 8)).unwrap();
        assert!(matches!(held.claim(claim("r1", 7)), Err(Refusal::StaleEpoch { .. })), "8 has been seen");
    }

    #[test]
    fn an_epoch_has_one_driver_and_must_be_claimed_before_it_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let mut held = claims(&dir);
        assert!(matches!(held.check(&authority("r1", 5)), Err(Refusal::NotClaimed { .. })));
        held.claim(claim("r1", 5)).unwrap();
        let twin = Claim { holder: "somebody else".to_owned(), ..claim("r1", 5) };
        assert!(matches!(held.claim(twin), Err(Refusal::ClaimedByOther(_))));
        assert!(matches!(held.check(&authority("r1", 6)), Err(Refusal::NotClaimed { .. })));
        held.check(&authority("r1", 5)).unwrap();
    }

    #[test]
    fn a_damaged_record_is_not_taken_for_an_unclaimed_node() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("claim.json"), "{").unwrap();
        assert!(Claims::open(dir.path().join("claim.json")).is_err());
    }

    #[test]
    fn what_could_not_be_written_is_not_granted() {
        let dir = tempfile::tempdir().unwrap();
        let mut held = Claims::open(dir.path().join("gone/claim.json")).unwrap();
        assert!(matches!(held.claim(claim("r1", 5)), Err(Refusal::State(_))));
        assert_eq!(held.record(), &ClaimRecord::default());
    }
}
