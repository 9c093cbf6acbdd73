//! Versions as package databases and the product's own files write them (fact sheet §5.5).

use proto::Version;

use super::Unreadable;

/// The version in `5.4.6-18~xenial` (dpkg), `5.4.10-1.rhel7` (rpm) or `7.4.6-22` (the product's own file).
///
/// # Errors
/// When the text does not begin with a version, or something unknown follows it.
pub fn parse(text: &str) -> Result<Version, Unreadable> {
    let text = text.trim();
    let platform = |rest: &str| {
        rest.starts_with(|first: char| first.is_ascii_alphabetic()) && !rest.contains(char::is_whitespace)
    };
    let build = text.find('-').map_or(text.len(), |hyphen| hyphen + 1);
    let end = text[build..].find(['~', '.']).map_or(text.len(), |at| build + at);
    let (version, rest) = text.split_at(end);
    if !rest.is_empty() && !platform(&rest[1..]) {
        return Err(Unreadable::new("a version", format!("`{text}` ends in something unknown")));
    }
    version.parse().map_err(|error: proto::InvalidVersion| Unreadable::new("a version", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_left_out() {
        for (text, version) in [
            ("5.4.6-18~xenial", Version::new(5, 4, 6, 18)),
            ("5.4.10-1.rhel7\n", Version::new(5, 4, 10, 1)),
            ("7.4.6-22", Version::new(7, 4, 6, 22)),
        ] {
            assert_eq!(parse(text), Ok(version));
        }
        for text in [
            "",
            "7.4.6",
            "7.4.6-",
            "7.4.6-22-1",
            "7.4.6-22.1",
            "7.4.6-22~",
            "package redislabs is not installed",
            "é-é.é",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
