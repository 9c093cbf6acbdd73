//! How one value travels in one field, and the macros that put whole messages together from their fields.

use std::fmt;

/// Why a message is not a value of the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    /// The field, from the message down, for instance `facts.view.nodes[2].version`.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

impl WireError {
    /// An error in the value at hand; whoever holds it adds where it is.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { path: String::new(), reason: reason.into() }
    }

    /// A message that must be there is not.
    pub(crate) fn missing() -> Self {
        Self::new("it is missing")
    }

    /// A oneof of which nothing is set: nothing was sent, or something this version does not know.
    pub(crate) fn nothing_set() -> Self {
        Self::new("none of its alternatives is set, or one that this version does not know")
    }

    /// Puts the field in front of the path.
    pub(crate) fn within(self, field: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        Self { path: format!("{field}{separator}{}", self.path), ..self }
    }

    /// Puts the place in a list in front of the path.
    pub(crate) fn at(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, reason } = self;
        write!(
            f,
            "the message cannot be understood at `{path}`: {reason}; both sides must run the same version of Ratchet"
        )
    }
}

impl std::error::Error for WireError {}

/// A value of the vocabulary that travels in a field of type `P`.
pub(crate) trait Field<P>: Sized {
    /// Domain → wire.
    fn put(&self) -> P;
    /// Wire → domain.
    fn take(wire: P) -> Result<Self, WireError>;
}

/// Values that may be absent.
impl<T: Field<P>, P> Field<Option<P>> for Option<T> {
    fn put(&self) -> Option<P> {
        self.as_ref().map(T::put)
    }

    fn take(wire: Option<P>) -> Result<Self, WireError> {
        wire.map(T::take).transpose()
    }
}

/// Lists.
impl<T: Field<P>, P> Field<Vec<P>> for Vec<T> {
    fn put(&self) -> Vec<P> {
        self.iter().map(T::put).collect()
    }

    fn take(wire: Vec<P>) -> Result<Self, WireError> {
        wire.into_iter()
            .enumerate()
            .map(|(index, item)| T::take(item).map_err(|error| error.at(index)))
            .collect()
    }
}

/// Makes a type that has a `Field` of its message a message: it can stand in a required field, and it converts on its
/// own. `as "name"` puts a name in front of the paths of a message that travels on its own.
macro_rules! message {
    ($domain:ident => $wire:ident $(as $root:literal)?) => {
        impl crate::wire::field::Field<Option<crate::pb::$wire>> for $domain {
            fn put(&self) -> Option<crate::pb::$wire> {
                Some(crate::wire::field::Field::put(self))
            }

            fn take(wire: Option<crate::pb::$wire>) -> Result<Self, crate::wire::WireError> {
                crate::wire::field::Field::take(wire.ok_or_else(crate::wire::WireError::missing)?)
            }
        }

        impl From<&$domain> for crate::pb::$wire {
            fn from(value: &$domain) -> Self {
                crate::wire::field::Field::put(value)
            }
        }

        impl TryFrom<crate::pb::$wire> for $domain {
            type Error = crate::wire::WireError;

            fn try_from(wire: crate::pb::$wire) -> Result<Self, crate::wire::WireError> {
                crate::wire::field::Field::take(wire)$(.map_err(|error: crate::wire::WireError| error.within($root)))?
            }
        }
    };
}

/// A struct whose message has the same fields under the same names.
macro_rules! record {
    ($domain:ident => $wire:ident $(as $root:literal)? { $($field:ident),* $(,)? }) => {
        impl crate::wire::field::Field<crate::pb::$wire> for $domain {
            fn put(&self) -> crate::pb::$wire {
                let Self { $($field),* } = self;
                crate::pb::$wire { $($field: crate::wire::field::Field::put($field)),* }
            }

            fn take(wire: crate::pb::$wire) -> Result<Self, crate::wire::WireError> {
                Ok(Self {
                    $($field: crate::wire::field::Field::take(wire.$field)
                        .map_err(|error: crate::wire::WireError| error.within(stringify!($field)))?,)*
                })
            }
        }

        crate::wire::field::message!($domain => $wire $(as $root)?);
    };
}

/// An enum without data, whose wire enum has the same names.
macro_rules! word {
    ($domain:ident { $($name:ident),* $(,)? }) => {
        impl crate::wire::field::Field<i32> for $domain {
            fn put(&self) -> i32 {
                match self {
                    $(Self::$name => crate::pb::$domain::$name as i32,)*
                }
            }

            fn take(wire: i32) -> Result<Self, crate::wire::WireError> {
                match crate::pb::$domain::try_from(wire) {
                    $(Ok(crate::pb::$domain::$name) => Ok(Self::$name),)*
                    Ok(crate::pb::$domain::Unspecified) => Err(crate::wire::WireError::new("it is not set")),
                    Err(_) => Err(crate::wire::WireError::new(format!("{wire} is not one of its values"))),
                }
            }
        }
    };
}

pub(crate) use {message, record, word};
