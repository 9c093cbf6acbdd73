//! The door to the product's own REST API on this node: a viewer's questions, and nothing that changes anything.

mod client;
mod error;
mod password;
mod redirect;
mod trust;

#[cfg(test)]
pub(crate) mod tests;

pub use client::Session;
pub use error::RestError;
