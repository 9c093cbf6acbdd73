//! Where words go: documents to stdout, progress and errors to stderr.

use std::io::{self, BufRead, Write};

use jiff::tz::TimeZone;
use proto::Failure;

use super::client::Answer;
use super::render;
use crate::documents::ErrorDocument;

/// For whom the output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text and tables for people.
    #[default]
    Human,
    /// One JSON document, or one JSON object a line for streams.
    Json,
}

/// The program's three streams as `main` found them; tests hand in their own.
pub struct Streams {
    /// Documents.
    pub stdout: Box<dyn Write + Send>,
    /// Progress, questions and errors.
    pub stderr: Box<dyn Write + Send>,
    /// Answers to questions.
    pub stdin: Box<dyn BufRead + Send>,
    /// Whether a person can be asked: stdin and stderr are terminals.
    pub interactive: bool,
    /// Whether stderr can be redrawn: it is a terminal.
    pub live: bool,
    /// The zone times are shown in.
    pub zone: TimeZone,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams")
            .field("interactive", &self.interactive)
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

/// Says things in the asked format.
#[derive(Debug)]
pub struct Output {
    format: Format,
    streams: Streams,
}

impl Output {
    /// Says things to these streams.
    pub fn new(format: Format, streams: Streams) -> Self {
        Self { format, streams }
    }

    /// Whether a program reads along.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether somebody can be asked. Never under `-o json`: a program asked, and programs do not type names.
    pub fn can_ask(&self) -> bool {
        self.streams.interactive && !self.is_json()
    }

    /// Whether progress can be redrawn in place.
    pub fn is_live(&self) -> bool {
        self.streams.live && !self.is_json()
    }

    /// The zone times are shown in.
    pub fn zone(&self) -> &TimeZone {
        &self.streams.zone
    }

    /// Gives an answer: as it came, or rendered.
    pub fn answer<D>(
        &mut self,
        answer: &Answer<D>,
        render: impl FnOnce(&D) -> String,
    ) -> Result<(), Failure> {
        if self.is_json() { self.json(&answer.json) } else { self.print(&render(&answer.document)) }
    }

    /// Prints a JSON document in a line of its own.
    pub fn json(&mut self, json: &str) -> Result<(), Failure> {
        self.print(&format!("{json}\n"))
    }

    /// Prints to stdout as it is.
    pub fn print(&mut self, text: &str) -> Result<(), Failure> {
        let out = &mut self.streams.stdout;
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).or_else(unless_closed)
    }

    /// Tells a person something on the side. A lost stderr stops nothing.
    pub fn tell(&mut self, line: &str) {
        let written = writeln!(self.streams.stderr, "{line}").and_then(|()| self.streams.stderr.flush());
        if let Err(error) = written {
            tracing::debug!(%error, "stderr is gone");
        }
    }

    /// Reports a failure: a document for programs, what, why and remedy for people.
    pub fn failure(&mut self, failure: &Failure) {
        let told = if self.is_json() {
            match serde_json::to_string(&ErrorDocument::from(failure)) {
                Ok(json) => self.json(&json),
                Err(error) => {
                    Err(Failure::bug("an error cannot be written as JSON").because(error.to_string()))
                }
            }
        } else {
            self.tell(render::failure(failure).trim_end());
            Ok(())
        };
        if let Err(error) = told {
            tracing::debug!(%error, "stdout is gone");
        }
    }

    /// Asks a question and reads one line.
    pub fn ask(&mut self, question: &str) -> Result<String, Failure> {
        let failed = |error: io::Error| {
            Failure::operator("usage", "the answer cannot be read", "answer on a terminal, or give --yes")
                .because(error.to_string())
        };
        write!(self.streams.stderr, "{question} ")
            .and_then(|()| self.streams.stderr.flush())
            .map_err(failed)?;
        let mut line = String::new();
        self.streams.stdin.read_line(&mut line).map_err(failed)?;
        Ok(line.trim().to_owned())
    }
}

/// A reader that went away (`| head`) has all it wanted.
fn unless_closed(error: io::Error) -> Result<(), Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Ok(());
    }
    Err(Failure::operator("output", "the output cannot be written", "see whether its disk or pipe is full")
        .because(error.to_string()))
}
