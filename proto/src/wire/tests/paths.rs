//! Errors name the field by its full path, with the reason.

use crate::wire::Execute;
use crate::{Authority, NodeFacts, NodeUid, StepSpec, Version, pb, sample};

fn facts() -> pb::NodeFacts {
    pb::NodeFacts::from(&sample::healthy_facts(NodeUid(1), 3, jiff::Timestamp::UNIX_EPOCH))
}

/// The error of facts that were changed before they arrived.
fn refused(change: impl FnOnce(&mut pb::NodeFacts)) -> String {
    let mut wire = facts();
    change(&mut wire);
    NodeFacts::try_from(wire).unwrap_err().to_string()
}

fn view(facts: &mut pb::NodeFacts) -> &mut pb::ClusterView {
    match facts.view.as_mut().unwrap().answer.as_mut().unwrap() {
        pb::cluster_view_probe::Answer::Known(view) => view,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_in_a_list_in_a_probe() {
    let error = refused(|facts| view(facts).nodes[2].version = Some("7.4".to_owned()));
    assert!(error.contains("`facts.view.nodes[2].version`"), "{error}");
    assert!(error.contains("`7.4` is not a version"), "{error}");
}

#[test]
fn a_missing_status_and_an_unknown_role() {
    let error = refused(|facts| view(facts).shards[1].watchdog = None);
    assert!(error.contains("`facts.view.shards[1].watchdog`: it is missing"), "{error}");
    let error = refused(|facts| view(facts).nodes[0].role = Some(7));
    assert!(error.contains("`facts.view.nodes[0].role`: 7 is not one of its values"), "{error}");
}

#[test]
fn a_setting_that_is_listed_twice_and_a_memory_that_is_none() {
    let error = refused(|facts| facts.settings[1].setting = facts.settings[0].setting);
    assert!(
        error.contains("`facts.settings[1].setting`: `slave_ha_grace_period` is listed twice"),
        "{error}"
    );
    let error = refused(|facts| facts.memory = String::new());
    assert!(error.contains("`facts.memory`: it is missing"), "{error}");
}

#[test]
fn a_port_and_a_digest_and_a_moment() {
    let ports = pb::ports_probe::Answer::Known(pb::Ports { ports: vec![8443, 70_000] });
    let error = refused(|facts| {
        facts.system.as_mut().unwrap().listening_ports = Some(pb::PortsProbe { answer: Some(ports) });
    });
    assert!(error.contains("`facts.system.listening_ports.ports[1]`: 70000 is not a port"), "{error}");
    let held = pb::HeldPackage { sha256: vec![1; 31], size: 1, version: "7.4.6-22".to_owned() };
    let error = refused(|facts| facts.packages.push(held));
    assert!(error.contains("`facts.packages[0].sha256`") && error.contains("31"), "{error}");
    for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000), (0, i32::MIN)] {
        let error = refused(|facts| facts.observed_at = Some(prost_types::Timestamp { seconds, nanos }));
        assert!(error.contains("`facts.observed_at`"), "{error}");
    }
}

#[test]
fn lengths_of_time_out_of_reach() {
    let execute = Execute {
        authority: Authority { run: "r".parse().unwrap(), epoch: crate::Epoch(1) },
        step: "s".parse().unwrap(),
        spec: StepSpec::Confirm { target: Version::new(7, 4, 6, 22), deadline: std::time::Duration::MAX },
        from_seq: 1,
        only_join: false,
    };
    let cut = Execute::try_from(pb::ExecuteRequest::from(&execute)).unwrap();
    assert!(matches!(cut.spec, StepSpec::Confirm { deadline, .. } if deadline.as_secs() == 315_576_000_000));
    for (seconds, nanos) in [(-1, 0), (i64::MAX, 0), (1, -1), (1, 1_000_000_000)] {
        let mut wire = pb::ExecuteRequest::from(&execute);
        let Some(pb::step_spec::Kind::Confirm(confirm)) = &mut wire.spec.as_mut().unwrap().kind else {
            panic!("not a confirm");
        };
        confirm.deadline = Some(prost_types::Duration { seconds, nanos });
        assert_eq!(Execute::try_from(wire).unwrap_err().path, "execute.spec.confirm.deadline");
    }
    let from_the_start = pb::ExecuteRequest { from_seq: 0, ..(&execute).into() };
    assert_eq!(Execute::try_from(from_the_start).unwrap_err().path, "execute.from_seq");
}

#[test]
fn names_that_could_leave_a_directory() {
    for step in ["", "../../etc/passwd", "a/b"] {
        let wire = pb::CancelRequest {
            authority: Some(pb::Authority { run: "r".to_owned(), epoch: 1 }),
            step: step.to_owned(),
        };
        assert_eq!(crate::wire::CancelStep::try_from(wire).unwrap_err().path, "cancel.step");
    }
}
