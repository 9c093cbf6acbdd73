//! Enrolment: a node that has nothing but a token gets its certificate, and keeps it fresh.
//!
//! It needs no leader: what is kept is in the store, and a token leaves its shelf exactly once.

mod deciding;
mod enrolling;
mod kept;
mod renewing;
mod signing;
mod tokens;
mod trust;

use proto::Caller;

/// Who asks, for people who read of it later.
fn person(caller: &Caller) -> String {
    match caller {
        Caller::Local => crate::identity::person(),
        Caller::Known(_) | Caller::Anonymous => caller.to_string(),
    }
}
