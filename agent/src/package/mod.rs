//! Archives: getting them, proving them, unpacking them.

mod contents;
mod fetch;
mod hash;
mod manifest;
mod owned;
mod part;
pub mod signature;
mod source;
mod store;
mod unpack;

pub use fetch::{Fetched, Fetcher, Patience};
pub use hash::sha256_of_file;
pub use manifest::{Entry, Manifest, TreeError};
pub use owned::Owner;
pub use store::Packages;
pub use unpack::{Limits, Progress, Reason, Refused, UnpackError, Unpacking, survey, unpack};
