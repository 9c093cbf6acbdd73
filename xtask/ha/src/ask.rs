//! `ratchet` as operators and scripts call it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use tokio::process::Command;
use tokio::time::timeout;

/// Calls `ratchet`, which asks all coordinators.
#[derive(Clone, Debug)]
pub struct Ratchet {
    /// The program.
    pub program: PathBuf,
    /// A configuration that says how coordinators are dialled.
    pub config: PathBuf,
    /// Where they are, one after the other.
    pub coordinators: String,
}

/// What a call came to.
#[derive(Clone, Debug)]
pub struct Said {
    /// The exit code; -1 if it was ended by a signal.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said beside.
    pub err: String,
}

impl Ratchet {
    /// Calls it, and waits until it has answered.
    ///
    /// # Errors
    /// It cannot be started, or takes longer than this.
    pub async fn ask(&self, args: &[&str], patience: Duration) -> Result<Said> {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(&self.config).args(["--coordinator", &self.coordinators, "-o", "json"]);
        command.args(args).env_remove("RATCHET_COORDINATOR").env_remove("RUST_LOG");
        command.stdin(Stdio::null()).kill_on_drop(true);
        let call = args.join(" ");
        let output = timeout(patience, command.output()).await;
        let output = output.with_context(|| format!("`ratchet {call}` takes longer than {patience:?}"))?;
        let output = output.with_context(|| format!("`ratchet {call}` cannot be started"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        })
    }

    /// Calls it for a document; it must succeed.
    ///
    /// # Errors
    /// It does not, in this time.
    pub async fn document<T: DeserializeOwned>(&self, args: &[&str], patience: Duration) -> Result<T> {
        let said = self.ask(args, patience).await?;
        if said.code != 0 {
            bail!("`ratchet {}` ended with {}: {} {}", args.join(" "), said.code, said.out, said.err);
        }
        serde_json::from_str(&said.out).with_context(|| format!("`ratchet {}`: {}", args.join(" "), said.out))
    }
}
