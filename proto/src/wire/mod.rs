//! Conversions between the vocabulary and the messages of [`pb`](crate::pb).
//!
//! Domain → wire is `pb::X::from(&x)` and cannot fail. Wire → domain is `X::try_from(message)`: a missing message, an
//! enum number nobody knows and a oneof of which nothing is set are errors that name the field by its full path; nothing
//! has a default. To add a message: describe it in the `.proto` file, then list its fields in a `record!`; an enum
//! without data is a `word!`.

mod claim;
mod cluster;
mod detail;
mod event;
mod facts;
mod failure;
mod field;
mod hook;
mod probe;
mod request;
mod scalar;
mod step;
mod time;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod tests;

pub use claim::{CatalogueKept, Claimed, HaltsNow, SetHalt, TakeClaim, TakeOver, TakenOver};
pub use failure::{UNREACHABLE, failure_of, status_of};
pub use field::WireError;
pub use hook::RunHooks;
pub use request::{CancelStep, Execute, Histories, Observe};
