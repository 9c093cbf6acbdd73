//! Values that travel as numbers, texts and bytes.

use std::fmt::Display;
use std::str::FromStr;

use super::WireError;
use super::field::Field;
use crate::{AgentMemory, ClusterName, Epoch, Fact, NodeUid, OsToken, RunId, Sha256, StepId, Version};

/// What travels as it is.
macro_rules! as_it_is {
    ($($type:ty),*) => {$(
        impl Field<$type> for $type {
            fn put(&self) -> $type {
                self.clone()
            }

            fn take(wire: $type) -> Result<Self, WireError> {
                Ok(wire)
            }
        }
    )*};
}
as_it_is!(bool, u32, u64, i32, String);

/// What travels as its text and is parsed strictly on arrival.
macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Field<String> for $type {
            fn put(&self) -> String {
                self.to_string()
            }

            fn take(wire: String) -> Result<Self, WireError> {
                parse(&wire)
            }
        }
    )*};
}
as_text!(AgentMemory, ClusterName, Fact, RunId, StepId, Version);

fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, WireError> {
    if text.is_empty() {
        return Err(WireError::missing());
    }
    text.parse().map_err(|error: T::Err| WireError::new(error.to_string()))
}

impl Field<String> for OsToken {
    fn put(&self) -> String {
        self.0.clone()
    }

    fn take(wire: String) -> Result<Self, WireError> {
        Ok(Self(wire))
    }
}

impl Field<u32> for NodeUid {
    fn put(&self) -> u32 {
        self.0
    }

    fn take(wire: u32) -> Result<Self, WireError> {
        Ok(Self(wire))
    }
}

impl Field<u64> for Epoch {
    fn put(&self) -> u64 {
        self.0
    }

    fn take(wire: u64) -> Result<Self, WireError> {
        Ok(Self(wire))
    }
}

/// A TCP port.
impl Field<u32> for u16 {
    fn put(&self) -> u32 {
        (*self).into()
    }

    fn take(wire: u32) -> Result<Self, WireError> {
        Self::try_from(wire)
            .map_err(|_| WireError::new(format!("{wire} is not a port: the highest is 65535")))
    }
}

impl Field<Vec<u8>> for Sha256 {
    fn put(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn take(wire: Vec<u8>) -> Result<Self, WireError> {
        let length = wire.len();
        let bytes: [u8; 32] = wire
            .try_into()
            .map_err(|_| WireError::new(format!("a SHA-256 digest has 32 bytes, and this has {length}")))?;
        Ok(bytes.into())
    }
}
