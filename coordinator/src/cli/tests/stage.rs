//! The whole command line with its streams and signals in a test's hands.

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

use clap::Parser;
use futures::FutureExt;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use super::fake::Fake;
use crate::cli::context::{Context, Host};
use crate::cli::output::{Output, Streams};
use crate::cli::stops::{Stop, Stops};
use crate::cli::{Cli, Exit, run};

const CONFIG: &str =
    "insecure_loopback = true\n[[cluster]]\nname = \"orders\"\nagents = [\"127.0.0.1:7443\"]\n";

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything around one command.
pub(super) struct Stage {
    pub(super) fake: Arc<Fake>,
    pub(super) stops: mpsc::Sender<Stop>,
    /// What a person types; `None` where there is no terminal.
    typed: Option<&'static str>,
    receiver: Mutex<Option<mpsc::Receiver<Stop>>>,
    directory: tempfile::TempDir,
    out: Shared,
    err: Shared,
}

impl Stage {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("ratchet.toml"), CONFIG).unwrap();
        let (stops, receiver) = mpsc::channel(4);
        Self {
            fake: Arc::default(),
            stops,
            typed: None,
            receiver: Mutex::new(Some(receiver)),
            directory,
            out: Shared::default(),
            err: Shared::default(),
        }
    }

    /// On a terminal, at which a person types this.
    pub(super) fn typing(self, text: &'static str) -> Self {
        Self { typed: Some(text), ..self }
    }

    /// A path in the test's own directory.
    pub(super) fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Carries out a command line, once for a stage.
    pub(super) async fn run(&self, line: &str) -> Exit {
        let config = self.path("ratchet.toml");
        let words = ["ratchet", "--config", &config].into_iter().chain(line.split_whitespace());
        let cli = Cli::try_parse_from(words).unwrap();
        run(&cli.verb, &mut self.context(cli.global)).await
    }

    /// Carries out a command line on a machine without a configuration.
    pub(super) async fn run_bare(&self, line: &str) -> Exit {
        let cli = Cli::try_parse_from(["ratchet"].into_iter().chain(line.split_whitespace())).unwrap();
        run(&cli.verb, &mut self.context(cli.global)).await
    }

    /// The configuration that a command line would use.
    pub(super) fn config(&self, words: &[&str]) -> Result<crate::config::Config, proto::Failure> {
        let config = self.path("ratchet.toml");
        let cli = Cli::try_parse_from(["ratchet", "--config", &config].iter().chain(words)).unwrap();
        let (_, receiver) = mpsc::channel(1);
        self.receiver.lock().unwrap().replace(receiver);
        self.context(cli.global).config()
    }

    /// Carries out a command line while something else happens, which may never come to its end.
    pub(super) async fn run_while(&self, line: &str, meanwhile: impl Future<Output = ()>) -> Exit {
        tokio::select! {
            exit = self.run(line) => exit,
            never = async { meanwhile.await; std::future::pending().await } => never,
        }
    }

    fn context(&self, global: crate::cli::Global) -> Context {
        let streams = Streams {
            stdout: Box::new(self.out.clone()),
            stderr: Box::new(self.err.clone()),
            stdin: Box::new(Cursor::new(self.typed.unwrap_or_default())),
            interactive: self.typed.is_some(),
            live: false,
            zone: TimeZone::UTC,
        };
        let out = Output::new(global.output, streams);
        let stops = Stops::from_channel(self.receiver.lock().unwrap().take().unwrap());
        Context::new(global, out, stops, self.host())
    }

    fn host(&self) -> Host {
        let fake = Arc::clone(&self.fake);
        Host {
            embedded: Box::new(move |_| std::future::ready(Ok(fake.channel())).boxed()),
            serve: Box::new(|_, stop| stop.map(Ok).boxed()),
        }
    }

    /// Waits until a call of that name was made.
    pub(super) async fn until(&self, call: &str) {
        while !self.fake.was_asked(call) {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until something was told on stderr.
    pub(super) async fn until_told(&self, text: &str) {
        while !self.stderr().contains(text) {
            tokio::task::yield_now().await;
        }
    }

    /// What went to stdout, without colours.
    pub(super) fn stdout(&self) -> String {
        text(&self.out)
    }

    /// What went to stderr, without colours.
    pub(super) fn stderr(&self) -> String {
        text(&self.err)
    }

    /// The JSON documents on stdout, one a line.
    pub(super) fn documents(&self) -> Vec<serde_json::Value> {
        self.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn text(of: &Shared) -> String {
    let text = String::from_utf8(of.0.lock().unwrap().clone()).unwrap();
    anstream::adapter::strip_str(&text).to_string()
}
