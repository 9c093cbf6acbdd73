//! Exit codes: one enum, part of the command line's contract (design §7).

use std::process::ExitCode;

use proto::{Failure, FailureKind};

use crate::failures::SUPERSEDED;

/// How `ratchet` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// A bug or an unexpected error.
    Unexpected = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Blocked: unsupported path, a failed check, an advisory, a foreign claim. Nothing was changed.
    Blocked = 3,
    /// The run failed or halted; it says where, why and what is possible.
    Failed = 4,
    /// Paused or interrupted; resumable.
    Resumable = 5,
    /// An agent, the coordinator or the store cannot be reached.
    Unreachable = 6,
}

impl Exit {
    /// All of them, by number.
    pub const ALL: [Self; 7] = [
        Self::Done,
        Self::Unexpected,
        Self::Usage,
        Self::Blocked,
        Self::Failed,
        Self::Resumable,
        Self::Unreachable,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The exit a coordinator names in a run; a number nobody knows is never a success.
    pub fn of_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|exit| exit.code() == code).unwrap_or(Self::Unexpected)
    }

    /// The exit that fits a failure.
    pub fn of(failure: &Failure) -> Self {
        match failure.kind {
            FailureKind::Bug => Self::Unexpected,
            FailureKind::Retry | FailureKind::Operator => of_id(&failure.id),
        }
    }
}

/// Ids of failures that stand in the way before anything was changed.
const BLOCKED: &[&str] = &[
    "already-issued",
    "already-there",
    "authority-busy",
    "blocked",
    "certificate-expired",
    "certificate-revoked",
    "claimed-by-other",
    "digest-mismatch",
    "driven-elsewhere",
    "enrolment-refused",
    "foreign-claim",
    "gate-shut",
    "halted",
    "install-in-flight",
    "led-elsewhere",
    "not-allowed",
    "other-fleet",
    "package-conflict",
    "partner-in-flight",
    "signs-nothing",
    "stale-epoch",
    "stale-plan",
    "takeover-needed",
    "token-refused",
    "too-many-requests",
    "unsupported-path",
    "wrong-state",
];

/// Ids of failures that a command or a configuration is to blame for.
const USAGE: [&str; 8] = [
    "usage",
    "configuration",
    "newer-format",
    "not-a-store",
    "package-configured",
    "undialable",
    "unreadable-package",
    "unusable-authority",
];

/// The id of a failure that is somebody's wish to leave.
pub(super) const INTERRUPTED: &str = "interrupted";

/// The id of the failure of having waited for as long as somebody wanted to.
pub(super) const TIMEOUT: &str = "timeout";

/// The id of the failure of a request that only a leader can do, while there is none.
const NO_LEADER: &str = "no-leader";

fn of_id(id: &str) -> Exit {
    let begins = |words: &[&str]| words.iter().any(|word| id.starts_with(word));
    let ends = |words: &[&str]| words.iter().any(|word| id.ends_with(word));
    if BLOCKED.contains(&id) {
        Exit::Blocked
    } else if id == INTERRUPTED || id == SUPERSEDED || id == TIMEOUT {
        Exit::Resumable
    } else if ends(&["unreachable"]) || id == NO_LEADER {
        Exit::Unreachable
    } else if USAGE.contains(&id) || begins(&["no-such-", "unknown-", "invalid-", "ambiguous-"]) {
        Exit::Usage
    } else {
        Exit::Unexpected
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str) -> u8 {
        Exit::of(&Failure::operator(id, "it failed", "do something")).code()
    }

    #[test]
    fn ids_have_the_exits_of_the_contract() {
        for (id, code) in [
            ("blocked", 3),
            ("not-allowed", 3),
            ("other-fleet", 3),
            ("certificate-expired", 3),
            ("certificate-revoked", 3),
            ("too-many-requests", 3),
            ("foreign-claim", 3),
            ("unsupported-path", 3),
            ("stale-plan", 3),
            ("driven-elsewhere", 3),
            ("digest-mismatch", 3),
            ("unreachable", 6),
            ("store-unreachable", 6),
            ("configuration", 2),
            ("usage", 2),
            ("no-such-run", 2),
            ("ambiguous-run", 2),
            ("not-a-store", 2),
            ("interrupted", 5),
            ("superseded", 5),
            ("takeover-needed", 3),
            ("halted", 3),
            ("led-elsewhere", 3),
            ("no-leader", 6),
            ("timeout", 5),
            ("install-in-flight", 3),
            ("agent-unreachable", 6),
            ("newer-format", 2),
            ("disk-full", 1),
            ("", 1),
        ] {
            assert_eq!(of(id), code, "{id}");
        }
    }

    #[test]
    fn a_bug_is_a_bug_whatever_it_calls_itself() {
        assert_eq!(Exit::of(&Failure { id: "blocked".to_owned(), ..Failure::bug("oops") }), Exit::Unexpected);
    }

    #[test]
    fn no_unknown_number_becomes_a_success() {
        for code in 0..=u8::MAX {
            assert_eq!(Exit::of_code(code) == Exit::Done, code == 0);
        }
    }
}
