//! Where the program's own log goes: to the journal of systemd as a service, else to stderr.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log; `RUST_LOG` overrides the level. Under systemd a service's lines go to the journal with their fields:
/// `RUN`, `CLUSTER`, `EPOCH`, `NODE`, `STEP`. A command's lines are for whoever typed it.
pub fn start(service: bool, level: &str) {
    let ours = || EnvFilter::new(format!("warn,coordinator={level},proto={level},sqlx=error"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| ours());
    let in_journal = service && std::env::var_os("JOURNAL_STREAM").is_some();
    let journal = if in_journal { tracing_journald::layer().ok() } else { None };
    let journal = journal.map(|layer| layer.with_field_prefix(None));
    let plain = journal.is_none();
    let stderr = plain.then(|| {
        tracing_subscriber::fmt::layer().with_writer(stderr).with_target(false).with_ansi(colours())
    });
    tracing_subscriber::registry().with(filter).with(journal).with(stderr).init();
}

/// Whether stderr shows colours: files and pipes are read as they are.
fn colours() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
