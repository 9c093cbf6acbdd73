//! Wrong usage, told in the format that was asked for.

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;
use proto::Failure;

use super::{Cli, Exit};
use crate::documents::ErrorDocument;

/// Reads the command line; prints help, the version or what is wrong with it.
///
/// # Errors
/// The exit to end with, after everything was said.
pub fn parse(arguments: Vec<OsString>) -> Result<Cli, Exit> {
    let json = wants_json(&arguments);
    Cli::try_parse_from(arguments).map_err(|error| {
        let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
        if json && !asked_for && print_json(&error) {
            return Exit::Usage;
        }
        if let Err(lost) = error.print() {
            tracing::debug!(error = %lost, "the usage cannot be printed");
        }
        if asked_for { Exit::Done } else { Exit::Usage }
    })
}

/// Whether JSON was asked for, found without a parser: there is none for a command line that is wrong.
fn wants_json(arguments: &[OsString]) -> bool {
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    words.windows(2).any(|pair| matches!(pair, ["-o" | "--output", "json"]))
        || words.iter().any(|word| matches!(*word, "-ojson" | "-o=json" | "--output=json"))
}

fn print_json(error: &clap::Error) -> bool {
    let failure = Failure::operator("usage", "the command line is wrong", "see `ratchet --help`")
        .because(error.render().to_string().trim_end().to_owned());
    match serde_json::to_string(&ErrorDocument::from(&failure)) {
        Ok(json) => {
            anstream::println!("{json}");
            true
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_recognised_in_every_spelling() {
        let wants = |text: &str| wants_json(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        for text in
            ["ratchet -o json x", "ratchet x -ojson", "ratchet --output=json", "ratchet --output json"]
        {
            assert!(wants(text), "{text}");
        }
        for text in ["ratchet", "ratchet -o human json", "ratchet json -o", "ratchet plan json"] {
            assert!(!wants(text), "{text}");
        }
    }
}
