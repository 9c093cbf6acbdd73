//! Ratchet's agent: everything that touches one node.

pub mod host;
pub mod observe;
pub mod parse;
