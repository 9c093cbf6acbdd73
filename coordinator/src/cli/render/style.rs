//! Colours, by meaning. They are always in the text; a stream that wants none takes them out (`NO_COLOR`,
//! pipes).

use owo_colors::OwoColorize;

/// As it should be.
pub(super) fn good(text: &str) -> String {
    text.green().to_string()
}

/// Wrong.
pub(super) fn bad(text: &str) -> String {
    text.red().bold().to_string()
}

/// To be known.
pub(super) fn caution(text: &str) -> String {
    text.yellow().to_string()
}

/// What comes under it.
pub(super) fn heading(text: &str) -> String {
    text.bold().to_string()
}

/// A command to type.
pub(super) fn command(text: &str) -> String {
    text.cyan().to_string()
}

/// Lines with a mark in front, further lines of the same text below its beginning.
pub(super) fn bullet(mark: &str, text: &str) -> String {
    let mut lines = text.lines();
    let mut out = format!("  {mark} {}\n", lines.next().unwrap_or_default());
    for line in lines {
        out.push_str(&format!("    {line}\n"));
    }
    out
}
