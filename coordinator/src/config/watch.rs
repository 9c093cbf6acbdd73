//! `[watch]`: how often a run looks at the whole cluster while it waits for something.

use std::time::Duration;

use super::DEFAULT_WATCH;
use super::reader::{Mistakes, Reader};

/// How often to look.
pub(super) fn every(reader: Option<Reader>, mistakes: &mut Mistakes) -> Duration {
    let Some(mut reader) = reader else { return DEFAULT_WATCH };
    let every = reader.span("every", mistakes).unwrap_or(DEFAULT_WATCH);
    reader.finish(&["every"], mistakes);
    every
}
