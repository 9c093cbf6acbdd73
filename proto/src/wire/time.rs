//! Moments and lengths of time, as protobuf's own types.

use std::time::Duration;

use jiff::Timestamp;

use super::WireError;
use super::field::Field;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The longest length of time that protobuf can tell, in seconds: 10,000 years.
pub(crate) const LONGEST_SECONDS: u64 = 315_576_000_000;

impl Field<Option<prost_types::Timestamp>> for Timestamp {
    /// Protobuf counts nanoseconds forwards from the second, before 1970 too.
    fn put(&self) -> Option<prost_types::Timestamp> {
        let nanos = self.as_nanosecond();
        Some(prost_types::Timestamp {
            seconds: i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).unwrap_or(i64::MAX),
            nanos: i32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).unwrap_or(0),
        })
    }

    fn take(wire: Option<prost_types::Timestamp>) -> Result<Self, WireError> {
        let wire = wire.ok_or_else(WireError::missing)?;
        check_nanos(wire.nanos)?;
        let nanos = i128::from(wire.seconds) * NANOS_PER_SECOND + i128::from(wire.nanos);
        Self::from_nanosecond(nanos)
            .map_err(|_| WireError::new(format!("{} seconds is not a moment in reach", wire.seconds)))
    }
}

impl Field<prost_types::Duration> for Duration {
    /// What is longer than protobuf can tell is cut to the longest there is.
    fn put(&self) -> prost_types::Duration {
        let whole = (*self).min(Self::from_secs(LONGEST_SECONDS));
        prost_types::Duration {
            seconds: i64::try_from(whole.as_secs()).unwrap_or(i64::MAX),
            nanos: i32::try_from(whole.subsec_nanos()).unwrap_or(0),
        }
    }

    fn take(wire: prost_types::Duration) -> Result<Self, WireError> {
        check_nanos(wire.nanos)?;
        let seconds = u64::try_from(wire.seconds).ok().filter(|seconds| *seconds <= LONGEST_SECONDS);
        let nanos = u32::try_from(wire.nanos).ok();
        seconds.zip(nanos).map(|(seconds, nanos)| Self::new(seconds, nanos)).ok_or_else(|| {
            WireError::new(format!("{} seconds is not a length of time in reach", wire.seconds))
        })
    }
}

/// A length of time that must be there.
impl Field<Option<prost_types::Duration>> for Duration {
    fn put(&self) -> Option<prost_types::Duration> {
        Some(self.put())
    }

    fn take(wire: Option<prost_types::Duration>) -> Result<Self, WireError> {
        Self::take(wire.ok_or_else(WireError::missing)?)
    }
}

fn check_nanos(nanos: i32) -> Result<(), WireError> {
    if (0..1_000_000_000).contains(&nanos) {
        return Ok(());
    }
    Err(WireError::new(format!("{nanos} is not a number of nanoseconds within a second")))
}
