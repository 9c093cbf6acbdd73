//! Events as plain lines. Pure.

use jiff::tz::TimeZone;

use crate::cli::render::{clock, printable};
use crate::documents::EventDocument;

/// `HH:MM:SS  node 2  what happened`.
pub(super) fn line(event: &EventDocument, zone: &TimeZone) -> String {
    let node = event.node.map_or_else(|| "cluster".to_owned(), |uid| format!("node {uid}"));
    format!("{}  {node:<8}  {}", clock(event.at, zone), printable(&event.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::sample;

    #[test]
    fn a_line_has_the_time_the_node_and_the_text() {
        let event = sample::event(7, Some(2), "installing 7.4.6-22");
        assert_eq!(line(&event, &TimeZone::UTC), "02:03:07  node 2    installing 7.4.6-22");
        let event = sample::event(8, None, "all packages are ready");
        assert_eq!(line(&event, &TimeZone::UTC), "02:03:08  cluster   all packages are ready");
    }

    #[test]
    fn a_program_s_output_cannot_steer_the_terminal() {
        let event = sample::event(7, Some(2), "a\x1b[2Jb\nc");
        assert_eq!(line(&event, &TimeZone::UTC), "02:03:07  node 2    a [2Jb c");
    }
}
