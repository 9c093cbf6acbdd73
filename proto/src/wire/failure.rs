//! Failures, and how one becomes the status of a call that could not be answered.

use std::error::Error;

use prost::Message;
use tonic::{Code, Status};

use super::field::{record, word};
use crate::{Failure, FailureKind, ProgramFailure, pb};

/// The id of the failure of a call that was never answered. Unreachable is not broken (promise P5).
pub const UNREACHABLE: &str = "unreachable";

/// The most that a failure may weigh in a status, in bytes: it travels in HTTP/2 trailers, which peers limit to
/// 16 KiB unless told otherwise, and base64 and percent-encoding make it larger.
const MOST_BYTES: usize = 6 * 1024;

/// The most of one text that is kept when a failure is too large, in bytes.
const MOST_OF_ONE_TEXT: usize = 400;

/// The most arguments of a program that are kept when a failure is too large.
const MOST_ARGUMENTS: usize = 8;

record!(Failure => Failure as "failure" { kind, id, message, cause, remedy, program });
record!(ProgramFailure => ProgramFailure { argv, status, tail });
word!(FailureKind { Retry, Operator, Bug });

/// The status that carries a failure. One that is too large for trailers loses the first lines of the program's output,
/// then the ends of its texts.
pub fn status_of(failure: &Failure, code: Code) -> Status {
    let failure = fitted(failure.clone());
    let details = pb::Failure::from(&failure).encode_to_vec();
    Status::with_details(code, shortened(failure.message), details.into())
}

/// The failure that a status carries. A status that carries none was not made by our side of the contract: its code
/// decides who can act.
pub fn failure_of(status: Status) -> Failure {
    let carried = pb::Failure::decode(status.details()).ok().and_then(|wire| Failure::try_from(wire).ok());
    carried.unwrap_or_else(|| foreign(&status))
}

fn foreign(status: &Status) -> Failure {
    let failure = match status.code() {
        // Made on this side by a connection that broke, or by the peer's when it went away.
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted => unreachable(),
        _ if status.source().is_some() => unreachable(),
        Code::Unauthenticated | Code::PermissionDenied => Failure::operator(
            "refused",
            "the other side refused the call",
            "compare the certificates of both sides: `[tls]` in their configurations",
        ),
        Code::Unimplemented => Failure::operator(
            "other-version",
            "the other side does not know this call",
            "install the same version of Ratchet on both sides",
        ),
        Code::ResourceExhausted => Failure::retry("overloaded", "the other side has no room for the call"),
        _ => Failure::bug("the call ended in a way that the contract does not know"),
    };
    failure.because(chain(status))
}

fn unreachable() -> Failure {
    let failure = Failure::retry(UNREACHABLE, "the call was not answered");
    let remedy = "see that the other side runs, that its address and port are right and open, and that both sides' \
                  certificates come from the same authority";
    Failure { remedy: Some(remedy.to_owned()), ..failure }
}

/// The status and everything below it that says more, in one line.
fn chain(status: &Status) -> String {
    let mut text = format!("{}: {}", status.code().description(), status.message());
    let mut below = status.source();
    while let Some(error) = below {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        below = error.source();
    }
    text
}

fn fitted(mut failure: Failure) -> Failure {
    if weight(&failure) <= MOST_BYTES {
        return failure;
    }
    failure.id = shortened(failure.id);
    failure.message = shortened(failure.message);
    failure.cause = failure.cause.map(shortened);
    failure.remedy = failure.remedy.map(shortened);
    if let Some(program) = &mut failure.program {
        program.status = shortened(std::mem::take(&mut program.status));
        program.argv =
            std::mem::take(&mut program.argv).into_iter().take(MOST_ARGUMENTS).map(shortened).collect();
        let tail = std::mem::take(&mut program.tail);
        program.tail = tail.into_iter().map(shortened).collect();
    }
    without_first_lines(failure)
}

/// Drops lines of the program's output from the front until the rest fits.
fn without_first_lines(mut failure: Failure) -> Failure {
    let Some(program) = failure.program.take() else { return failure };
    let tail = program.tail.clone();
    let with_tail = |from: usize| {
        let program = ProgramFailure { tail: tail[from..].to_vec(), ..program.clone() };
        Failure { program: Some(program), ..failure.clone() }
    };
    let lightest = with_tail(tail.len());
    let room = MOST_BYTES.saturating_sub(weight(&lightest));
    let mut used = 0;
    // Each line costs its bytes, a tag and a length of at most three bytes.
    let kept = tail.iter().rev().take_while(|line| {
        used += line.len() + 4;
        used <= room
    });
    with_tail(tail.len() - kept.count())
}

fn weight(failure: &Failure) -> usize {
    pb::Failure::from(failure).encoded_len()
}

fn shortened(text: String) -> String {
    if text.len() <= MOST_OF_ONE_TEXT {
        return text;
    }
    format!("{}…", &text[..text.floor_char_boundary(MOST_OF_ONE_TEXT)])
}
