//! What follows from what was seen of a vendor's signature. Pure.

use proto::LayerVerdict;

use crate::config::VendorPolicy;

/// What was seen of a vendor's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is there, and right.
    Good(String),
    /// It is there, and wrong.
    Wrong(String),
    /// There is none.
    Unsigned(String),
    /// The programs to check it are not on this node.
    NoProgram(String),
    /// There is nothing to check it by, or nothing that could be signed.
    Unknown(String),
}

impl Seen {
    /// What was seen, in words.
    pub fn detail(&self) -> &str {
        match self {
            Self::Good(detail)
            | Self::Wrong(detail)
            | Self::Unsigned(detail)
            | Self::NoProgram(detail)
            | Self::Unknown(detail) => detail,
        }
    }
}

/// The layer's verdict, or that the package is refused. `real` is a node that is no stand-in.
pub fn judge(policy: VendorPolicy, real: bool, seen: &Seen) -> Result<LayerVerdict, ()> {
    let needed = match policy {
        VendorPolicy::Required => true,
        VendorPolicy::Auto => real,
        VendorPolicy::Reported => false,
    };
    match seen {
        Seen::Good(_) => Ok(LayerVerdict::Verified),
        Seen::Wrong(_) => Err(()),
        Seen::NoProgram(_) if policy != VendorPolicy::Required => Ok(LayerVerdict::NotChecked),
        _ if needed => Err(()),
        Seen::Unsigned(_) => Ok(LayerVerdict::Failed),
        Seen::NoProgram(_) | Seen::Unknown(_) => Ok(LayerVerdict::NotChecked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_on_every_node_for_everything_that_can_be_seen() {
        use LayerVerdict::{Failed, NotChecked, Verified};
        use VendorPolicy::{Auto, Reported, Required};
        let text = String::new;
        let table = [
            (Seen::Good(text()), [Ok(Verified), Ok(Verified), Ok(Verified), Ok(Verified)]),
            (Seen::Wrong(text()), [Err(()), Err(()), Err(()), Err(())]),
            (Seen::Unsigned(text()), [Err(()), Err(()), Ok(Failed), Ok(Failed)]),
            (Seen::NoProgram(text()), [Err(()), Ok(NotChecked), Ok(NotChecked), Ok(NotChecked)]),
            (Seen::Unknown(text()), [Err(()), Err(()), Ok(NotChecked), Ok(NotChecked)]),
        ];
        for (seen, expected) in table {
            let asked = [(Required, false), (Auto, true), (Auto, false), (Reported, true)];
            for ((policy, real), expected) in asked.into_iter().zip(expected) {
                assert_eq!(judge(policy, real, &seen), expected, "{policy:?} {real} {seen:?}");
            }
            assert_eq!(judge(Required, true, &seen), judge(Required, false, &seen));
            assert_eq!(judge(Reported, true, &seen), judge(Reported, false, &seen));
        }
    }
}
