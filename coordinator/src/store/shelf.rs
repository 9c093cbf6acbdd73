//! Small things that are kept beside the journals: documents by name, each kind on its own shelf.

use std::fmt;

/// Where a kind of document lies. The words are stored: they never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shelf {
    /// The fleet's halt, under one name; empty while the fleet is not halted.
    Halt,
    /// Agents that have connected by themselves, by name.
    Agent,
    /// What is to be told to somebody outside, by its key.
    Notice,
    /// Tokens with which nodes can enrol, by id.
    Token,
    /// Nodes that have used a token, by its id.
    Enrolment,
    /// How far the journals have been read for notices, by run or rollout.
    NoticedUpTo,
}

impl Shelf {
    /// The word it is stored under.
    pub fn word(self) -> &'static str {
        match self {
            Self::Halt => "halt",
            Self::Agent => "agent",
            Self::Notice => "notice",
            Self::Token => "token",
            Self::Enrolment => "enrolment",
            Self::NoticedUpTo => "noticed-up-to",
        }
    }
}

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
