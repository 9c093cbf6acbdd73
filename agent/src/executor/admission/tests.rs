//! Every stage of a known step against every kind of order.

use jiff::Timestamp;
use proto::{NodeRole, Sha256, StepKind};

use super::*;

const CUT_OFF: Stage = Stage::CutOff { start_used: false };
const STARTED: Stage = Stage::CutOff { start_used: true };

fn install() -> InstallSpec {
    InstallSpec {
        unpacked_by: "unpack".parse().unwrap(),
        package: Sha256::of(b"x"),
        target: "7.4.6-22".parse().unwrap(),
        expected_installed: "7.4.2-54".parse().unwrap(),
        expected_role: Some(NodeRole::Replica),
        args: vec!["-y".to_owned()],
        deadline: None,
    }
}

/// What is answered to an order when `known` was ordered before.
fn answer(known: Option<(&StepSpec, Stage)>, spec: &StepSpec, only_join: bool) -> Result<Admission, Refusal> {
    let (step, run) = ("s".parse().unwrap(), "r1".parse().unwrap());
    let record = |spec: &StepSpec| StepRecord {
        step: "s".parse().unwrap(),
        run: "r1".parse().unwrap(),
        spec: spec.clone(),
        accepted_at: Timestamp::UNIX_EPOCH,
    };
    let known = known.map(|(spec, stage)| (record(spec), stage));
    let asked = Asked { step: &step, run: &run, spec, only_join };
    admission(asked, known.as_ref().map(|(record, stage)| (record, *stage)), false, Ok(()))
}

#[test]
fn a_new_order_is_begun_and_a_known_one_joined_or_gone_on_with() {
    let spec = StepSpec::Install(install());
    assert_eq!(answer(None, &spec, false).unwrap(), Admission::Order);
    for (stage, expected) in [
        (Stage::Running, Admission::Join),
        (Stage::Ended, Admission::Join),
        (CUT_OFF, Admission::GoOn),
        (STARTED, Admission::GoOn),
    ] {
        assert_eq!(answer(Some((&spec, stage)), &spec, false).unwrap(), expected, "{stage:?}");
    }
}

#[test]
fn who_only_joins_begins_nothing() {
    let spec = StepSpec::Install(install());
    let newer = StepSpec::Install(InstallSpec { expected_role: None, ..install() });
    for stage in [Stage::Running, Stage::Ended] {
        assert_eq!(answer(Some((&spec, stage)), &spec, true).unwrap(), Admission::Join);
    }
    assert_eq!(answer(None, &spec, true).unwrap(), Admission::Close);
    for (asked, stage) in [(&spec, CUT_OFF), (&newer, CUT_OFF), (&spec, STARTED)] {
        assert_eq!(answer(Some((&spec, stage)), asked, true).unwrap(), Admission::Close);
    }
    let check = StepSpec::Check;
    assert!(matches!(answer(None, &check, true), Err(Refusal::NeverOrdered { .. })));
    assert!(matches!(answer(Some((&check, CUT_OFF)), &check, true), Err(Refusal::NotRunning { .. })));
}

#[test]
fn a_stopping_agent_and_a_busy_node_begin_nothing_but_tell_what_is_known() {
    let (step, run, spec) = ("s".parse().unwrap(), "r1".parse().unwrap(), StepSpec::Check);
    let asked = Asked { step: &step, run: &run, spec: &spec, only_join: false };
    let record = StepRecord {
        step: step.clone(),
        run: run.clone(),
        spec: spec.clone(),
        accepted_at: Timestamp::UNIX_EPOCH,
    };
    let busy = || {
        let (step, since) = ("other".parse().unwrap(), Timestamp::UNIX_EPOCH);
        Err(Refusal::Busy { step, kind: StepKind::Install, since })
    };
    for known in [None, Some((&record, CUT_OFF))] {
        assert!(matches!(admission(asked, known, true, Ok(())), Err(Refusal::Stopping)));
        assert!(matches!(admission(asked, known, false, busy()), Err(Refusal::Busy { .. })));
    }
    for stage in [Stage::Running, Stage::Ended] {
        assert_eq!(admission(asked, Some((&record, stage)), true, busy()).unwrap(), Admission::Join);
    }
}

#[test]
fn an_install_that_was_never_started_may_expect_something_else_of_its_node_and_do_nothing_else() {
    let old = StepSpec::Install(install());
    let other_role = InstallSpec { expected_role: Some(NodeRole::Master), ..install() };
    let other_version = InstallSpec { expected_installed: "7.4.2-104".parse().unwrap(), ..install() };
    for new in [other_role.clone(), other_version, InstallSpec { expected_role: None, ..install() }] {
        let new = StepSpec::Install(new);
        assert_eq!(answer(Some((&old, CUT_OFF)), &new, false).unwrap(), Admission::Order);
        for stage in [Stage::Running, Stage::Ended, STARTED] {
            let refused = answer(Some((&old, stage)), &new, false);
            assert!(matches!(refused, Err(Refusal::DifferentSpec { .. })), "{stage:?}");
        }
    }
    let others = [
        InstallSpec { unpacked_by: "other".parse().unwrap(), ..other_role.clone() },
        InstallSpec { package: Sha256::of(b"y"), ..other_role.clone() },
        InstallSpec { target: "7.4.6-23".parse().unwrap(), ..other_role.clone() },
        InstallSpec { args: Vec::new(), ..other_role.clone() },
        InstallSpec { deadline: Some(std::time::Duration::MAX), ..other_role },
    ];
    for new in others.map(StepSpec::Install).iter().chain([&StepSpec::Check]) {
        let refused = answer(Some((&old, CUT_OFF)), new, false);
        assert!(matches!(refused, Err(Refusal::DifferentSpec { .. })), "{new:?}");
    }
}

#[test]
fn an_id_belongs_to_the_run_that_ordered_it() {
    let (step, run, spec) = ("s".parse().unwrap(), "r2".parse().unwrap(), StepSpec::Install(install()));
    let asked = Asked { step: &step, run: &run, spec: &spec, only_join: false };
    let record = StepRecord {
        step: step.clone(),
        run: "r1".parse().unwrap(),
        spec: spec.clone(),
        accepted_at: Timestamp::UNIX_EPOCH,
    };
    for stage in [Stage::Running, Stage::Ended, CUT_OFF, STARTED] {
        let refused = admission(asked, Some((&record, stage)), false, Ok(()));
        assert!(matches!(refused, Err(Refusal::DifferentSpec { .. })), "{stage:?}");
    }
}
