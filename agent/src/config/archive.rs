//! `[archive]`: what an installation archive may not exceed.

use super::table::Keys;
use crate::package::Limits;

/// No file and no archive is larger than a file system can tell.
const MOST_BYTES: u64 = i64::MAX.cast_unsigned();

/// The limits; what is not said is as it always was.
pub(super) fn limits(keys: &mut Keys) -> Limits {
    let default = Limits::default();
    let mut table = keys.table("archive");
    let limits = Limits {
        entries: table.number("max_entries", default.entries, 1..=100_000_000),
        bytes: table.number("max_bytes", default.bytes, 1..=MOST_BYTES),
        file_bytes: table.number("max_file_bytes", default.file_bytes, 1..=MOST_BYTES),
        ratio: table.number("max_ratio", default.ratio, 1..=1_000_000),
        unjudged: default.unjudged,
        // Longer or deeper ones cannot be made below the state directory.
        path: table.number("max_path", default.path, 1..=3072),
        depth: table.number("max_depth", default.depth, 1..=1024),
    };
    keys.put_back(table);
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Limits, Vec<String>> {
        let mut keys = Keys::new(text.parse().unwrap());
        let limits = limits(&mut keys);
        let mistakes: Vec<String> = keys.finish().iter().map(|mistake| mistake.key.clone()).collect();
        if mistakes.is_empty() { Ok(limits) } else { Err(mistakes) }
    }

    #[test]
    fn what_is_said_holds_and_the_rest_is_the_default() {
        assert_eq!(parse("").unwrap(), Limits::default());
        assert_eq!(parse("[archive]").unwrap(), Limits::default());
        let some = parse("[archive]\nmax_bytes = 1000000\nmax_depth = 2").unwrap();
        assert_eq!(some, Limits { bytes: 1_000_000, depth: 2, ..Limits::default() });
    }

    #[test]
    fn no_limit_can_be_taken_away_by_a_number() {
        let found = parse(
            "[archive]\nmax_entries = 0\nmax_bytes = -1\nmax_file_bytes = '1GiB'\nmax_ratio = 1.5\nmax_path = 4096\n\
             max_depth = true\nmax_size = 5",
        );
        let keys =
            ["max_entries", "max_bytes", "max_file_bytes", "max_ratio", "max_path", "max_depth", "max_size"];
        assert_eq!(found.unwrap_err(), keys.map(|key| format!("archive.{key}")));
        assert_eq!(parse("archive = 5").unwrap_err(), ["archive"]);
    }
}
