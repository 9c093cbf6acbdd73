//! What every reader does first: colours off, blanks trimmed.

use super::Unreadable;

/// The text without ANSI control sequences (`ESC [ … letter`) and carriage returns before line ends.
///
/// Whether the tools print colours into a pipe is not documented, so they are always stripped (fact sheet §3.7). An escape
/// that is no such sequence stays and makes its cell unknown.
pub fn strip_ansi(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        rest = match sequence_end(escape) {
            Some(end) => &escape[end..],
            None => {
                clean.push('\u{1b}');
                &escape[1..]
            }
        };
    }
    clean.push_str(rest);
    clean.replace("\r\n", "\n")
}

/// The byte behind a control sequence that starts the text: parameters, then one letter.
fn sequence_end(escape: &str) -> Option<usize> {
    let parameters =
        escape.bytes().skip(2).take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b'?')).count();
    let end = 2 + parameters;
    escape.as_bytes().get(end).filter(|byte| byte.is_ascii_alphabetic()).map(|_| end + 1)
}

/// The text without colours, if it ends where a line does, is no error message, and is text at all.
pub(super) fn whole_lines(what: &'static str, text: &str) -> Result<String, Unreadable> {
    let clean = strip_ansi(text);
    let refused = clean.lines().find(|line| line.trim_start().starts_with("ERROR"));
    let reason = if clean.trim().is_empty() {
        "nothing was printed".to_owned()
    } else if let Some(line) = refused {
        format!("it answered `{}`", excerpt(line))
    } else if !clean.ends_with('\n') {
        "it ends in the middle of a line: it was cut off".to_owned()
    } else if clean.contains(['\u{1b}', '\u{fffd}', '\0']) {
        "it holds bytes that are no text".to_owned()
    } else {
        return Ok(clean);
    };
    Err(Unreadable::new(what, reason))
}

/// At most the first 80 characters of a text, for messages.
pub(super) fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_everything_else_stays() {
        assert_eq!(strip_ansi("\u{1b}[1m\u{1b}[4mNODE:ID\u{1b}[0m é\r\n"), "NODE:ID é\n");
        assert_eq!(strip_ansi("\u{1b}[1;36mOK\u{1b}[m"), "OK");
        for odd in ["\u{1b}[", "\u{1b}[12", "\u{1b}[1é", "\u{1b}", "a\u{1b}b"] {
            assert_eq!(strip_ansi(odd), odd);
        }
    }

    #[test]
    fn half_a_line_an_error_and_odd_bytes_are_no_answer() {
        assert_eq!(whole_lines("it", "\u{1b}[1ma\u{1b}[0m\n"), Ok("a\n".to_owned()));
        for text in ["", " \n", "a", "a\nb", "a\n  ERROR: no\n", "a\u{fffd}\n", "a\0\n", "a\u{1b}\n"] {
            assert!(whole_lines("it", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_excerpt_ends_between_characters() {
        assert_eq!(excerpt(&"é".repeat(100)), format!("{}…", "é".repeat(80)));
    }
}
