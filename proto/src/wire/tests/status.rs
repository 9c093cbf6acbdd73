//! Failures in the status of a call.

use proptest::prelude::*;
use tonic::{Code, Status};

use crate::wire::{UNREACHABLE, arbitrary, failure_of, status_of};
use crate::{Failure, FailureKind, ProgramFailure};

proptest! {
    #[test]
    fn a_failure_arrives_as_it_was_sent(failure in arbitrary::failure()) {
        let status = status_of(&failure, Code::FailedPrecondition);
        prop_assert_eq!(status.code(), Code::FailedPrecondition);
        prop_assert_eq!(failure_of(status), failure);
    }

    #[test]
    fn foreign_details_never_panic(details in prop::collection::vec(any::<u8>(), 0..60), code in 0..20) {
        let status = Status::with_details(Code::from(code), "x", details.into());
        let _ = failure_of(status);
    }

    #[test]
    fn however_large_it_fits_into_trailers(
        text in "\\PC{0,9}", times in 0..2000_usize, lines in 0..300_usize, argv in 0..300_usize,
    ) {
        let large = text.repeat(times);
        let program = ProgramFailure {
            argv: vec![large.clone(); argv],
            status: large.clone(),
            tail: (0..lines).map(|line| format!("{line} {text}")).collect(),
        };
        let failure = Failure { program: Some(program), ..Failure::operator("disk-full", large.clone(), large) };
        let status = status_of(&failure, Code::Internal);
        prop_assert!(status.details().len() <= 6 * 1024, "{}", status.details().len());
        prop_assert!(status.message().len() <= 404);
        let arrived = failure_of(status);
        prop_assert_eq!((arrived.kind, arrived.id.as_str()), (FailureKind::Operator, "disk-full"));
    }
}

#[test]
fn the_last_lines_of_output_are_the_ones_that_stay() {
    let tail: Vec<String> = (0..10_000).map(|line| format!("line {line}")).collect();
    let program = ProgramFailure { argv: vec!["x".to_owned()], status: "exit status: 1".to_owned(), tail };
    let failure = Failure { program: Some(program), ..Failure::retry("x", "x") };
    let kept = failure_of(status_of(&failure, Code::Internal)).program.unwrap().tail;
    assert!(kept.len() > 300, "{}", kept.len());
    assert_eq!(kept.last().unwrap(), "line 9999");
    assert_eq!(kept[0], format!("line {}", 10_000 - kept.len()));
}

#[test]
fn a_call_that_was_not_answered_is_unreachable_and_worth_a_retry() {
    for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled] {
        let failure = failure_of(Status::new(code, "tcp connect error"));
        assert_eq!((failure.kind, failure.id.as_str()), (FailureKind::Retry, UNREACHABLE));
        assert!(failure.cause.unwrap().contains("tcp connect error"));
        assert!(failure.remedy.is_some());
    }
}

#[test]
fn other_foreign_statuses_say_who_can_act() {
    let kind = |code| failure_of(Status::new(code, "x")).kind;
    assert_eq!(kind(Code::PermissionDenied), FailureKind::Operator);
    assert_eq!(kind(Code::Unimplemented), FailureKind::Operator);
    assert_eq!(kind(Code::Internal), FailureKind::Bug);
    assert_eq!(kind(Code::Ok), FailureKind::Bug);
}
