//! A coordinator as a service.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sim::built_binary;
use stage::Stage;

use super::{Said, asking};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A coordinator that serves; killed when it is dropped.
pub struct Service {
    child: Child,
    pub address: String,
}

impl Service {
    /// Starts one, and waits until it listens. Its log is `<name>.log`.
    pub fn start(stage: &Stage, name: &str) -> Self {
        Self::start_at(stage, name, "127.0.0.1:0")
    }

    /// The same, at the address of one that is gone.
    pub fn start_at(stage: &Stage, name: &str, address: &str) -> Self {
        let config = stage.dir.join(format!("{name}.toml"));
        let text = std::fs::read_to_string(stage.configuration()).unwrap();
        std::fs::write(&config, format!("listen = \"{address}\"\n{text}")).unwrap();
        let mut command = Command::new(built_binary("coordinator", "ratchet").unwrap());
        command.arg("--config").arg(&config).arg("serve").stdin(Stdio::null()).stderr(Stdio::piped());
        command.env_remove("RATCHET_COORDINATOR").env_remove("JOURNAL_STREAM");
        command.env("RUST_LOG", "coordinator=info").env("NO_COLOR", "1");
        let mut child = command.spawn().unwrap();
        let log = stage.dir.join(format!("{name}.log"));
        let mut log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("listening")).unwrap();
        let address = line.rsplit_once("address=").unwrap().1.trim().to_owned();
        // Whoever is not read from stands still at last.
        std::thread::spawn(move || lines.for_each(|line| drop(writeln!(log, "{line}"))));
        Self { child, address }
    }

    /// Runs `ratchet -o json` against it.
    pub fn ask(&self, stage: &Stage, args: &[&str]) -> Said {
        asking(stage, &[&["-o", "json", "--coordinator", &self.address], args].concat())
    }

    pub fn leads(&self, stage: &Stage) -> bool {
        self.ask(stage, &["leader"]).json()["leads"] == true
    }

    /// Waits until an answer is as expected; each call is a process, so nothing spins.
    pub fn until(&self, stage: &Stage, args: &[&str], expected: impl Fn(&Said) -> bool) -> Said {
        let begun = Instant::now();
        loop {
            let said = self.ask(stage, args);
            if expected(&said) {
                return said;
            }
            assert!(begun.elapsed() < PATIENCE, "{args:?} is not as expected: {said:#?}");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
