//! What is said on a connection before HTTP/2: an agent that dials says who it is in one line, and gets one line back.
//!
//! `RATCHET-AGENT/1 {"name":"db-1","memory":"…","version":"…"}` is answered with `OK`, or with `NO` and the refusal.

use std::io;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::{AgentMemory, AgentName, Failure};

/// How an agent that dials begins.
const AGENT: &[u8] = b"RATCHET-AGENT/1 ";
/// How every HTTP/2 client begins (RFC 9113, section 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The longest line, in bytes: names are short, and a refusal has a sentence or two for each of its parts.
const LONGEST: usize = 4096;
/// The longest version that is believed, in characters.
const LONGEST_VERSION: usize = 64;

/// Who an agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its name, by its configuration.
    pub name: AgentName,
    /// Its memory: two agents with one name have two.
    pub memory: AgentMemory,
    /// Its version.
    pub version: String,
}

/// Why an agent is not wanted here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwelcome {
    /// Why, for people.
    pub failure: Failure,
    /// Where to go instead, `host:port`: who leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
}

/// What the first bytes of a connection announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// Cannot be told yet.
    Nothing,
    /// A client of the coordinator.
    Client,
    /// An agent.
    Agent,
    /// Something else.
    Stranger,
}

/// What these bytes announce. Pure.
pub(super) fn announced(head: &[u8]) -> Announced {
    for (word, meaning) in [(HTTP2, Announced::Client), (AGENT, Announced::Agent)] {
        if head.starts_with(word) {
            return meaning;
        }
        if word.starts_with(head) {
            return Announced::Nothing;
        }
    }
    Announced::Stranger
}

/// Reads until it can be told what a connection is; gives everything that was read.
///
/// # Errors
/// The connection failed or ended before that.
pub(super) async fn sniff(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Announced, Vec<u8>)> {
    let mut head = Vec::with_capacity(HTTP2.len());
    loop {
        // Never more than the longer word: what comes behind it belongs to somebody else.
        let mut bytes = [0; 24];
        let room = HTTP2.len().saturating_sub(head.len());
        let read = stream.read(&mut bytes[..room]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&bytes[..read]);
        match announced(&head) {
            Announced::Nothing => {}
            known => return Ok((known, head)),
        }
    }
}

/// Reads one line without its end, and gives what was read behind it.
///
/// # Errors
/// The connection failed, ended before the line did, or the line is too long.
pub(super) async fn line(
    stream: &mut (impl AsyncRead + Unpin),
    already: Vec<u8>,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut line = already;
    let mut looked_at = 0;
    loop {
        if let Some(end) = line[looked_at..].iter().position(|byte| *byte == b'\n') {
            let rest = line.split_off(looked_at + end + 1);
            line.pop();
            return Ok((line, rest));
        }
        looked_at = line.len();
        if looked_at > LONGEST {
            return Err(garbled("the line is too long"));
        }
        let mut bytes = [0; 512];
        let read = stream.read(&mut bytes).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.extend_from_slice(&bytes[..read]);
    }
}

impl Hello {
    /// The line that says it.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = AGENT.to_vec();
        serde_json::to_writer(&mut text, self)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads the line, without its end.
    ///
    /// # Errors
    /// It is no agent's line, or says what no agent says.
    pub fn read(line: &[u8]) -> io::Result<Self> {
        let json = line.strip_prefix(AGENT).ok_or_else(|| garbled("it is no agent's"))?;
        let hello: Self = serde_json::from_slice(json)?;
        let version = &hello.version;
        if version.len() > LONGEST_VERSION || !version.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(garbled("its version is none"));
        }
        Ok(hello)
    }
}

/// The line that lets an agent in.
pub(super) const WELCOME: &[u8] = b"OK\n";

impl Unwelcome {
    /// The line that says it. One that would be too long is cut to what matters.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn text(&self) -> io::Result<Vec<u8>> {
        let mut text = b"NO ".to_vec();
        serde_json::to_writer(&mut text, self)?;
        if text.len() > LONGEST {
            let failure = Failure { cause: None, program: None, ..self.failure.clone() };
            text = b"NO ".to_vec();
            serde_json::to_writer(&mut text, &Self { failure, leader: self.leader.clone() })?;
        }
        text.push(b'\n');
        Ok(text)
    }
}

/// What a coordinator answers to an agent's line, without its end. Pure.
///
/// # Errors
/// It is no such answer.
pub fn answer(line: &[u8]) -> io::Result<Result<(), Unwelcome>> {
    match line {
        b"OK" => Ok(Ok(())),
        _ => {
            let json = line.strip_prefix(b"NO ").ok_or_else(|| garbled("it is no answer to an agent"))?;
            Ok(Err(serde_json::from_slice(json)?))
        }
    }
}

fn garbled(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the first line cannot be understood: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_connection_is_shows_as_soon_as_it_can() {
        for (head, expected) in [
            (&b""[..], Announced::Nothing),
            (b"PRI * HTTP/2.0\r\n\r\nSM", Announced::Nothing),
            (HTTP2, Announced::Client),
            (b"RATCHET-AGENT/1", Announced::Nothing),
            (b"RATCHET-AGENT/1 {", Announced::Agent),
            (b"RATCHET-AGENT/2", Announced::Stranger),
            (b"PUT", Announced::Stranger),
            (b"\x16\x03\x01", Announced::Stranger),
        ] {
            assert_eq!(announced(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn an_answer_is_one_of_two() {
        let failure = Failure::operator("name-taken", "another agent has this name", "change `name`");
        let unwelcome = Unwelcome { failure, leader: None };
        let text = unwelcome.text().unwrap();
        assert_eq!(answer(text.strip_suffix(b"\n").unwrap()).unwrap(), Err(unwelcome));
        assert_eq!(answer(b"OK").unwrap(), Ok(()));
        for wrong in [&b""[..], b"OK ", b"ok", b"NO", b"NO ", b"NO {}", b"HTTP/1.1 400 Bad Request"] {
            answer(wrong).unwrap_err();
        }
    }

    proptest! {
        /// No bytes make it panic, and none but an agent's line make it a name.
        #[test]
        fn nothing_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let line = [AGENT, &bytes[..]].concat();
            if let Ok(hello) = Hello::read(&line) {
                let text = hello.text().unwrap();
                prop_assert_eq!(Hello::read(text.strip_suffix(b"\n").unwrap()).unwrap(), hello);
            }
            let _answered = answer(&bytes);
        }
    }
}
