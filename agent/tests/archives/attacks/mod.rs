//! Every attack that was thought of, with what must be said of it.

mod bombs;
mod ends;
mod extended;
mod headers;
mod kinds;
mod names;
mod twice;

use std::path::Path;

use agent::package::Limits;

use crate::forge::{Head, Tar};

/// One hostile archive.
pub struct Attack {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub limits: Limits,
    /// How the entry is named when it is refused.
    pub entry: String,
    /// What is said of it.
    pub says: &'static str,
}

impl Attack {
    /// A whole archive.
    fn whole(name: &'static str, entry: &str, says: &'static str, bytes: Vec<u8>) -> Self {
        Self { name, bytes, limits: Limits::default(), entry: entry.to_owned(), says }
    }

    /// A good archive with more to it.
    fn more(name: &'static str, entry: &str, says: &'static str, add: impl FnOnce(&mut Tar)) -> Self {
        let mut tar = Tar::good();
        add(&mut tar);
        Self::whole(name, entry, says, tar.ended())
    }

    /// A good archive and one more header.
    fn head(name: &'static str, entry: &str, says: &'static str, head: &Head) -> Self {
        Self::more(name, entry, says, |tar| {
            tar.add(head, b"");
        })
    }

    fn limited(mut self, limit: impl FnOnce(&mut Limits)) -> Self {
        limit(&mut self.limits);
        self
    }
}

/// All attacks. Those that lead out lead to `outside`.
pub fn all(outside: &Path) -> Vec<Attack> {
    let outside = outside.to_str().unwrap();
    let mut all = names::attacks(outside);
    all.extend(kinds::attacks(outside));
    all.extend(extended::attacks(outside));
    for attacks in [twice::attacks(), headers::attacks(), ends::attacks(), bombs::attacks()] {
        all.extend(attacks);
    }
    all
}
