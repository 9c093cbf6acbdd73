//! Attempts to break the conversions.

mod damage;
mod paths;
mod round_trip;
mod status;

use std::fmt::Debug;

use prost::Message;

use super::WireError;

/// What goes over the network and what the other side makes of it.
fn sent<T, P>(value: &T) -> Result<T, WireError>
where
    P: Message + Default + for<'a> From<&'a T>,
    T: TryFrom<P, Error = WireError> + Debug,
{
    T::try_from(P::decode(P::from(value).encode_to_vec().as_slice()).unwrap())
}
