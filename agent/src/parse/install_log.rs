//! The log of `install.sh`: evidence, not the verdict (fact sheet §5.4).

use super::text::strip_ansi;

/// What a log of `install.sh` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstallLog {
    /// It ends the way a finished installation does, and tells of no error.
    pub complete: bool,
    /// Its lines that tell of errors.
    pub errors: Vec<String>,
}

/// Marks of a finished installation over the years (fact sheet §5.4): 2017–2020, 2025, and the documented summary.
const COMPLETE: [&str; 3] =
    ["Installation is complete!", "Installation complete.", "[!] Point your browser at the following"];

/// Reads a log, also one that was copied out of escaped Markdown.
pub fn parse(text: &str) -> InstallLog {
    let clean = strip_ansi(text);
    let mut log = InstallLog::default();
    let mut finished = false;
    let mut in_package_error = false;
    for line in clean.lines().map(unescape) {
        let line = line.trim();
        let detail = in_package_error && line.starts_with("Requires:");
        if detail || is_error(line) {
            log.errors.push(line.to_owned());
        }
        in_package_error = detail || line.starts_with("Error: Package:");
        finished |= COMPLETE.iter().any(|mark| line.contains(mark));
    }
    log.complete = finished && log.errors.is_empty();
    log
}

/// The installer's own tag, its abort texts, a failed test of its `rlcheck`, and the words package tools begin errors with.
fn is_error(line: &str) -> bool {
    const STARTS: [&str; 5] = ["Error:", "ERROR:", "E: ", "dpkg: error", "error: "];
    line.contains("[x]")
        || line.to_lowercase().contains("abort")
        || line.contains("FAILED")
        || STARTS.iter().any(|start| line.starts_with(start))
}

/// Takes the backslashes out of `\[!\] Installation is complete!\`.
fn unescape(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.trim_end().chars().peekable();
    while let Some(character) = characters.next() {
        let escapes = characters.peek().is_none_or(|next| next.is_ascii_punctuation());
        if character != '\\' || !escapes {
            plain.push(character);
        } else if let Some(next) = characters.next() {
            plain.push(next);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modern_log_is_complete() {
        let log = "2025-06-24 20:56:59.274 [.] Fixing file permissions.\n2025-06-24 20:57:30.286 [!] Installation complete.\n";
        assert_eq!(parse(log), InstallLog { complete: true, errors: vec![] });
    }

    #[test]
    fn an_abort_is_an_error_even_before_a_good_end() {
        let text = "Upgrade aborted. Upgrading to version 7.4.2-54 only allowed from versions 6.2\n[!] Installation is complete!\n";
        let log = parse(text);
        assert!(!log.complete);
        assert_eq!(log.errors.len(), 1);
    }

    #[test]
    fn nothing_and_half_a_log_are_not_complete() {
        for text in ["", "[.] Installing\n", "ALL TESTS PASSED.\n", "Installation is comp"] {
            assert!(!parse(text).complete, "{text:?}");
        }
    }

    #[test]
    fn escapes_go_and_other_backslashes_stay() {
        assert_eq!(unescape(r"\[!\] a\_b\"), "[!] a_b");
        assert_eq!(unescape(r"C:\dir \\ x"), r"C:\dir \ x");
    }
}
