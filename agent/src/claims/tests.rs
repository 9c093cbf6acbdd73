//! The rules of claims in words, then over any history of calls and restarts.

use proptest::prelude::*;

use super::*;

fn claim(run: &str, epoch: u64) -> Claim {
    Claim {
        run: run.parse().unwrap(),
        cluster: "orders".parse().unwrap(),
        epoch: Epoch(epoch),
        holder: format!("driver {epoch}"),
        since: at(epoch),
    }
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(second.try_into().unwrap()).unwrap()
}

fn authority(run: &str, epoch: u64) -> Authority {
    Authority { run: run.parse().unwrap(), epoch: Epoch(epoch) }
}

fn take_over(expected: Option<&str>, run: Option<&str>, epoch: u64) -> TakeOver {
    TakeOver {
        cluster: "orders".parse().unwrap(),
        node: None,
        expected: expected.map(|run| run.parse().unwrap()),
        epoch: Epoch(epoch),
        holder: format!("driver {epoch}"),
        run: run.map(|run| run.parse().unwrap()),
        despite_install: false,
    }
}

fn held(run: &str, epoch: u64) -> ClaimRecord {
    ClaimRecord::default().claim(claim(run, epoch)).unwrap()
}

#[test]
fn a_foreign_run_is_refused_with_holder_and_since() {
    let held = held("r1", 5);
    let refusal = held.claim(claim("r2", 9)).unwrap_err();
    assert!(matches!(&refusal, Refusal::ClaimedByOther(_)));
    let text = refusal.to_string();
    assert!(
        text.contains("r1") && text.contains("driver 5") && text.contains("1970-01-01T00:00:05Z"),
        "{text}"
    );
    assert!(matches!(held.check(&authority("r2", 9)), Err(Refusal::ClaimedByOther(_))));
    assert!(matches!(held.release(&authority("r2", 9)), Err(Refusal::ClaimedByOther(_))));
}

#[test]
fn a_superseded_driver_is_refused_everywhere_also_after_release() {
    let again = held("r1", 5).claim(claim("r1", 6)).unwrap();
    assert_eq!(again.claim.as_ref().unwrap().since, at(5), "the same run's claim keeps its start");
    let free = again.release(&authority("r1", 6)).unwrap();
    assert_eq!((&free.claim, free.highest_epoch), (&None, Epoch(6)));
    assert_eq!(free.release(&authority("r1", 6)).unwrap(), free, "a lost answer is asked for again");
    for record in [again, free] {
        assert!(matches!(record.claim(claim("r1", 5)), Err(Refusal::StaleEpoch { .. })));
        assert!(matches!(record.check(&authority("r1", 5)), Err(Refusal::StaleEpoch { .. })));
        assert!(matches!(record.release(&authority("r1", 5)), Err(Refusal::StaleEpoch { .. })));
    }
    let seen = held("r1", 7).release(&authority("r1", 8)).unwrap();
    assert!(matches!(seen.claim(claim("r1", 7)), Err(Refusal::StaleEpoch { .. })), "8 has been seen");
}

#[test]
fn what_comes_after_the_node_was_given_back_comes_too_late() {
    // The claim of a driver that is gone, after a later one gave back what nobody held.
    let seen = ClaimRecord::default().release(&authority("r1", 2)).unwrap();
    assert!(matches!(seen.claim(claim("r1", 1)), Err(Refusal::StaleEpoch { .. })));
    // The claim that its own driver gave up waiting for, before it ended the run.
    for record in [seen.clone(), held("r1", 2).release(&authority("r1", 2)).unwrap()] {
        let refusal = record.claim(claim("r1", 2)).unwrap_err();
        assert!(matches!(refusal, Refusal::GivenBack { .. }), "{refusal}");
        assert_eq!(refusal.failure().id, "stale-epoch");
        record.claim(claim("r2", 3)).unwrap();
    }
}

#[test]
fn an_epoch_has_one_driver_and_must_be_claimed_before_it_is_used() {
    let free = ClaimRecord::default();
    assert!(matches!(free.check(&authority("r1", 5)), Err(Refusal::NotClaimed { .. })));
    let held = free.claim(claim("r1", 5)).unwrap();
    let twin = Claim { holder: "somebody else".to_owned(), ..claim("r1", 5) };
    assert!(matches!(held.claim(twin), Err(Refusal::ClaimedByOther(_))));
    assert!(matches!(held.check(&authority("r1", 6)), Err(Refusal::NotClaimed { .. })));
    held.check(&authority("r1", 5)).unwrap();
}

#[test]
fn what_is_taken_over_goes_to_another_run_or_to_nobody_and_the_old_driver_is_out() {
    let moved = held("r1", 5).take_over(&take_over(Some("r1"), Some("r2"), 6), at(99)).unwrap();
    assert_eq!(moved.claim, Some(Claim { since: at(99), ..claim("r2", 6) }));
    let freed = held("r1", 5).take_over(&take_over(Some("r1"), None, 6), at(99)).unwrap();
    assert_eq!(freed, ClaimRecord { claim: None, highest_epoch: Epoch(6), released: Some(Epoch(6)) });
    let twin = freed.claim(claim("r9", 6)).unwrap_err();
    assert_eq!(twin.failure().id, "stale-epoch", "another store may have counted to the same epoch");
    for record in [&moved, &freed] {
        assert!(matches!(record.check(&authority("r1", 5)), Err(Refusal::StaleEpoch { .. })));
        assert!(matches!(record.release(&authority("r1", 5)), Err(Refusal::StaleEpoch { .. })));
    }
    moved.check(&authority("r2", 6)).unwrap();
    let kept = held("r1", 5).take_over(&take_over(Some("r1"), Some("r1"), 6), at(99)).unwrap();
    assert_eq!(kept.claim.unwrap().since, at(5), "the same run's claim keeps its start");
    let from_nobody = ClaimRecord::default().take_over(&take_over(None, Some("r2"), 1), at(99)).unwrap();
    assert_eq!(from_nobody.holder().unwrap().as_str(), "r2");
}

#[test]
fn only_from_the_holder_that_was_seen_and_only_upwards() {
    let held = held("r1", 5);
    for epoch in [0, 4, 5] {
        let refusal = held.take_over(&take_over(Some("r1"), None, epoch), at(0)).unwrap_err();
        assert!(matches!(refusal, Refusal::StaleEpoch { .. }), "{epoch}: {refusal}");
    }
    for (record, expected) in [(&held, Some("r2")), (&held, None), (&ClaimRecord::default(), Some("r1"))] {
        let refusal = record.take_over(&take_over(expected, Some("r3"), 9), at(0)).unwrap_err();
        assert!(matches!(refusal, Refusal::HolderChanged { .. }), "{expected:?}: {refusal}");
        assert_eq!(refusal.failure().id, "claimed-by-other");
    }
}

#[test]
fn a_damaged_record_is_not_taken_for_an_unclaimed_node_and_a_later_one_not_for_a_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("claim.json");
    let open = || Claims::open(path.clone(), Disk::real());
    std::fs::write(&path, "{").unwrap();
    assert!(matches!(open().unwrap_err(), StateError::Damaged { .. }));
    std::fs::write(&path, r#"{"format":2,"claims":[]}"#).unwrap();
    assert!(matches!(open().unwrap_err(), StateError::Format { .. }));
}

#[test]
fn a_record_of_before_formats_were_named_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("claim.json");
    let old = r#"{
  "claim": {
    "run": "r1",
    "cluster": "orders",
    "epoch": 5,
    "holder": "driver 5",
    "since": "1970-01-01T00:00:05Z"
  },
  "highest_epoch": 5
}"#;
    std::fs::write(&path, old).unwrap();
    assert_eq!(*Claims::open(path, Disk::real()).unwrap().record(), held("r1", 5));
}

#[test]
fn what_could_not_be_written_is_not_granted() {
    let dir = tempfile::tempdir().unwrap();
    let mut claims = Claims::open(dir.path().join("gone/claim.json"), Disk::real()).unwrap();
    assert!(claims.store(held("r1", 5)).is_err());
    assert_eq!(claims.record(), &ClaimRecord::default());
}

/// Something that is asked of the record, or happens to its agent.
#[derive(Clone, Debug)]
enum Call {
    Claim(Claim),
    Check(Authority),
    Release(Authority),
    TakeOver(TakeOver),
    Restart,
}

fn call() -> impl Strategy<Value = Call> {
    let run = || prop::sample::select(vec!["r1", "r2", "r3"]);
    let maybe = || prop::option::of(run());
    let epoch = || 0..6_u64;
    prop_oneof![
        3 => (run(), epoch(), any::<bool>()).prop_map(|(run, epoch, twin)| {
            let holder = format!("driver {epoch} {twin}");
            Call::Claim(Claim { holder, ..claim(run, epoch) })
        }),
        2 => (run(), epoch()).prop_map(|(run, epoch)| Call::Check(authority(run, epoch))),
        2 => (run(), epoch()).prop_map(|(run, epoch)| Call::Release(authority(run, epoch))),
        2 => (maybe(), maybe(), epoch()).prop_map(|(expected, run, epoch)| {
            Call::TakeOver(take_over(expected, run, epoch))
        }),
        1 => Just(Call::Restart),
    ]
}

/// What a rule answers, and at which epoch it was asked; nothing for a restart.
fn answer(record: &ClaimRecord, call: &Call) -> Option<(Epoch, Result<ClaimRecord, Refusal>)> {
    Some(match call {
        Call::Claim(claim) => (claim.epoch, record.claim(claim.clone())),
        Call::Check(authority) => (authority.epoch, record.check(authority).map(|()| record.clone())),
        Call::Release(authority) => (authority.epoch, record.release(authority)),
        Call::TakeOver(asked) => (asked.epoch, record.take_over(asked, at(99))),
        Call::Restart => return None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Promise P8: whatever is asked in whatever order, with restarts between.
    #[test]
    fn the_epoch_obeyed_never_goes_down_and_one_run_holds(calls in prop::collection::vec(call(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("claim.json");
        let open = || Claims::open(path.clone(), Disk::real()).unwrap();
        let mut claims = open();
        let (mut obeyed, mut given_back) = (Epoch(0), None);
        for call in calls {
            let before = claims.record().clone();
            let Some((asked, answer)) = answer(&before, &call) else {
                claims = open();
                prop_assert_eq!(claims.record(), &before, "a restart changes nothing");
                continue;
            };
            let Ok(after) = answer else { continue };
            prop_assert!(asked >= obeyed, "{:?} was obeyed after epoch {}", call, obeyed);
            obeyed = asked;
            match &call {
                Call::Release(_) => given_back = Some(asked),
                Call::Claim(_) => prop_assert!(Some(asked) > given_back, "{:?} comes too late", call),
                Call::Check(_) | Call::TakeOver(_) | Call::Restart => {}
            }
            claims.store(after.clone()).unwrap();
            prop_assert_eq!(open().record().clone(), after.clone(), "what was granted is on the disk");
            prop_assert!(asked >= before.highest_epoch, "{:?} was obeyed after {:?}", call, before);
            prop_assert!(after.highest_epoch >= before.highest_epoch);
            prop_assert!(after.claim.as_ref().is_none_or(|held| held.epoch <= after.highest_epoch));
            // The node goes from one run to another by way of nobody, or of a person's word at a higher epoch.
            if before.claim.is_some() && after.claim.is_some() && before.holder() != after.holder() {
                prop_assert!(matches!(call, Call::TakeOver(_)) && after.highest_epoch > before.highest_epoch);
            }
            // Of two drivers that are obeyed at one epoch, both are the same.
            if let (Some(old), Some(new)) = (&before.claim, &after.claim) && old.epoch == new.epoch {
                prop_assert_eq!((&old.run, &old.holder), (&new.run, &new.holder));
            }
        }
    }
}
