//! The messages and services of `ratchet.v1`, generated from `proto/ratchet/v1/*.proto`.

pub use generated::*;

#[allow(
    missing_docs,
    unused_qualifications,
    clippy::large_enum_variant,
    clippy::allow_attributes_without_reason,
    reason = "generated code; its documentation is in the .proto files"
)]
mod generated {
    tonic::include_proto!("ratchet.v1");
}
