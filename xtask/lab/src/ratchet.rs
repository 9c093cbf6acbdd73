//! The coordinator: `ratchet`, as a person would call it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Lab;

/// Nothing that a test waits for takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a call of `ratchet` came to.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit code, -1 if a signal ended it.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said besides.
    pub err: String,
}

/// The simulated packages have versions of the vendor's, and other bytes.
const NOT_PUBLISHED: [&str; 2] = ["--accept", "package-checksum=simulated packages"];

fn takes_packages(args: &[&str]) -> bool {
    args.iter()
        .find(|arg| !arg.starts_with('-'))
        .is_some_and(|verb| matches!(*verb, "plan" | "prepare" | "upgrade"))
        && !args.contains(&"--plan")
}

impl Said {
    /// The document it printed.
    ///
    /// # Errors
    /// When it printed none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("no document: {self:?}"))
    }
}

impl Lab {
    /// Runs `ratchet` to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn ratchet(&self, args: &[&str]) -> Result<Said> {
        let output = self.command(args)?.output()?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Ok(Said { code, out: text(&output.stdout), err: text(&output.stderr) })
    }

    /// Starts a verb of `ratchet` that drives a run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn drive(&self, args: &[&str]) -> Result<Driver> {
        let log = self.place.join("ratchet.log");
        let errors = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = self.command(args)?.stdout(Stdio::piped()).stderr(errors).spawn()?;
        let (told, hears) = mpsc::channel();
        let stdout = child.stdout.take().context("a pipe was asked for")?;
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Whoever has dropped the other end does not want to know.
                let _heard = told.send((Instant::now(), line));
            }
        });
        Ok(Driver { child, hears, began: Instant::now(), last: None })
    }

    fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.coordinator().display()));
        command
            .arg(sim::built_binary("coordinator", "ratchet")?)
            .args(["-o", "json", "--config"])
            .arg(self.configuration())
            .args(args)
            .args(if takes_packages(args) { &NOT_PUBLISHED[..] } else { &[] });
        command.env_remove("RUST_LOG").env_remove("RATCHET_COORDINATOR").stdin(Stdio::null());
        Ok(command)
    }
}

/// One line of a run's journal, as `ratchet` printed it.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its kind.
    pub kind: String,
    /// The node it is about.
    pub node: Option<u32>,
    /// What happened.
    pub text: String,
    /// Its place in the journal.
    pub seq: u64,
    /// When it was printed.
    pub at: Instant,
}

impl Told {
    /// Whether it is of this kind and about this node.
    pub fn is(&self, kind: &str, node: u32) -> bool {
        self.kind == kind && self.node == Some(node)
    }

    /// Whether a step of this sort begins on this node.
    pub fn begins(&self, step: &str, node: u32) -> bool {
        self.is("step_intended", node) && self.text.starts_with(step)
    }
}

/// A driving coordinator. Killed when dropped.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    hears: Receiver<(Instant, String)>,
    began: Instant,
    last: Option<Value>,
}

impl Driver {
    /// The next events of the run; none at the end of the stream.
    ///
    /// # Errors
    /// When it says nothing for a long time, or nonsense.
    pub fn news(&mut self) -> Result<Option<Vec<Told>>> {
        match self.hears.recv_timeout(PATIENCE) {
            Ok((at, line)) => self.understood(at, &line).map(Some),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => bail!("the coordinator says nothing: {:?}", self.last),
        }
    }

    /// What it has said and nobody has heard yet.
    ///
    /// # Errors
    /// When that is nonsense.
    pub fn unheard(&mut self) -> Result<Vec<Told>> {
        let mut told = Vec::new();
        while let Ok((at, line)) = self.hears.try_recv() {
            told.extend(self.understood(at, &line)?);
        }
        Ok(told)
    }

    fn understood(&mut self, at: Instant, line: &str) -> Result<Vec<Told>> {
        let document: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let events = document["events"].as_array().cloned().unwrap_or_default();
        self.last = Some(document.get("run").cloned().unwrap_or(document));
        let told = |event: &Value| Told {
            kind: event["kind"].as_str().unwrap_or_default().to_owned(),
            node: event["node"].as_u64().and_then(|node| u32::try_from(node).ok()),
            text: event["text"].as_str().unwrap_or_default().to_owned(),
            seq: event["seq"].as_u64().unwrap_or_default(),
            at,
        };
        Ok(events.iter().map(told).collect())
    }

    /// The last document about the run.
    pub fn run(&self) -> Option<&Value> {
        self.last.as_ref()
    }

    /// How long ago it was started.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// `kill -9`.
    ///
    /// # Errors
    /// When it has ended.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it says nothing for a long time.
    pub fn end(&mut self) -> Result<ExitStatus> {
        while self.news()?.is_some() {}
        Ok(self.child.wait()?)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Ended already is as good as killed.
        if self.child.kill().is_ok() {
            let _reaped = self.child.wait();
        }
    }
}
