//! Pure readers of the vendor's formats: text in, values or a reasoned error out. No clock, no files, no programs.
//!
//! All of them deny by default (promise P5): what is unknown, cut off or damaged is an error or "not OK", never "OK".

pub mod database_info;
pub mod env_config;
pub mod info;
pub mod install_log;
pub mod master;
pub mod modules;
pub mod node_info;
pub mod os_release;
mod pairs;
pub mod rlcheck;
mod rows;
pub mod running_actions;
pub mod services;
pub mod snapshot_list;
pub mod status;
mod status_words;
mod table;
#[cfg(test)]
mod test_damage;
mod text;
pub mod version;
mod whole;

pub use text::strip_ansi;

/// A text that is not what its command prints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot be read: {reason}")]
pub struct Unreadable {
    /// What was to be read, for instance the name of the command.
    pub what: &'static str,
    /// What is wrong, with the text in question.
    pub reason: String,
}

impl Unreadable {
    fn new(what: &'static str, reason: impl Into<String>) -> Self {
        Self { what, reason: reason.into() }
    }
}
