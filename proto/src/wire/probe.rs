//! Answers that may not be had: one message for each type of answer, because protobuf has no generics.

use super::WireError;
use super::field::Field;
use crate::{
    Arch, ClusterView, FactValue, Installation, InstalledVersion, NodeUid, OperatingSystem, Probe, Rlcheck,
    Room, pb,
};

/// The probe of a type: its message, and the module of that message's oneof.
macro_rules! probe {
    ($($answer:ty => $wire:ident in $module:ident;)*) => {$(
        impl Field<pb::$wire> for Probe<$answer> {
            fn put(&self) -> pb::$wire {
                let answer = match self {
                    Self::Known(value) => pb::$module::Answer::Known(Field::put(value)),
                    Self::Unknown(reason) => pb::$module::Answer::Unknown(reason.clone()),
                    Self::Unsupported(reason) => pb::$module::Answer::Unsupported(reason.clone()),
                };
                pb::$wire { answer: Some(answer) }
            }

            fn take(wire: pb::$wire) -> Result<Self, WireError> {
                Ok(match wire.answer.ok_or_else(WireError::nothing_set)? {
                    pb::$module::Answer::Known(value) => Self::Known(Field::take(value)?),
                    pb::$module::Answer::Unknown(reason) => Self::Unknown(reason),
                    pb::$module::Answer::Unsupported(reason) => Self::Unsupported(reason),
                })
            }
        }

        impl Field<Option<pb::$wire>> for Probe<$answer> {
            fn put(&self) -> Option<pb::$wire> {
                Some(self.put())
            }

            fn take(wire: Option<pb::$wire>) -> Result<Self, WireError> {
                Self::take(wire.ok_or_else(WireError::missing)?)
            }
        }
    )*};
}

probe! {
    NodeUid => NodeUidProbe in node_uid_probe;
    String => TextProbe in text_probe;
    u64 => NumberProbe in number_probe;
    bool => FlagProbe in flag_probe;
    Arch => ArchProbe in arch_probe;
    Vec<String> => LinesProbe in lines_probe;
    Vec<u16> => PortsProbe in ports_probe;
    Option<u64> => SizeProbe in size_probe;
    Room => RoomProbe in room_probe;
    InstalledVersion => InstalledVersionProbe in installed_version_probe;
    Installation => InstallationProbe in installation_probe;
    OperatingSystem => OperatingSystemProbe in operating_system_probe;
    Rlcheck => RlcheckProbe in rlcheck_probe;
    ClusterView => ClusterViewProbe in cluster_view_probe;
    FactValue => FactProbe in fact_probe;
}

/// A list or an option cannot stand in a oneof by itself: it has a message around it.
macro_rules! wrapped {
    ($($answer:ty => $wire:ident { $field:ident })*) => {$(
        impl Field<pb::$wire> for $answer {
            fn put(&self) -> pb::$wire {
                pb::$wire { $field: Field::put(self) }
            }

            fn take(wire: pb::$wire) -> Result<Self, WireError> {
                Field::take(wire.$field).map_err(|error: WireError| error.within(stringify!($field)))
            }
        }
    )*};
}

wrapped! {
    Vec<String> => Lines { lines }
    Vec<u16> => Ports { ports }
    Option<u64> => Size { bytes }
}
